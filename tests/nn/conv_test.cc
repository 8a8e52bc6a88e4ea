// Convolution of images against plain loops in double precision, on every device, instruction set and path.
#include "serval/nn/conv.h"

#include <gtest/gtest.h>

#include "serval/nn/unfold.h"

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/host_ops.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::random_values;
using testing_support::same_bits;
using Values = std::vector<float>;

// What each weight joins: body(input, weight, output), all as indices.
template <class Body>
void for_each_product(const ConvShape& s, Body body) {
  std::int64_t y = 0;
  for (std::int64_t n = 0; n < s.batch; ++n) {
    for (std::int64_t o = 0; o < s.out_channels; ++o) {
      for (std::int64_t i = 0; i < s.out_height(); ++i) {
        for (std::int64_t j = 0; j < s.out_width(); ++j, ++y) {
          for (std::int64_t c = 0; c < s.group_in(); ++c) {
            for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
              const std::int64_t row = i * s.stride_height + tap / s.kernel_width * s.dilation_height - s.top;
              const std::int64_t column =
                  j * s.stride_width + tap % s.kernel_width * s.dilation_width - s.left;
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              const std::int64_t channel = n * s.in_channels + o / s.group_out() * s.group_in() + c;
              body(static_cast<std::size_t>((channel * s.height + row) * s.width + column),
                   static_cast<std::size_t>((o * s.group_in() + c) * s.taps() + tap),
                   static_cast<std::size_t>(y));
            }
          }
        }
      }
    }
  }
}

struct Problem {
  ConvShape shape;
  Values x, w, b, dy;
  explicit Problem(const ConvShape& s)
      : shape(s),
        x(random_values(s.input_size(), 1)),
        w(random_values(s.weight_size(), 2)),
        b(random_values(s.out_channels, 3)),
        dy(random_values(s.output_size(), 4)) {}
};

struct Results {
  Values y, dx, dw, db;
};

Results expected(const Problem& p) {
  const ConvShape& s = p.shape;
  std::vector<double> y(p.dy.size()), dx(p.x.size()), dw(p.w.size(), 1.0), db(p.b.size(), 2.0);
  for_each_product(s, [&](std::size_t in, std::size_t weight, std::size_t out) {
    y[out] += static_cast<double>(p.x[in]) * static_cast<double>(p.w[weight]);
    dx[in] += static_cast<double>(p.dy[out]) * static_cast<double>(p.w[weight]);
    dw[weight] += static_cast<double>(p.dy[out]) * static_cast<double>(p.x[in]);
  });
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto o = i / static_cast<std::size_t>(s.out_pixels()) % static_cast<std::size_t>(s.out_channels);
    y[i] = std::max(y[i] + static_cast<double>(p.b[o]), 0.0);
    db[o] += static_cast<double>(p.dy[i]);
  }
  return {{y.begin(), y.end()}, {dx.begin(), dx.end()}, {dw.begin(), dw.end()}, {db.begin(), db.end()}};
}

Results compute(const Context& context, const Problem& p, bool unfolded = false) {
  const Device device = context.device();
  const ConvShape& s = p.shape;
  const Tensor x = Tensor::from_host(device, p.x);
  const Tensor w = Tensor::from_host(device, p.w);
  const Tensor b = Tensor::from_host(device, p.b);
  const Tensor dy = Tensor::from_host(device, p.dy);
  // Whatever a call leaves unwritten is seen.
  Tensor y = Tensor::from_host(device, Values(p.dy.size(), NAN));
  Tensor dx = Tensor::from_host(device, Values(p.x.size(), NAN));
  Tensor dw = Tensor::from_host(device, Values(p.w.size(), 1.0f));
  Tensor db = Tensor::from_host(device, Values(p.b.size(), 2.0f));
  const std::int64_t floats =
      unfolded ? unfolded_conv2d_workspace_size(s) : conv2d_workspace_size(context, s, true);
  Tensor workspace = Tensor::from_host(device, Values(static_cast<std::size_t>(floats), NAN));
  const Conv2dForwardArgs forward{.shape = s,
                                  .x = x.view(),
                                  .weights = w.view(),
                                  .bias = b.view(),
                                  .y = y.view(),
                                  .activation = Activation::kRelu,
                                  .workspace = workspace.view()};
  const Conv2dBackwardWeightsArgs weights{.shape = s,
                                          .x = x.view(),
                                          .dy = dy.view(),
                                          .dweights = dw.view(),
                                          .dbias = db.view(),
                                          .workspace = workspace.view()};
  const Conv2dBackwardInputArgs input{
      .shape = s, .dy = dy.view(), .weights = w.view(), .dx = dx.view(), .workspace = workspace.view()};
  if (unfolded) {
    unfolded_conv2d_forward(context, forward);
    unfolded_conv2d_backward_weights(context, weights);
    unfolded_conv2d_backward_input(context, input);
  } else {
    conv2d_forward(context, forward);
    conv2d_backward_weights(context, weights);
    conv2d_backward_input(context, input);
  }
  context.synchronize();
  return {y.to_host(), dx.to_host(), dw.to_host(), db.to_host()};
}

