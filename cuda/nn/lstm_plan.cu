#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <tuple>

#include "cuda/nn/lstm_plan.cuh"

namespace serval::nn {

namespace {

constexpr int kGates = 4;

std::int32_t to_int32(std::int64_t value) {
  SERVAL_CHECK(value >= 1 && value <= std::numeric_limits<std::int32_t>::max(), "an LSTM dimension of ",
               value);
  return static_cast<std::int32_t>(value);
}

void set_sequences(const RnnDataDescriptor& descriptor, const LstmShape& shape, std::int64_t width) {
  const int time = to_int32(shape.time);
  const std::vector<int> lengths(static_cast<std::size_t>(shape.batch), time);
  SERVAL_CUDNN_CHECK(
      cudnnSetRNNDataDescriptor(descriptor.get(), CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED,
                                time, to_int32(shape.batch), to_int32(width), lengths.data(), nullptr));
}

// For a batch as `x` describes it, in training and inference alike.
LstmSpaces spaces_for(cudnnHandle_t handle, const LstmLayerPlan& layer, const RnnDataDescriptor& x) {
  LstmSpaces spaces{.weights = layer.weight_bytes()};
  std::size_t inference = 0;
  std::size_t none = 0;
  SERVAL_CUDNN_CHECK(
      cudnnGetRNNTempSpaceSizes(handle, layer.rnn(), CUDNN_FWD_MODE_INFERENCE, x.get(), &inference, &none));
  SERVAL_CUDNN_CHECK(cudnnGetRNNTempSpaceSizes(handle, layer.rnn(), CUDNN_FWD_MODE_TRAINING, x.get(),
                                               &spaces.workspace, &spaces.reserve));
  spaces.workspace = std::max(spaces.workspace, inference);
  return spaces;
}

}  // namespace

LstmLayerPlan::LstmLayerPlan(cuda::CudaState& state, std::int64_t input, std::int64_t hidden) {
  SERVAL_CUDNN_CHECK(cudnnSetDropoutDescriptor(dropout_.get(), state.cudnn(), 0.0f, nullptr, 0, 0));
  // FMA math: float stays float. The standard algorithm is pinned, not the fastest of a trial: which one
  // runs, and so the bits of the result, must not depend on what else the machine is doing.
  SERVAL_CUDNN_CHECK(cudnnSetRNNDescriptor_v8(
      rnn_.get(), CUDNN_RNN_ALGO_STANDARD, CUDNN_LSTM, CUDNN_RNN_SINGLE_INP_BIAS, CUDNN_UNIDIRECTIONAL,
      CUDNN_LINEAR_INPUT, CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_FMA_MATH, to_int32(input),
      to_int32(hidden), to_int32(hidden), 1, dropout_.get(), CUDNN_RNN_PADDED_IO_ENABLED));
  SERVAL_CUDNN_CHECK(cudnnGetRNNWeightSpaceSize(state.cudnn(), rnn_.get(), &weight_bytes_));
  read_layout(state, input, hidden);
}

// cuDNN numbers the gates i, f, g, o as 0..3 for the input's matrices and 4..7 for the recurrent ones: the
// canonical order. The one bias belongs to the former.
void LstmLayerPlan::read_layout(cuda::CudaState& state, std::int64_t input, std::int64_t hidden) {
  const void* const base = state.workspace(weight_bytes_);  // only its address counts
  const TensorDescriptor matrix_descriptor, bias_descriptor;
  const std::int64_t recurrent = kGates * hidden * input;
  const std::int64_t biases = recurrent + kGates * hidden * hidden;
  for (int id = 0; id < 2 * kGates; ++id) {
    const std::int64_t gate = id % kGates;
    const bool from_input = id < kGates;
    const std::int64_t width = from_input ? input : hidden;
    void* matrix = nullptr;
    void* bias = nullptr;
    SERVAL_CUDNN_CHECK(cudnnGetRNNWeightParams(state.cudnn(), rnn_.get(), 0, weight_bytes_, base, id,
                                               matrix_descriptor.get(), &matrix, bias_descriptor.get(),
                                               &bias));
    add_segment((from_input ? 0 : recurrent) + gate * hidden * width, base, matrix, matrix_descriptor.get(),
                hidden * width);
    if (from_input) add_segment(biases + gate * hidden, base, bias, bias_descriptor.get(), hidden);
  }
  std::sort(segments_.begin(), segments_.end(),
            [](const Segment& a, const Segment& b) { return a.canonical < b.canonical; });
  std::vector<Segment> joined;
  for (const Segment& next : segments_) {
    if (!joined.empty()) {
      Segment& last = joined.back();
      SERVAL_CHECK(last.canonical + last.count == next.canonical, "a hole at ", next.canonical);
      if (last.packed + last.count == next.packed) {
        last.count += next.count;
        continue;
      }
    }
    joined.push_back(next);
  }
  segments_ = std::move(joined);
}

void LstmLayerPlan::add_segment(std::int64_t canonical, const void* base, const void* address,
                                cudnnTensorDescriptor_t descriptor, std::int64_t count) {
  constexpr int kRank = 3;
  cudnnDataType_t type{};
  int rank = 0;
  int dims[kRank] = {};
  int strides[kRank] = {};
  SERVAL_CUDNN_CHECK(cudnnGetTensorNdDescriptor(descriptor, kRank, &type, &rank, dims, strides));
  const std::int64_t elements = static_cast<std::int64_t>(dims[0]) * dims[1] * dims[2];
  SERVAL_CHECK(address != nullptr && rank == kRank && type == CUDNN_DATA_FLOAT && elements == count &&
                   strides[2] == 1 && strides[1] == dims[2],
               "cuDNN's weights are [", dims[0], ", ", dims[1], ", ", dims[2], "], expected ", count,
               " floats row after row");
  const std::int64_t packed = static_cast<const float*>(address) - static_cast<const float*>(base);
  SERVAL_CHECK(packed >= 0 && static_cast<std::size_t>(packed + count) * sizeof(float) <= weight_bytes_,
               "weights at ", packed);
  segments_.push_back({canonical, packed, count});
}

LstmPlan::LstmPlan(cudnnHandle_t handle, const LstmLayerPlan& layer, const LstmShape& shape) : layer_(layer) {
  set_sequences(x_, shape, shape.input);
  set_sequences(y_, shape, shape.hidden);
  const int dims[] = {1, to_int32(shape.batch), to_int32(shape.hidden)};
  const int strides[] = {dims[1] * dims[2], dims[2], 1};
  SERVAL_CUDNN_CHECK(cudnnSetTensorNdDescriptor(state_.get(), CUDNN_DATA_FLOAT, 3, dims, strides));
  spaces_ = spaces_for(handle, layer, x_);
}

namespace {

// spaces[t - 1][b - 1]: the largest over all shapes up to [t, b].
struct SpaceTable {
  std::int64_t time = 0, batch = 0;
  std::vector<LstmSpaces> spaces;
};

SpaceTable make_space_table(cudnnHandle_t handle, const LstmLayerPlan& layer, LstmShape shape) {
  SpaceTable table{shape.time, shape.batch, {}};
  table.spaces.reserve(static_cast<std::size_t>(shape.time * shape.batch));
  const RnnDataDescriptor x;
  for (shape.time = 1; shape.time <= table.time; ++shape.time) {
    for (shape.batch = 1; shape.batch <= table.batch; ++shape.batch) {
      set_sequences(x, shape, shape.input);
      LstmSpaces most = spaces_for(handle, layer, x);
      const auto include = [&](std::size_t back) {
        const LstmSpaces& other = table.spaces[table.spaces.size() - back];
        most.workspace = std::max(most.workspace, other.workspace);
        most.reserve = std::max(most.reserve, other.reserve);
      };
      if (shape.batch > 1) include(1);
      if (shape.time > 1) include(static_cast<std::size_t>(table.batch));
      table.spaces.push_back(most);
    }
  }
  return table;
}

using LayerKey = std::tuple<int, std::int64_t, std::int64_t>;  // device, input, hidden

LayerKey layer_key(const Device& device, const LstmShape& shape) {
  return {device.index, shape.input, shape.hidden};
}

const LstmLayerPlan& layer_plan(cuda::CudaState& state, const LayerKey& key) {
  static thread_local std::map<LayerKey, std::unique_ptr<LstmLayerPlan>> layers;
  std::unique_ptr<LstmLayerPlan>& layer = layers[key];
  if (!layer) layer = std::make_unique<LstmLayerPlan>(state, std::get<1>(key), std::get<2>(key));
  return *layer;
}

}  // namespace

const LstmPlan& lstm_plan(cuda::CudaState& state, const Device& device, const LstmShape& shape) {
  static thread_local std::map<std::tuple<LayerKey, std::int64_t, std::int64_t>, std::unique_ptr<LstmPlan>>
      plans;
  const LayerKey key = layer_key(device, shape);
  const LstmLayerPlan& layer = layer_plan(state, key);
  std::unique_ptr<LstmPlan>& plan = plans[{key, shape.time, shape.batch}];
  if (!plan) plan = std::make_unique<LstmPlan>(state.cudnn(), layer, shape);
  return *plan;
}

LstmSpaces lstm_largest_spaces(cuda::CudaState& state, const Device& device, const LstmShape& shape) {
  static thread_local std::map<LayerKey, SpaceTable> tables;
  const LayerKey key = layer_key(device, shape);
  const LstmLayerPlan& layer = layer_plan(state, key);
  SpaceTable& table = tables[key];
  if (table.time < shape.time || table.batch < shape.batch) {
    LstmShape most = shape;
    most.time = std::max(shape.time, table.time);
    most.batch = std::max(shape.batch, table.batch);
    table = make_space_table(state.cudnn(), layer, most);
  }
  return table.spaces[static_cast<std::size_t>((shape.time - 1) * table.batch + shape.batch - 1)];
}

}  // namespace serval::nn
