#include <algorithm>
#include <array>

#include "serval/nn/detail/activation.h"

#include "cpu_kernels.h"
#include "cpu_ops.h"
#include "random_cpu.h"

namespace serval::nn::cpu {

void activate_row(Activation activation, std::int64_t count, float* y) {
  switch (activation) {
    case Activation::kNone:
      return;
    case Activation::kRelu:
      for (std::int64_t i = 0; i < count; ++i) y[i] = detail::activate(Activation::kRelu, y[i]);
      return;
    case Activation::kTanh:
      return cpu_kernels().apply_tanh(count, y);
    case Activation::kSigmoid:
      return cpu_kernels().apply_sigmoid(count, y);
    case Activation::kLeakyRelu:
    case Activation::kElu:
    case Activation::kGelu:
      for (std::int64_t i = 0; i < count; ++i) y[i] = detail::activate(activation, y[i]);
  }
}

void bias_activation(const Context&, const BiasActivationArgs& args) {
  SERVAL_CHECK(args.y.size() >= args.rows * args.columns, "bias_activation y ", to_string(args.y.shape));
  SERVAL_CHECK(args.bias.empty() || args.bias.size() == args.columns, "bias ", to_string(args.bias.shape));
  for (std::int64_t r = 0; r < args.rows; ++r) {
    float* y = args.y.data + r * args.columns;
    if (!args.bias.empty()) {
      for (std::int64_t c = 0; c < args.columns; ++c) y[c] += args.bias.data[c];
    }
    activate_row(args.activation, args.columns, y);
  }
}

void activation_backward(const Context&, const ActivationBackwardArgs& args) {
  SERVAL_CHECK(args.y.size() == args.dy.size(), to_string(args.y.shape), " and ", to_string(args.dy.shape));
  const auto run_for = [&](auto slope) {
    for (std::int64_t i = 0; i < args.y.size(); ++i) args.dy.data[i] *= slope(args.y.data[i]);
  };
  // One loop for each, so that the compiler sees a constant.
  switch (args.activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      cpu_kernels().relu_gradient(args.y.size(), args.y.data, args.dy.data);
      break;
    case Activation::kTanh:
      run_for([](float y) { return detail::activation_slope(Activation::kTanh, y); });
      break;
    case Activation::kSigmoid:
      run_for([](float y) { return detail::activation_slope(Activation::kSigmoid, y); });
      break;
    case Activation::kLeakyRelu:
      run_for([](float y) { return detail::activation_slope(Activation::kLeakyRelu, y); });
      break;
    case Activation::kElu:
      run_for([](float y) { return detail::activation_slope(Activation::kElu, y); });
      break;
    case Activation::kGelu:
      throw InternalError("the slope of gelu does not follow from its result");
  }
}

void column_sum(const Context&, const ColumnSumArgs& args) {
  SERVAL_CHECK(args.x.size() >= args.rows * args.columns, "column_sum x ", to_string(args.x.shape));
  SERVAL_CHECK(args.sums.size() == args.columns, "column_sum sums ", to_string(args.sums.shape));
  constexpr std::int64_t kRowBlock = 256;  // short sums first: less rounding than one long one
  constexpr std::int64_t kColumnBlock = 64;
  for (std::int64_t c0 = 0; c0 < args.columns; c0 += kColumnBlock) {
    const std::int64_t width = std::min(kColumnBlock, args.columns - c0);
    for (std::int64_t r0 = 0; r0 < args.rows; r0 += kRowBlock) {
      std::array<float, kColumnBlock> block{};
      for (std::int64_t r = r0; r < std::min(args.rows, r0 + kRowBlock); ++r) {
        const float* x = args.x.data + r * args.columns + c0;
        for (std::int64_t c = 0; c < width; ++c) block[static_cast<std::size_t>(c)] += x[c];
      }
      for (std::int64_t c = 0; c < width; ++c) args.sums.data[c0 + c] += block[static_cast<std::size_t>(c)];
    }
  }
}

void dropout(const Context&, const DropoutArgs& args) {
  SERVAL_CHECK(args.rate >= 0 && args.rate < 1, "dropout rate ", args.rate);
  SERVAL_CHECK(args.x.size() >= args.time * args.batch * args.columns && args.y.size() >= args.x.size(),
               "dropout ", to_string(args.x.shape), " to ", to_string(args.y.shape));
  SERVAL_CHECK(args.time_stride >= args.time, "dropout time stride ", args.time_stride, " for ", args.time,
               " steps");
  for (std::int64_t t = 0; t < args.time; ++t) {
    for (std::int64_t b = 0; b < args.batch; ++b) {
      const std::int64_t row = (t * args.batch + b) * args.columns;
      drop_row(args.random, static_cast<std::uint64_t>((b * args.time_stride + t) * args.columns), args.rate,
               args.columns, args.x.data + row, args.y.data + row);
    }
  }
}

void fill_zero(const Context&, const TensorView& values) { std::fill_n(values.data, values.size(), 0.0f); }

}  // namespace serval::nn::cpu