// Of one term. cuDNN may choose a transform (Winograd's or Fourier's), which rounds more.
double rounding(const Context& context) { return context.on_cuda() ? 4e-6 : 1e-6; }

void expect_results(const Results& got, const Results& want, const ConvShape& s, double rounding = 1e-6) {
  const auto near = [&](const Values& a, const Values& b, std::int64_t terms, const char* what) {
    ASSERT_EQ(a.size(), b.size());
    const double tolerance = rounding * (4 + std::sqrt(static_cast<double>(terms)));
    for (std::size_t i = 0; i < a.size(); ++i)
      ASSERT_NEAR(a[i], b[i], tolerance) << what << "[" << i << "] of " << to_string(s);
  };
  near(got.y, want.y, s.group_in() * s.taps(), "y");
  near(got.dx, want.dx, s.group_out() * s.taps(), "dx");
  near(got.dw, want.dw, 4 * s.batch * s.out_pixels(), "dw");
  near(got.db, want.db, 4 * s.batch * s.out_pixels(), "db");
}

// Beyond what one block, tile or chunk of the bodies holds, in every direction; and as small as can be.
std::vector<ConvShape> shapes() {
  std::vector<ConvShape> out;
  const auto add = [&](ConvShape s) { out.push_back(s); };
  add({.batch = 1, .in_channels = 1, .height = 1, .width = 1, .out_channels = 1});
  add({.batch = 2,
       .in_channels = 1,
       .height = 40,
       .width = 33,
       .out_channels = 20,
       .kernel_height = 3,
       .kernel_width = 3,
       .top = 1,
       .bottom = 1,
       .left = 1,
       .right = 1});
  add({.batch = 3,
       .in_channels = 33,
       .height = 6,
       .width = 7,
       .out_channels = 150,
       .kernel_height = 3,
       .kernel_width = 3,
       .top = 1,
       .bottom = 1,
       .left = 1,
       .right = 1});
  add({.batch = 70, .in_channels = 5, .height = 3, .width = 3, .out_channels = 7});
  // More images than are laid out together, and the last ones are fewer.
  add({.batch = 150,
       .in_channels = 33,
       .height = 6,
       .width = 7,
       .out_channels = 2,
       .kernel_height = 3,
       .kernel_width = 3,
       .top = 1,
       .bottom = 1,
       .left = 1,
       .right = 1});
  add({.batch = 9,
       .in_channels = 4,
       .height = 4,
       .width = 5,
       .out_channels = 6,
       .kernel_height = 2,
       .kernel_width = 4,
       .stride_height = 2,
       .top = 1,
       .bottom = 2,
       .left = 0,
       .right = 3});
  add({.batch = 2,
       .in_channels = 6,
       .height = 17,
       .width = 19,
       .out_channels = 9,
       .kernel_height = 5,
       .kernel_width = 3,
       .stride_height = 3,
       .stride_width = 2,
       .dilation_height = 2,
       .dilation_width = 3,
       .top = 4,
       .bottom = 1,
       .left = 2,
       .right = 5,
       .groups = 3});
  add({.batch = 2,
       .in_channels = 3,
       .height = 5,
       .width = 4,
       .out_channels = 2,
       .kernel_height = 1,
       .kernel_width = 1,
       .stride_height = 4,
       .stride_width = 3,
       .top = 6,
       .bottom = 5,
       .left = 7,
       .right = 8});
  add({.batch = 2,
       .in_channels = 8,
       .height = 9,
       .width = 9,
       .out_channels = 8,
       .kernel_height = 3,
       .kernel_width = 3,
       .stride_height = 2,
       .stride_width = 2,
       .top = 1,
       .bottom = 1,
       .left = 1,
       .right = 1,
       .groups = 8});
  add({.batch = 1,
       .in_channels = 2,
       .height = 2,
       .width = 700,
       .out_channels = 3,
       .kernel_height = 2,
       .kernel_width = 9,
       .left = 4,
       .right = 4});
  return out;
}

class ConvTest : public testing_support::DeviceTest {};

TEST_P(ConvTest, IsThatOfPlainLoops) {
  const Context context(device());
  for (const ConvShape& s : shapes()) {
    const Problem problem(s);
    const Results want = expected(problem);
    testing_support::for_each_level(
        device(), [&] { expect_results(compute(context, problem), want, s, rounding(context)); });
    expect_results(compute(context, problem, true), want, s);
  }
}

