// Convolution on the CPU: products with images that are laid out once and not unfolded (conv_planes_cpu.h). The gradient
// of the input is such a product for each phase of the stride; that of the weights is one over unfolded blocks.
#include <algorithm>

#include "serval/nn/detail/activation.h"

#include "conv_planes_cpu.h"
#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

// Hands out pieces of the workspace; with a null start it only adds up.
class Pieces {
 public:
  explicit Pieces(float* start) : start_(start) {}
  float* floats(std::int64_t count) {
    constexpr std::int64_t kStep = 16;  // a cache line
    const std::int64_t first = used_;
    used_ += (count + kStep - 1) / kStep * kStep;
    return start_ == nullptr ? nullptr : start_ + first;
  }
  std::int32_t* integers(std::int64_t count) { return reinterpret_cast<std::int32_t*>(floats(count)); }
  std::int64_t used() const { return used_; }

 private:
  float* start_;
  std::int64_t used_ = 0;
};

// Columns computed at a time: a block of them stays in the second cache until it is written out.
std::int64_t chunk_columns(std::int64_t rows) {
  constexpr std::int64_t kMost = 512;
  constexpr std::int64_t kMostFloats = std::int64_t{1} << 18;
  return std::clamp(kMostFloats / rows / kGemmPanel * kGemmPanel, kGemmPanel, kMost);
}

// A product with planes: [rows, depth] times [depth, columns], and where its results are among the columns.
struct PlaneProduct {
  std::int64_t rows = 0, depth = 0;
  Planes planes;
  std::int64_t out_rows = 0, out_columns = 0;  // results of one image

  std::int32_t* a_offsets = nullptr;
  std::int32_t* offsets = nullptr;
  float* packed = nullptr;
  float* memory = nullptr;  // of the planes
  float* chunk = nullptr;

  void place(Pieces& pieces) {
    a_offsets = pieces.integers(depth);
    offsets = pieces.integers(depth);
    packed = pieces.floats(packed_rows_size(rows, depth));
    memory = pieces.floats(planes.size());
    chunk = pieces.floats(rows * chunk_columns(rows));
  }

  // write(image, row of the product, i, j, count, results) for results (i, j) to (i, j + count - 1) of an image.
  template <class Write>
  void run(const CpuKernels& kernels, std::int64_t images, Write write) const {
    const std::int64_t width = chunk_columns(rows);
    const std::int64_t all = (images - 1) * planes.image() + (out_rows - 1) * planes.columns + out_columns;
    for (std::int64_t j0 = 0; j0 < all; j0 += width) {
      const std::int64_t j1 = std::min(all, j0 + width);
      kernels.offset_product({.rows = rows,
                              .columns = j1 - j0,
                              .depth = depth,
                              .b = memory + j0,
                              .offsets = offsets,
                              .c = chunk,
                              .ldc = width},
                             packed);
      const std::int64_t first_image = j0 / planes.image();
      const std::int64_t first_row = j0 % planes.image() / planes.columns;
      for (std::int64_t r = 0; r < rows; ++r) {
        const float* results = chunk + r * width - j0;
        std::int64_t n = first_image;
        std::int64_t i = first_row;
        std::int64_t start = n * planes.image() + i * planes.columns;  // column of (n, i, 0)
        while (start < j1) {
          const std::int64_t first = std::max(start, j0);
          const std::int64_t last = std::min(start + out_columns, j1);
          if (i < out_rows && first < last) write(n, r, i, first - start, last - first, results + first);
          start += planes.columns;
          if (++i == planes.rows) {
            i = 0;
            ++n;
          }
        }
      }
    }
  }
};

// --- forward

PlaneProduct forward_product(const ConvShape& s) {
  PlaneProduct out;
  out.rows = s.group_out();
  out.depth = s.group_in() * s.taps();
  out.out_rows = s.out_height();
  out.out_columns = s.out_width();
  const std::int64_t reach_y = (s.kernel_height - 1) * s.dilation_height;
  const std::int64_t reach_x = (s.kernel_width - 1) * s.dilation_width;
  out.planes = {.channels = s.group_in(),
                .phases_y = std::min(s.stride_height, reach_y + 1),
                .phases_x = std::min(s.stride_width, reach_x + 1),
                .rows = s.out_height() + reach_y / s.stride_height,
                .columns = s.out_width() + reach_x / s.stride_width};
  out.planes.images = images_together(s.batch, out.planes, out.out_rows, out.out_columns);
  return out;
}

