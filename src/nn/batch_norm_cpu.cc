// Batch norm of images on the CPU: one channel of one image after the other, on vectors.
#include <algorithm>

#include "cpu_kernels.h"
#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

// body(statistics of the channel, place of its first value) for every channel of a row that counts.
template <class Body>
void for_each_channel(const NormShape& s, Body body) {
  for (std::int64_t row = 0; row < s.all_rows(); ++row) {
    if (!s.counts(row)) continue;
    const std::int64_t first = row * s.channels * s.inner;
    const std::int64_t group = row / s.rows;
    for (std::int64_t c = 0; c < s.channels; ++c) body(group * s.channels + c, first + c * s.inner);
  }
}

}  // namespace

void norm_sums(const Context& context, const NormSumsArgs& args) {
  const NormShape& s = args.shape;
  if (s.inner == 1) return serval::cpu::portable<NormSums>(context, args);
  args.check();
  const CpuKernels& kernels = cpu_kernels();
  for (std::int64_t part = 0; part < s.groups * s.parts(); ++part) {
    const std::int64_t first = part / s.parts() * s.rows + part % s.parts() * s.part_rows();
    const std::int64_t last = std::min(first + s.part_rows(), (part / s.parts() + 1) * s.rows);
    double* to = args.sums.data + part * 2 * s.channels;
    for (std::int64_t c = 0; c < s.channels; ++c) {
      ProductSums sums;
      for (std::int64_t row = first; row < last; ++row) {
        const std::int64_t place = (row * s.channels + c) * s.inner;
        if (s.counts(row)) kernels.add_product_sums(s.inner, args.a.data + place, args.b.data + place, &sums);
      }
      double plain = sums.plain[8];
      double product = sums.product[8];
      for (int lane = 0; lane < 8; ++lane) {
        plain += sums.plain[lane];
        product += sums.product[lane];
      }
      to[c] = plain;
      to[s.channels + c] = product;
    }
  }
}

void clear_uncounted(const NormShape& shape, float* y) {
  const std::int64_t size = shape.channels * shape.inner;
  for (std::int64_t row = 0; row < shape.all_rows(); ++row) {
    if (!shape.counts(row)) std::fill_n(y + row * size, size, 0.0f);
  }
}

void norm_apply(const Context& context, const NormApplyArgs& args) {
  const bool on_vectors = args.activation == Activation::kNone || args.activation == Activation::kRelu;
  if (args.shape.inner == 1 || !on_vectors) return serval::cpu::portable<NormApply>(context, args);
  args.check();
  const CpuKernels& kernels = cpu_kernels();
  clear_uncounted(args.shape, args.y.data);
  for_each_channel(args.shape, [&](std::int64_t at, std::int64_t first) {
    kernels.norm_row({.count = args.shape.inner,
                      .center = args.planes.center[at],
                      .scale = args.planes.scale[at],
                      .shift = args.planes.shift[at],
                      .relu = args.activation == Activation::kRelu,
                      .x = args.x.data + first,
                      .y = args.y.data + first});
  });
}

void norm_backward(const Context& context, const NormBackwardArgs& args) {
  if (args.shape.inner == 1) return serval::cpu::portable<NormBackward>(context, args);
  args.check();
  const CpuKernels& kernels = cpu_kernels();
  clear_uncounted(args.shape, args.dx.data);
  for_each_channel(args.shape, [&](std::int64_t at, std::int64_t first) {
    kernels.norm_gradient_row({.count = args.shape.inner,
                               .center = args.planes.center[at],
                               .scale = args.planes.scale[at],
                               .mean_dz = args.mean_dz[at],
                               .mean_dz_x = args.mean_dz_x[at],
                               .x = args.x.data + first,
                               .dz = args.dz.data + first,
                               .dx = args.dx.data + first});
  });
}

}  // namespace serval::nn::cpu