TEST_P(ConvTest, ImagesDoNotDependOnTheirBatch) {
  const Context context(device());
  for (ConvShape s : shapes()) {
    const Problem all(s);
    const Results together = compute(context, all);
    s.batch = 1;
    Problem last(s);
    const auto tail = [](Values& to, const Values& from) {
      std::copy(from.end() - static_cast<std::ptrdiff_t>(to.size()), from.end(), to.begin());
    };
    tail(last.x, all.x);
    tail(last.dy, all.dy);
    const Results alone = compute(context, last);
    Values y(alone.y.size());
    Values dx(alone.dx.size());
    tail(y, together.y);
    tail(dx, together.dx);
    EXPECT_TRUE(same_bits(alone.y, y)) << to_string(s);
    EXPECT_TRUE(same_bits(alone.dx, dx)) << to_string(s);
  }
}

TEST_P(ConvTest, WrongSizesAreRefused) {
  const Context context(device());
  const ConvShape good{.batch = 1, .in_channels = 2, .height = 4, .width = 4, .out_channels = 2};
  ConvShape grouped = good;
  grouped.groups = 3;
  EXPECT_THROW(conv2d_workspace_size(context, grouped, true), InternalError);
  ConvShape small = good;
  small.kernel_height = 5;
  EXPECT_THROW(conv2d_workspace_size(context, small, true), InternalError);
  Tensor x(device(), {32}), weights(device(), {5}), y(device(), {32});
  Tensor workspace(device(), {conv2d_workspace_size(context, good, false)});
  const Conv2dForwardArgs args{.shape = good,
                               .x = x.view(),
                               .weights = weights.view(0, {4}),
                               .bias = {},
                               .y = y.view(),
                               .workspace = workspace.view()};
  EXPECT_NO_THROW(conv2d_forward(context, args));
  Conv2dForwardArgs wrong = args;
  wrong.weights = weights.view();
  EXPECT_THROW(conv2d_forward(context, wrong), InternalError);
  if (workspace.size() > 0) {  // cuDNN has its own
    wrong = args;
    wrong.workspace.shape = {workspace.size() - 1};
    EXPECT_THROW(conv2d_forward(context, wrong), InternalError);
  }
  wrong = args;
  wrong.activation = Activation::kGelu;
  EXPECT_THROW(conv2d_forward(context, wrong), InternalError);
}

// What a device does that pads opposite sides alike: the same products, only with zeros that are there.
void expect_padding_is_zeros(const Context& context) {
  for (const ConvShape& s : shapes()) {
    ConvShape bare = s;
    bare.height += s.top + s.bottom;
    bare.width += s.left + s.right;
    bare.top = bare.bottom = bare.left = bare.right = 0;
    PadImagesArgs args{.planes = s.batch * s.in_channels,
                       .height = s.height,
                       .width = s.width,
                       .padded_height = bare.height,
                       .padded_width = bare.width,
                       .top = s.top,
                       .left = s.left};
    const Problem problem(s);
    const Results want = expected(problem);
    Problem around(bare);
    around.dy = problem.dy;
    const Tensor x = Tensor::from_host(context.device(), problem.x);
    Tensor padded(context.device(), {bare.input_size()});
    args.from = x.view();
    args.to = padded.view();
    run<PadImages>(context, args);
    context.synchronize();
    around.x = padded.to_host();
    Results got = compute(context, around);
    const Tensor dx = Tensor::from_host(context.device(), got.dx);
    Tensor cropped(context.device(), {s.input_size()});
    args.from = dx.view();
    args.to = cropped.view();
    args.crop = true;
    run<PadImages>(context, args);
    context.synchronize();
    got.dx = cropped.to_host();
    expect_results(got, want, s, rounding(context));
  }
}
TEST_P(ConvTest, PaddingIsZerosAround) { expect_padding_is_zeros(Context(device())); }

SERVAL_DEVICE_TESTS(ConvTest);

TEST(ConvKernels, PaddingIsZerosAround) {
  const testing_support::PortableOpsAsKernels kernels;
  expect_padding_is_zeros(Context());
}

TEST(ConvKernels, UnfoldedOnTheKernelsOfAGpu) {
  const testing_support::PortableOpsAsKernels kernels;
  const Context context;
  for (const ConvShape& s : shapes()) {
    const Problem problem(s);
    expect_results(compute(context, problem, true), expected(problem), s);
  }
}

TEST(ConvLevels, Avx2AndAvx512GiveTheSameBits) {
  if (!cpu_level_supported(CpuLevel::kAvx512)) GTEST_SKIP() << "this processor lacks AVX-512";
  const CpuLevel before = cpu_level();
  const Context context;
  for (const ConvShape& s : shapes()) {
    const Problem problem(s);
    set_cpu_level(CpuLevel::kAvx2);
    const Results a = compute(context, problem);
    set_cpu_level(CpuLevel::kAvx512);
    const Results b = compute(context, problem);
    EXPECT_TRUE(same_bits(a.y, b.y) && same_bits(a.dx, b.dx) && same_bits(a.dw, b.dw) &&
                same_bits(a.db, b.db))
        << to_string(s);
  }
  set_cpu_level(before);
}

}  // namespace
}  // namespace serval::nn