void forward_offsets(const ConvShape& s, const PlaneProduct& product) {
  std::int64_t p = 0;
  for (std::int64_t c = 0; c < s.group_in(); ++c) {
    for (std::int64_t tap = 0; tap < s.taps(); ++tap, ++p) {
      const std::int64_t y = tap / s.kernel_width * s.dilation_height;
      const std::int64_t x = tap % s.kernel_width * s.dilation_width;
      product.a_offsets[p] = static_cast<std::int32_t>(p);
      product.offsets[p] = static_cast<std::int32_t>(product.planes.offset(
          c, y % s.stride_height, x % s.stride_width, y / s.stride_height, x / s.stride_width));
    }
  }
}

void finish_row(const CpuKernels& kernels, Activation activation, float bias, std::int64_t count,
                const float* from, float* to) {
  switch (activation) {
    case Activation::kNone:
      for (std::int64_t k = 0; k < count; ++k) to[k] = from[k] + bias;
      return;
    case Activation::kRelu:
      for (std::int64_t k = 0; k < count; ++k) to[k] = detail::activate(Activation::kRelu, from[k] + bias);
      return;
    case Activation::kTanh:
    case Activation::kSigmoid:
      for (std::int64_t k = 0; k < count; ++k) to[k] = from[k] + bias;
      return activation == Activation::kTanh ? kernels.apply_tanh(count, to)
                                             : kernels.apply_sigmoid(count, to);
    case Activation::kLeakyRelu:
    case Activation::kElu:
    case Activation::kGelu:
      for (std::int64_t k = 0; k < count; ++k) to[k] = detail::activate(activation, from[k] + bias);
  }
}

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
    out.planes = {.channels = s.group_out(), .rows = y.extent(), .columns = x.extent()};
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

// --- the gradient of the weights

constexpr std::int64_t kWeightPixels =
    512;  // results whose share is added at a time, counted through the batch
constexpr std::int64_t kColumnStep = kWeightPixels + 16;  // not a power of two: rows would share cache lines
constexpr std::int64_t kColumnRows = 144;

struct WeightMemory {
  float* sums;     // [depth, group_out]
  float* dy;       // [group_out, kWeightPixels]
  float* packed;   // the same, for a product
  float* columns;  // [kColumnRows, kColumnStep]: unfolded
  WeightMemory(Pieces& pieces, const ConvShape& s)
      : sums(pieces.floats(s.group_in() * s.taps() * s.group_out())),
        dy(pieces.floats(s.group_out() * kWeightPixels)),
        packed(pieces.floats(packed_b_size(kWeightPixels, s.group_out()))),
        columns(pieces.floats(kColumnRows * kColumnStep)) {}
};

// body(image, i, j, count, place) for the rows of results that make up [first, last) of those of all images.
template <class Body>
void for_each_run(const ConvShape& s, std::int64_t first, std::int64_t last, Body body) {
  const std::int64_t height = s.out_height(), width = s.out_width();
  std::int64_t n = first / (height * width);
  std::int64_t i = first % (height * width) / width;
  std::int64_t j = first % width;
  for (std::int64_t at = first; at < last;) {
    const std::int64_t count = std::min(width - j, last - at);
    body(n, i, j, count, at - first);
    at += count;
    j = 0;
    if (++i == height) {
      i = 0;
      ++n;
    }
  }
}

void take_gradients(const ConvShape& s, const float* dy, std::int64_t group, std::int64_t first,
                    std::int64_t last, float* to) {
  const std::int64_t pixels = s.out_pixels();
  for (std::int64_t o = 0; o < s.group_out(); ++o, to += kWeightPixels) {
    for (std::int64_t at = first; at < last;) {
      const std::int64_t n = at / pixels;
      const std::int64_t pixel = at % pixels;
      const std::int64_t count = std::min(pixels - pixel, last - at);
      const std::int64_t channel = n * s.out_channels + group * s.group_out() + o;
      std::copy_n(dy + channel * pixels + pixel, count, to + at - first);
      at += count;
    }
  }
}

