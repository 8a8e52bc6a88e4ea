// Convolution on the CPU: products with images that are laid out once and not unfolded (conv_planes_cpu.h). The gradient
// of the input is such a product for each phase of the stride; that of the weights is in conv_weights_cpu.cc.
#include <algorithm>
#include <limits>
#include <numeric>

#include "serval/core/error.h"

#include "conv_product_cpu.h"
#include "cpu_ops.h"

namespace serval::nn::cpu {

PlaneProduct forward_product(const ConvShape& s) {
  PlaneProduct out;
  out.rows = s.group_out();
  out.depth = s.group_in() * s.taps();
  out.out_rows = s.out_height();
  out.out_columns = s.out_width();
  const std::int64_t reach_y = (s.kernel_height - 1) * s.dilation_height;
  const std::int64_t reach_x = (s.kernel_width - 1) * s.dilation_width;
  const std::int64_t extent_y = s.out_height() + reach_y / s.stride_height;
  const std::int64_t extent_x = s.out_width() + reach_x / s.stride_width;
  const std::int64_t rows = s.stride_height == 1 ? apart(s.top, s.height, extent_y, out.out_rows) : extent_y;
  const std::int64_t columns =
      s.stride_width == 1 ? apart(s.left, s.width, extent_x, out.out_columns) : extent_x;
  out.planes = {.channels = s.group_in(),
                .phases_y = std::min(s.stride_height, reach_y + 1),
                .phases_x = std::min(s.stride_width, reach_x + 1),
                .rows = rows,
                .columns = columns,
                .over_rows = extent_y - rows,
                .over_columns = extent_x - columns};
  out.planes.images = images_together(s.batch, out.planes, out.out_rows, out.out_columns);
  return out;
}

void forward_offsets(const ConvShape& s, const PlaneProduct& product) {
  std::int64_t p = 0;
  for (std::int64_t c = 0; c < s.group_in(); ++c) {
    for (std::int64_t tap = 0; tap < s.taps(); ++tap, ++p) {
      const std::int64_t y = tap / s.kernel_width * s.dilation_height;
      const std::int64_t x = tap % s.kernel_width * s.dilation_width;
      product.offsets[p] = static_cast<std::int32_t>(product.planes.offset(
          c, y % s.stride_height, x % s.stride_width, y / s.stride_height, x / s.stride_width));
    }
  }
}

PlaneSource forward_source(const ConvShape& s, const float* x, std::int64_t first_image, std::int64_t group) {
  const std::int64_t image_step = s.in_channels * s.pixels();
  return {.data = x + first_image * image_step + group * s.group_in() * s.pixels(),
          .image_step = image_step,
          .height = s.height,
          .width = s.width,
          .step_y = s.stride_height,
          .step_x = s.stride_width,
          .top = s.top,
          .left = s.left};
}

namespace {

// --- the gradient of the input, for the positions of one phase of the stride

// Positions q of one axis: place q * stride + phase - before of the input. Tap u of the phase reads result q - shift(u).
struct PhaseAxis {
  std::int64_t stride = 1, dilation = 1, kernel = 1, phase = 0, before = 0;
  std::int64_t first = 0, count = 0;              // the q inside the input
  std::int64_t least_shift = 0, most_shift = -1;  // of the taps that belong to it; none: -1
  std::int64_t taps = 0;

  PhaseAxis(std::int64_t size, std::int64_t stride_, std::int64_t dilation_, std::int64_t kernel_,
            std::int64_t before_, std::int64_t phase_)
      : stride(stride_), dilation(dilation_), kernel(kernel_), phase(phase_), before(before_) {
    first = ceil_div(before - phase, stride);
    count = std::max<std::int64_t>(floor_div(size - 1 + before - phase, stride) - first + 1, 0);
    for (std::int64_t u = 0; u < kernel; ++u) {
      if (!has(u)) continue;
      if (taps++ == 0) least_shift = shift(u);
      most_shift = shift(u);
    }
  }
  bool has(std::int64_t u) const { return u * dilation % stride == phase; }
  std::int64_t shift(std::int64_t u) const { return u * dilation / stride; }
  std::int64_t extent() const { return count + most_shift - least_shift; }  // results that are read
  std::int64_t zeros() const { return most_shift - first; }                 // before the first of them
  std::int64_t place(std::int64_t q) const { return (first + q) * stride + phase - before; }
};

struct InputPhase {
  PhaseAxis y, x;
  InputPhase(const ConvShape& s, std::int64_t phase_y, std::int64_t phase_x)
      : y(s.height, s.stride_height, s.dilation_height, s.kernel_height, s.top, phase_y),
        x(s.width, s.stride_width, s.dilation_width, s.kernel_width, s.left, phase_x) {}
  bool has_positions() const { return y.count > 0 && x.count > 0; }
  bool has_taps() const { return y.taps > 0 && x.taps > 0; }

