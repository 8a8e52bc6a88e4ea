// What surrounds cuDNN's LSTM: the kernels that reorder steps, and the layout of memory.
//
// cuDNN is told that all sequences have T steps and run forwards. That the kernels make ragged and reversed
// sequences out of such calls is shown with the CPU's LSTM in cuDNN's place.
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "serval/nn/lstm.h"

#include "cuda/nn/lstm_memory.cuh"
#include "cuda/nn/lstm_steps.cuh"
#include "tests/nn/guarded.h"
#include "tests/support/expect_close.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::Guarded;
using testing_support::random_values;

constexpr std::int64_t kTime = 7, kBatch = 4, kInput = 5, kHidden = 3, kStride = 8, kOffset = 2;
const std::vector<std::int32_t> kLengths{7, 1, 4, 6};

// x and dy with values that must not count in the padding.
std::vector<float> spoil_padding(std::vector<float> values, std::int64_t columns, float value) {
  for (std::int64_t t = 0; t < kTime; ++t) {
    for (std::int64_t b = 0; b < kBatch; ++b) {
      if (t < kLengths[static_cast<std::size_t>(b)]) continue;
      std::fill_n(values.begin() + (t * kBatch + b) * columns, columns, value);
    }
  }
  return values;
}

struct Layer {
  explicit Layer(bool is_reversed)
      : reversed(is_reversed),
        lengths(kLengths),
        x(spoil_padding(random_values(kTime * kBatch * kInput, 1), kInput, NAN)),
        weights(random_values(lstm_parameter_count(kInput, kHidden), 2)),
        dy(spoil_padding(random_values(kTime * kBatch * kStride, 3), kStride, NAN)),
        y(random_values(kTime * kBatch * kStride, 4)),
        dx(random_values(kTime * kBatch * kInput, 5)),
        dweights(random_values(lstm_parameter_count(kInput, kHidden), 6)) {}

  LstmShape shape() const {
    return {.time = kTime, .batch = kBatch, .input = kInput, .hidden = kHidden, .reversed = reversed};
  }

  bool reversed;
  Guarded<std::int32_t> lengths;
  Guarded<float> x, weights, dy, y, dx, dweights;
};

// The same through the checked entries.
void run_lstm(const Context& cpu, const LstmShape& shape, const std::vector<std::int32_t>& lengths,
              const float* x, const Layer& layer, float* y, std::int64_t y_stride, const float* dy,
              TensorView dx, TensorView dweights) {
  std::vector<float> reserve(static_cast<std::size_t>(lstm_reserve_size(cpu, shape)));
  const auto view = [](auto* data, std::int64_t count) { return View{data, Shape{count}, DeviceKind::kCpu}; };
  const std::vector<float> weights = layer.weights.values();
  LstmForwardArgs forward{.shape = shape,
                          .x = view(x, shape.time * shape.batch * shape.input),
                          .lengths = view(lengths.data(), shape.batch),
                          .host_lengths = lengths.data(),
                          .weights = view(weights.data(), static_cast<std::int64_t>(weights.size())),
                          .y = y,
                          .y_stride = y_stride,
                          .reserve = view(reserve.data(), static_cast<std::int64_t>(reserve.size())),
                          .training = true};
  lstm_forward(cpu, forward);
  lstm_backward(cpu, {.shape = shape,
                      .x = forward.x,
                      .lengths = forward.lengths,
                      .host_lengths = forward.host_lengths,
                      .weights = forward.weights,
                      .y = y,
                      .y_stride = y_stride,
                      .dy = dy,
                      .reserve = forward.reserve,
                      .dx = dx,
                      .dweights = dweights});
}