// Row p: what the results from `first` to `last` read at channel and tap p.
void unfold_row(const ConvShape& s, const float* x, std::int64_t group, std::int64_t p, std::int64_t first,
                std::int64_t last, float* to) {
  const std::int64_t c = group * s.group_in() + p / s.taps();
  const std::int64_t down = p % s.taps() / s.kernel_width * s.dilation_height - s.top;
  const std::int64_t along = p % s.kernel_width * s.dilation_width - s.left;
  for_each_run(s, first, last,
               [&](std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t count, std::int64_t place) {
                 const std::int64_t y = i * s.stride_height + down;
                 const bool inside = y >= 0 && y < s.height;
                 const float* row = x + (n * s.in_channels + c) * s.pixels() + (inside ? y * s.width : 0);
                 copy_strided(row, inside ? s.width : 0, j * s.stride_width + along, s.stride_width, count,
                              to + place);
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

void conv2d_workspace_size(const Context&, const ConvShape& shape, bool training, std::int64_t* floats) {
  Pieces forward(nullptr);
  forward_product(shape).place(forward);
  *floats = forward.used();
  if (!training) return;
  for_each_phase(shape, [&](const InputPhase& phase) {
    if (!phase.has_positions() || !phase.has_taps()) return;
    Pieces pieces(nullptr);
    phase.product(shape).place(pieces);
    *floats = std::max(*floats, pieces.used());
  });
  Pieces weights(nullptr);
  WeightMemory(weights, shape);
  *floats = std::max(*floats, weights.used());
}

void conv2d_forward(const Context&, const Conv2dForwardArgs& args) {
  const ConvShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
  PlaneProduct product = forward_product(s);
  Pieces pieces(args.workspace.data);
  product.place(pieces);
  forward_offsets(s, product);
  const std::int64_t out_width = s.out_width(), out_pixels = s.out_pixels();  // which divide
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const std::int64_t first_out = group * s.group_out();
    kernels.pack_rows({.rows = product.rows,
                       .depth = product.depth,
                       .a = args.weights.data + first_out * product.depth,
                       .a_row_step = product.depth,
                       .a_offsets = product.a_offsets},
                      product.packed);
    Planes planes = product.planes;
    for (std::int64_t n0 = 0; n0 < s.batch; n0 += planes.images) {
      const std::int64_t images = std::min(planes.images, s.batch - n0);
      const std::int64_t image_step = s.in_channels * s.pixels();
      fill_planes({.data = args.x.data + n0 * image_step + group * s.group_in() * s.pixels(),
                   .image_step = image_step,
                   .height = s.height,
                   .width = s.width,
                   .step_y = s.stride_height,
                   .step_x = s.stride_width,
                   .top = s.top,
                   .left = s.left},
                  planes, images, product.memory);
      product.run(kernels, images,
                  [&](std::int64_t n, std::int64_t r, std::int64_t i, std::int64_t j, std::int64_t count,
                      const float* from) {
                    const std::int64_t channel = first_out + r;
                    float* to =
                        args.y.data + ((n0 + n) * s.out_channels + channel) * out_pixels + i * out_width + j;
                    finish_row(kernels, args.activation, args.bias.empty() ? 0.0f : args.bias.data[channel],
                               count, from, to);
                  });
    }
  }
}

void conv2d_backward_input(const Context&, const Conv2dBackwardInputArgs& args) {
  const ConvShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
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
                     .top = phase.y.most_shift - phase.y.first,
                     .left = phase.x.most_shift - phase.x.first},
                    product.planes, images, product.memory);
        product.run(kernels, images,
                    [&](std::int64_t n, std::int64_t r, std::int64_t i, std::int64_t j, std::int64_t count,
                        const float* from) {
                      float* to = args.dx.data + ((n0 + n) * s.in_channels + first_in + r) * s.pixels() +
                                  phase.y.place(i) * s.width + phase.x.place(j);
                      for (std::int64_t k = 0; k < count; ++k) to[k * s.stride_width] = from[k];
                    });
      }
    }
  });
}

void conv2d_backward_weights(const Context&, const Conv2dBackwardWeightsArgs& args) {
  const ConvShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
  const std::int64_t depth = s.group_in() * s.taps();
  const std::int64_t all = s.batch * s.out_pixels();
  Pieces pieces(args.workspace.data);
  const WeightMemory memory(pieces, s);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    std::fill_n(memory.sums, depth * s.group_out(), 0.0f);
    for (std::int64_t first = 0; first < all; first += kWeightPixels) {
      const std::int64_t last = std::min(all, first + kWeightPixels);
      take_gradients(s, args.dy.data, group, first, last, memory.dy);
      GemmArgs product{.transpose_b = Transpose::kYes,
                       .n = s.group_out(),
                       .k = last - first,
                       .a = memory.columns,
                       .lda = kColumnStep,
                       .b = memory.dy,
                       .ldb = kWeightPixels,
                       .beta = 1,
                       .ldc = s.group_out()};
      kernels.pack_b(product, memory.packed);
      for (std::int64_t p0 = 0; p0 < depth; p0 += kColumnRows) {
        product.m = std::min(kColumnRows, depth - p0);
        product.c = memory.sums + p0 * s.group_out();
        for (std::int64_t p = 0; p < product.m; ++p)
          unfold_row(s, args.x.data, group, p0 + p, first, last, memory.columns + p * kColumnStep);
        kernels.gemm_packed(product, memory.packed, gemm_scratch());
      }
    }
    float* dweights = args.dweights.data + group * s.group_out() * depth;
    for (std::int64_t o = 0; o < s.group_out(); ++o)
      for (std::int64_t p = 0; p < depth; ++p) dweights[o * depth + p] += memory.sums[p * s.group_out() + o];
  }
  if (!args.dbias.empty()) add_bias_gradient(s, args.dy.data, args.dbias.data);
}

}  // namespace serval::nn::cpu