  PlaneProduct product(const ConvShape& s) const {
    PlaneProduct out;
    out.rows = s.group_in();
    out.depth = s.group_out() * y.taps * x.taps;
    out.out_rows = y.count;
    out.out_columns = x.count;
    const std::int64_t rows = apart(y.zeros(), s.out_height(), y.extent(), y.count);
    const std::int64_t columns = apart(x.zeros(), s.out_width(), x.extent(), x.count);
    out.planes = {.channels = s.group_out(),
                  .rows = rows,
                  .columns = columns,
                  .over_rows = y.extent() - rows,
                  .over_columns = x.extent() - columns};
    out.planes.images = images_together(s.batch, out.planes, out.out_rows, out.out_columns);
    return out;
  }
};

template <class Body>
void for_each_phase(const ConvShape& s, Body body) {
  for (std::int64_t phase_y = 0; phase_y < s.stride_height; ++phase_y)
    for (std::int64_t phase_x = 0; phase_x < s.stride_width; ++phase_x) body(InputPhase(s, phase_y, phase_x));
}

void input_offsets(const ConvShape& s, const InputPhase& phase, const PlaneProduct& product) {
  std::int64_t p = 0;
  for (std::int64_t o = 0; o < s.group_out(); ++o) {
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      const std::int64_t u = tap / s.kernel_width;
      const std::int64_t v = tap % s.kernel_width;
      if (!phase.y.has(u) || !phase.x.has(v)) continue;
      product.a_offsets[p] = static_cast<std::int32_t>(o * s.group_in() * s.taps() + tap);
      product.offsets[p] = static_cast<std::int32_t>(product.planes.offset(
          o, 0, 0, phase.y.most_shift - phase.y.shift(u), phase.x.most_shift - phase.x.shift(v)));
      ++p;
    }
  }
}

void fill_positions(const ConvShape& s, const InputPhase& phase, std::int64_t group, float* dx) {
  for (std::int64_t n = 0; n < s.batch; ++n) {
    for (std::int64_t c = 0; c < s.group_in(); ++c) {
      float* plane = dx + (n * s.in_channels + group * s.group_in() + c) * s.pixels();
      for (std::int64_t i = 0; i < phase.y.count; ++i) {
        float* row = plane + phase.y.place(i) * s.width;
        for (std::int64_t j = 0; j < phase.x.count; ++j) row[phase.x.place(j)] = 0;
      }
    }
  }
}

// Result (n, i, j) of each row to its place among those of the other phases.
void scatter_results(const PlaneProduct& product, const ConvShape& s, const float* chunk, std::int64_t width,
                     std::int64_t j0, std::int64_t j1, float* dx) {
  product.for_each_run(
      j0, j1, [&](std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t count, std::int64_t place) {
        float* first =
            dx + n * s.in_channels * s.pixels() + i * s.stride_height * s.width + j * s.stride_width;
        for (std::int64_t r = 0; r < product.rows; ++r) {
          const float* from = chunk + r * width + place;
          float* to = first + r * s.pixels();
          for (std::int64_t k = 0; k < count; ++k) to[k * s.stride_width] = from[k];
        }
      });
}

// Places in the images are counted with 32 bits.
std::int64_t workspace_of(PlaneProduct product, const ConvShape& shape) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (product.planes.size() > kMost) {
    throw DataError(cat(to_string(shape), ": the images of a batch take ", product.planes.size(),
                        " numbers, and a CPU convolves at most ", kMost, "; cut recordings into segments"));
  }
  Pieces pieces(nullptr);
  product.place(pieces);
  return pieces.used();
}

}  // namespace

void conv2d_workspace_size(const Context&, const ConvShape& shape, bool training, std::int64_t* floats) {
  *floats = workspace_of(forward_product(shape), shape);
  if (!training) return;
  for_each_phase(shape, [&](const InputPhase& phase) {
    if (phase.has_positions() && phase.has_taps())
      *floats = std::max(*floats, workspace_of(phase.product(shape), shape));
  });
  *floats = std::max(*floats, conv2d_weights_workspace(shape));
}

