// Time of one LSTM layer, forward and backward: on the CPU at each instruction set it has, and on the first GPU.
//   serval_lstm_bench [batch time input hidden]      default 64 150 120 128
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "serval/core/log.h"
#include "serval/core/philox.h"
#include "serval/nn/cpu_level.h"
#include "serval/nn/lstm.h"

namespace {

using serval::Context;
using serval::Device;
using serval::RandomStream;
using serval::Tensor;

Tensor random_tensor(const Device& device, std::int64_t size, float scale, std::uint32_t layer) {
  const RandomStream random{.seed = 1, .layer = layer};
  std::vector<float> values(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * (2 * random.uniform(i) - 1);
  return Tensor::from_host(device, values);
}

// Median time of forward and of backward, in milliseconds. `shortest` of 1 gives equal lengths; less spreads
// them evenly from there to 1, longest first.
struct Times {
  double forward_ms = 0, backward_ms = 0;
};
Times measure(const Device& device, const serval::nn::LstmShape& shape, double shortest) {
  const Context context(device);
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(shape.batch));
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const double share = 1 - (1 - shortest) * static_cast<double>(b) / static_cast<double>(lengths.size());
    lengths[b] = std::max(1, static_cast<int>(share * static_cast<double>(shape.time)));
  }
  const std::int64_t rows = shape.time * shape.batch;
  const std::int64_t parameters = serval::nn::lstm_parameter_count(shape.input, shape.hidden);
  const Tensor x = random_tensor(device, rows * shape.input, 1, 1);
  const Tensor weights = random_tensor(device, parameters, 0.1f, 2);
  const Tensor dy = random_tensor(device, rows * shape.hidden, 1, 3);
  Tensor y(device, {rows * shape.hidden});
  Tensor dx(device, {rows * shape.input});
  Tensor dweights(device, {parameters});
  Tensor reserve(device, {serval::nn::lstm_reserve_size(context, shape)});
  const auto device_lengths = serval::Array<std::int32_t>::from_host(device, lengths);
  const serval::View<const std::int32_t> lengths_view = device_lengths.view();
  context.synchronize();

  std::vector<double> forward_ms, backward_ms;
  for (int repeat = 0; repeat < 12; ++repeat) {
    const double start_s = serval::monotonic_s();
    serval::nn::lstm_forward(context, {.shape = shape,
                                       .x = x.view(),
                                       .lengths = lengths_view,
                                       .host_lengths = lengths.data(),
                                       .weights = weights.view(),
                                       .y = y.data(),
                                       .y_stride = shape.hidden,
                                       .reserve = reserve.view(),
                                       .training = true});
    context.synchronize();
    const double middle_s = serval::monotonic_s();
    serval::nn::lstm_backward(context, {.shape = shape,
                                        .x = x.view(),
                                        .lengths = lengths_view,
                                        .host_lengths = lengths.data(),
                                        .weights = weights.view(),
                                        .y = y.data(),
                                        .y_stride = shape.hidden,
                                        .dy = dy.data(),
                                        .reserve = reserve.view(),
                                        .dx = dx.view(),
                                        .dweights = dweights.view()});
    context.synchronize();
    const double end_s = serval::monotonic_s();
    if (repeat < 2) continue;  // the first ones fault memory in
    forward_ms.push_back(1e3 * (middle_s - start_s));
    backward_ms.push_back(1e3 * (end_s - middle_s));
  }
  const auto median = [](std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  return {median(forward_ms), median(backward_ms)};
}

void print(const char* name, const Device& device, const serval::nn::LstmShape& shape) {
  for (const double shortest : {1.0, 0.2}) {
    const Times times = measure(device, shape, shortest);
    std::printf("%-8s lengths from %3.0f %% of T: forward %7.2f ms  backward %7.2f ms  both %7.2f ms\n", name,
                100 * shortest, times.forward_ms, times.backward_ms, times.forward_ms + times.backward_ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, long fallback) { return argc > i ? std::atol(argv[i]) : fallback; };
  const serval::nn::LstmShape shape{
      .time = number(2, 150), .batch = number(1, 64), .input = number(3, 120), .hidden = number(4, 128)};
  std::printf("B%ld T%ld I%ld H%ld, one thread or one GPU, with the gradient of the input; medians of 10\n",
              static_cast<long>(shape.batch), static_cast<long>(shape.time), static_cast<long>(shape.input),
              static_cast<long>(shape.hidden));
  using serval::nn::CpuLevel;
  for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (!serval::nn::cpu_level_supported(level)) continue;
    serval::nn::set_cpu_level(level);
    print(to_string(level), {}, shape);
  }
  if (!serval::cuda_devices().empty()) print("cuda:0", {serval::DeviceKind::kCuda, 0}, shape);
  return 0;
}
