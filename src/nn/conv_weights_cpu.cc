// The gradient of a convolution's weights on the CPU: products of the planes of its input, which are read where they lie, with
// blocks of dy in which the columns between results are zeros.
#include <algorithm>

#include "conv_product_cpu.h"
#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

constexpr std::int64_t kDyStep = kGemmDepth + 16;  // not a power of two: rows would share cache lines

struct WeightMemory {
  PlaneProduct product;  // of the forward pass, for its planes and offsets
  float* sums;           // [depth, group_out]
  float* dy;             // [group_out, kDyStep]
  float* packed;         // the same, for a product

  WeightMemory(Pieces& pieces, const ConvShape& s)
      : product(forward_product(s)),
        sums(pieces.floats(product.depth * product.rows)),
        dy(pieces.floats(product.rows * kDyStep)),
        packed(pieces.floats(packed_b_size(kGemmDepth, product.rows))) {
    product.offsets = pieces.integers(product.depth);
    product.memory = pieces.floats(product.planes.size());
  }
};

// dy [image, channel, pixel] of columns [j0, j1) as [row, kDyStep].
void take_gradients(const PlaneProduct& product, const ConvShape& s, const float* dy, std::int64_t j0,
                    std::int64_t j1, float* to) {
  for (std::int64_t r = 0; r < product.rows; ++r) std::fill_n(to + r * kDyStep, j1 - j0, 0.0f);
  const std::int64_t pixels = s.out_pixels();
  product.for_each_run(
      j0, j1, [&](std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t count, std::int64_t place) {
        const float* from = dy + n * s.out_channels * pixels + i * product.out_columns + j;
        for (std::int64_t r = 0; r < product.rows; ++r)
          std::copy_n(from + r * pixels, count, to + r * kDyStep + place);
      });
}

void add_bias_gradient(const ConvShape& s, const float* dy, float* dbias) {
  constexpr std::int64_t kLanes = 16;  // fixed, so that every instruction set adds in one order
  for (std::int64_t o = 0; o < s.out_channels; ++o) {
    for (std::int64_t n = 0; n < s.batch; ++n) {
      const float* from = dy + (n * s.out_channels + o) * s.out_pixels();
      float lanes[kLanes] = {};
      std::int64_t k = 0;
      for (; k + kLanes <= s.out_pixels(); k += kLanes)
        for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += from[k + lane];
      for (std::int64_t lane = 0; k < s.out_pixels(); ++k, ++lane) lanes[lane] += from[k];
      float sum = 0;
      for (const float lane : lanes) sum += lane;
      dbias[o] += sum;
    }
  }
}

}  // namespace

std::int64_t conv2d_weights_workspace(const ConvShape& shape) {
  Pieces pieces(nullptr);
  WeightMemory(pieces, shape);
  return pieces.used();
}

void conv2d_backward_weights(const Context&, const Conv2dBackwardWeightsArgs& args) {
  const ConvShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
  Pieces pieces(args.workspace.data);
  const WeightMemory memory(pieces, s);
  const PlaneProduct& product = memory.product;
  const std::int64_t depth = product.depth, outputs = product.rows;
  forward_offsets(s, product);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    std::fill_n(memory.sums, depth * outputs, 0.0f);
    for (std::int64_t n0 = 0; n0 < s.batch; n0 += product.planes.images) {
      const std::int64_t images = std::min(product.planes.images, s.batch - n0);
      fill_planes(forward_source(s, args.x.data, n0, group), product.planes, images, product.memory);
      const float* dy = args.dy.data + (n0 * s.out_channels + group * outputs) * s.out_pixels();
      const std::int64_t all = product.columns(images);
      for (std::int64_t j0 = 0; j0 < all; j0 += kGemmDepth) {
        const std::int64_t j1 = std::min(all, j0 + kGemmDepth);
        take_gradients(product, s, dy, j0, j1, memory.dy);
        kernels.pack_b(
            {.transpose_b = Transpose::kYes, .n = outputs, .k = j1 - j0, .b = memory.dy, .ldb = kDyStep},
            memory.packed);
        kernels.rows_product({.rows = depth,
                              .columns = outputs,
                              .depth = j1 - j0,
                              .a = product.memory + j0,
                              .offsets = product.offsets,
                              .c = memory.sums,
                              .ldc = outputs},
                             memory.packed);
      }
    }
    float* dweights = args.dweights.data + group * outputs * depth;
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t p = 0; p < depth; ++p) dweights[o * depth + p] += memory.sums[p * outputs + o];
  }
  if (!args.dbias.empty()) add_bias_gradient(s, args.dy.data, args.dbias.data);
}

}  // namespace serval::nn::cpu