void conv2d_forward(const Context&, const Conv2dForwardArgs& args) {
  const ConvShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
  PlaneProduct product = forward_product(s);
  Pieces pieces(args.workspace.data);
  product.place(pieces);
  std::iota(product.a_offsets, product.a_offsets + product.depth, 0);
  forward_offsets(s, product);
  const std::int64_t out_pixels = s.out_pixels();
  const bool written = args.activation == Activation::kNone || args.activation == Activation::kRelu;
  std::vector<ResultRun> runs;
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const std::int64_t first_out = group * s.group_out();
    kernels.pack_rows({.rows = product.rows,
                       .depth = product.depth,
                       .a = args.weights.data + first_out * product.depth,
                       .a_row_step = product.depth,
                       .a_offsets = product.a_offsets},
                      product.packed);
    const Planes& planes = product.planes;
    for (std::int64_t n0 = 0; n0 < s.batch; n0 += planes.images) {
      const std::int64_t images = std::min(planes.images, s.batch - n0);
      fill_planes(forward_source(s, args.x.data, n0, group), planes, images, product.memory);
      float* const y = args.y.data + (n0 * s.out_channels + first_out) * out_pixels;
      product.run(kernels, images,
                  [&](const float* chunk, std::int64_t width, std::int64_t j0, std::int64_t j1) {
                    list_runs(product, j0, j1, s.out_channels * out_pixels, s.out_width(), runs);
                    kernels.write_results(
                        {.rows = product.rows,
                         .c = chunk,
                         .ldc = width,
                         .runs = runs.data(),
                         .run_count = static_cast<std::int64_t>(runs.size()),
                         .bias = args.bias.empty() ? nullptr : args.bias.data + first_out,
                         .center = args.norm ? args.norm->planes.center + first_out : nullptr,
                         .scale = args.norm ? args.norm->planes.scale + first_out : nullptr,
                         .shift = args.norm ? args.norm->planes.shift + first_out : nullptr,
                         .relu = (args.norm ? args.norm->activation : args.activation) == Activation::kRelu,
                         .y = y,
                         .row_step = out_pixels});
                    if (written) return;
                    for (std::int64_t r = 0; r < product.rows; ++r)
                      for (const ResultRun& run : runs)
                        activate_row(args.activation, run.count, y + r * out_pixels + run.to);
                  });
    }
  }
  if (args.norm) clear_uncounted(args.norm->shape, args.y.data);
}

void conv2d_backward_input(const Context&, const Conv2dBackwardInputArgs& args) {
  const ConvShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
  std::vector<ResultRun> runs;
  for_each_phase(s, [&](const InputPhase& phase) {
    if (!phase.has_positions()) return;
    if (!phase.has_taps()) {  // nobody reads there
      for (std::int64_t group = 0; group < s.groups; ++group) fill_positions(s, phase, group, args.dx.data);
      return;
    }
    PlaneProduct product = phase.product(s);
    Pieces pieces(args.workspace.data);
    product.place(pieces);
    input_offsets(s, phase, product);
    for (std::int64_t group = 0; group < s.groups; ++group) {
      const std::int64_t first_in = group * s.group_in();
      const std::int64_t first_out = group * s.group_out();
      kernels.pack_rows({.rows = product.rows,
                         .depth = product.depth,
                         .a = args.weights.data + first_out * s.group_in() * s.taps(),
                         .a_row_step = s.taps(),
                         .a_offsets = product.a_offsets},
                        product.packed);
      for (std::int64_t n0 = 0; n0 < s.batch; n0 += product.planes.images) {
        const std::int64_t images = std::min(product.planes.images, s.batch - n0);
        const std::int64_t image_step = s.out_channels * s.out_pixels();
        fill_planes({.data = args.dy.data + n0 * image_step + first_out * s.out_pixels(),
                     .image_step = image_step,
                     .height = s.out_height(),
                     .width = s.out_width(),
                     .top = phase.y.zeros(),
                     .left = phase.x.zeros()},
                    product.planes, images, product.memory);
        float* const dx = args.dx.data + (n0 * s.in_channels + first_in) * s.pixels() +
                          phase.y.place(0) * s.width + phase.x.place(0);
        product.run(
            kernels, images, [&](const float* chunk, std::int64_t width, std::int64_t j0, std::int64_t j1) {
              if (s.stride_width == 1) {
                list_runs(product, j0, j1, s.in_channels * s.pixels(), s.stride_height * s.width, runs);
                kernels.write_results({.rows = product.rows,
                                       .c = chunk,
                                       .ldc = width,
                                       .runs = runs.data(),
                                       .run_count = static_cast<std::int64_t>(runs.size()),
                                       .y = dx,
                                       .row_step = s.pixels()});
                return;
              }
              scatter_results(product, s, chunk, width, j0, j1, dx);
            });
      }
    }
  });
}

}  // namespace serval::nn::cpu