TEST(CudaLstmKernels, EqualLengthCallsMakeRaggedAndReversedOnes) {
  const Context cpu;
  constexpr std::int64_t kRows = kTime * kBatch;
  for (const bool reversed : {false, true}) {
    Layer expected(reversed);
    run_lstm(cpu, expected.shape(), kLengths, expected.x.data(), expected, expected.y.data() + kOffset,
             kStride, expected.dy.data() + kOffset, expected.dx.view(), expected.dweights.view());

    for (const int threads : {32, 128, 1024}) {
      SCOPED_TRACE(cat(reversed ? "reversed, " : "forward, ", threads, " threads"));
      Layer layer(reversed);
      const StepMap map{layer.lengths.data(), kTime, kBatch, reversed};
      Guarded<float> x(random_values(kRows * kInput, 7));
      Guarded<float> y(random_values(kRows * kHidden, 8));
      Guarded<float> dy(random_values(kRows * kHidden, 9));
      Guarded<float> dx(std::vector<float>(kRows * kInput, 0.0f));
      Guarded<float> dweights(std::vector<float>(layer.weights.values().size(), 0.0f));
      copy_steps(nullptr, map, {layer.x.data(), kInput}, {x.data(), kInput}, kInput, threads);
      copy_steps(nullptr, map, {layer.dy.data() + kOffset, kStride}, {dy.data(), kHidden}, kHidden, threads);
      LstmShape equal = layer.shape();
      equal.reversed = false;
      run_lstm(cpu, equal, std::vector<std::int32_t>(kBatch, kTime), x.data(), layer, y.data(), kHidden,
               dy.data(), dx.view(), dweights.view());
      copy_steps(nullptr, map, {y.data(), kHidden}, {layer.y.data() + kOffset, kStride}, kHidden, threads);
      add_steps(nullptr, map, {dx.data(), kInput}, {layer.dx.data(), kInput}, kInput, threads);
      add_values(nullptr, dweights.data(), layer.dweights.data(),
                 static_cast<std::int64_t>(dweights.values().size()), threads);

      // The columns of the other direction keep their values in both.
      expect_close(layer.y.values(), expected.y.values(), 1e-6, 1e-6);
      expect_close(layer.dx.values(), expected.dx.values(), 1e-6, 1e-5);
      expect_close(layer.dweights.values(), expected.dweights.values(), 1e-6, 1e-5);
    }
  }
}

TEST(CudaLstmKernels, StepsAreReversedWithinTheirOwnLength) {
  Guarded<std::int32_t> lengths({3, 1});
  const StepMap map{lengths.data(), 4, 2, true};
  // Columns: one value [t, b] = 10 t + b.
  Guarded<float> from({0, 1, 10, 11, 20, 21, 30, 31});
  Guarded<float> to(std::vector<float>(8, -1.0f));
  copy_steps(nullptr, map, {from.data(), 1}, {to.data(), 1}, 1);
  EXPECT_EQ(to.values(), (std::vector<float>{20, 1, 10, 0, 0, 0, 0, 0}));
  add_steps(nullptr, map, {from.data(), 1}, {to.data(), 1}, 1);
  EXPECT_EQ(to.values(), (std::vector<float>{40, 2, 20, 0, 0, 0, 0, 0}));
}

TEST(CudaLstmMemory, PiecesAreAlignedApartAndInside) {
  const LstmShape shape{.time = 5, .batch = 3, .input = 7, .hidden = 2};
  const LstmSpaces spaces{.weights = 1001, .workspace = 300, .reserve = 77};
  std::vector<float> block(static_cast<std::size_t>(kept_floats(spaces, shape)));
  for (const std::int64_t shift : {0, 1, 33}) {
    // A reserve may start anywhere: as many floats from there on must do.
    block.resize(static_cast<std::size_t>(kept_floats(spaces, shape) + shift));
    Pieces pieces(align(block.data() + shift));
    const Kept kept(pieces, spaces, shape);
    const float* const begin[] = {kept.weights, kept.x, kept.y, kept.cudnn};
    const std::int64_t floats[] = {251, 5 * 3 * 7, 5 * 3 * 2, 20};  // bytes rounded up to floats
    const float* free_from = block.data() + shift;
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin[i]) % 256, 0u);
      EXPECT_GE(begin[i], free_from);
      free_from = begin[i] + floats[i];
    }
    EXPECT_LE(free_from, block.data() + block.size());
  }
  // Scratch: workspace, dy, dx, dweights, each rounded up to 64 floats.
  EXPECT_EQ(scratch_bytes(spaces, shape), (128u + 64u + 128u + 256u) * 4u);
}

}  // namespace
}  // namespace serval::nn
