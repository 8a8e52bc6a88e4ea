// Portable ops of which the CPU does the inner loops on vectors.
#include <algorithm>

#include "cpu_kernels.h"
#include "cpu_ops.h"
#include "random_cpu.h"

namespace serval::nn::cpu {

void activate(const Context& context, const ActivateArgs& args) {
  if (args.activation != Activation::kGelu) return serval::cpu::portable<Activate>(context, args);
  args.check();
  cpu_kernels().gelu(args.y.size(), args.x.data, args.y.data);
}

void activate_backward(const Context& context, const ActivateBackwardArgs& args) {
  if (args.activation != Activation::kGelu) return serval::cpu::portable<ActivateBackward>(context, args);
  args.check();
  cpu_kernels().gelu_gradient(args.dx.size(), args.x.data, args.dy.data, args.dx.data);
}

namespace {

void drop_weights(const AttentionRows& rows, std::int64_t row, std::int64_t count, float* values) {
  drop_row(rows.random, rows.first_number(row), rows.rate, count, values, values);
}

}  // namespace

void attention_weights(const Context&, const AttentionWeightsArgs& args) {
  args.check();
  const CpuKernels& kernels = cpu_kernels();
  const AttentionRows& rows = args.rows;
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    float* values = args.scores.data + row * rows.keys;
    const std::int64_t count = rows.seen(row);
    kernels.softmax_row(count, values);
    if (args.drop && rows.rate > 0) drop_weights(rows, row, count, values);
    std::fill(values + count, values + rows.keys, 0.0f);
  }
}

void attention_weights_backward(const Context&, const AttentionWeightsBackwardArgs& args) {
  args.check();
  const CpuKernels& kernels = cpu_kernels();
  const AttentionRows& rows = args.rows;
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    float* weights = args.weights.data + row * rows.keys;
    float* gradient = args.gradient.data + row * rows.keys;
    const std::int64_t count = rows.seen(row);
    if (rows.rate > 0) drop_weights(rows, row, count, gradient);
    kernels.softmax_gradient_row(count, weights, gradient);
    if (rows.rate > 0) drop_weights(rows, row, count, weights);
    std::fill(gradient + count, gradient + rows.keys, 0.0f);
  }
}

}  // namespace serval::nn::cpu
