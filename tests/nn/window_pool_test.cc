// Windows over images and sequences: NaN and ties, what stands past a sequence's end, and sequences cut into parts.
#include <cmath>

#include <gtest/gtest.h>

#include "serval/nn/cpu_level.h"
#include "serval/nn/image_pool.h"
#include "serval/nn/network.h"
#include "serval/nn/unfold_steps.h"

#include "tests/support/devices.h"
#include "tests/support/host_ops.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::random_values;
using testing_support::same_bits;
using Values = std::vector<float>;

// Few different numbers, so that there are ties, and some that are none.
Values coarse(std::int64_t count, std::uint32_t which) {
  Values values = random_values(count, which, 3);
  for (float& value : values) value = value > 2.8f ? NAN : std::round(value);
  return values;
}

struct Pooled {
  Values max, average, max_gradient, scattered, average_gradient, global;
  std::vector<std::int32_t> places, global_places;
};
Pooled pool(const Context& context, const PoolShape& s) {
  const Device device = context.device();
  const Tensor x = Tensor::from_host(device, coarse(s.planes * s.pixels(), 1));
  const std::int64_t results = s.planes * s.out_pixels();
  const Tensor dy = Tensor::from_host(device, random_values(results, 2));
  Tensor max(device, {results}), average(device, {results}), global(device, {s.planes});
  Tensor dmax(device, {x.size()}), daverage(device, {x.size()});
  Array<std::int32_t> places(device, {results}), global_places(device, {s.planes});
  run<MaxPool2d>(context, MaxPool2dArgs{s, x.view(), max.view(), places.view()});
  run<MaxPool2dBackward>(context, MaxPool2dBackwardArgs{s, dy.view(), places.view(), dmax.view()});
  Tensor scattered = Tensor::from_host(device, Values(static_cast<std::size_t>(x.size()), 7.0f));
  if (s.apart()) {
    run<MaxPool2dScatter>(context, MaxPool2dScatterArgs{s, dy.view(), places.view(), scattered.view()});
    context.synchronize();
    EXPECT_EQ(scattered.to_host(), dmax.to_host());
  }
  run<AveragePool2d>(context, AveragePool2dArgs{s, x.view(), average.view()});
  run<AveragePool2dBackward>(context, AveragePool2dBackwardArgs{s, dy.view(), daverage.view()});
  run<GlobalPool>(context,
                  GlobalPoolArgs{s.planes, s.pixels(), x.view(), global.view(), global_places.view()});
  context.synchronize();
  return {max.to_host(),      average.to_host(), dmax.to_host(),   scattered.to_host(),
          daverage.to_host(), global.to_host(),  places.to_host(), global_places.to_host()};
}

// The definition: a search that goes on from what is larger, or no number.
std::int32_t place_of_largest(const Values& plane, const PoolShape& s, std::int64_t y0, std::int64_t x0,
                              std::int64_t height, std::int64_t width) {
  float largest = -INFINITY;
  std::int64_t place = -1;
  for (std::int64_t y = std::max<std::int64_t>(y0, 0); y < std::min(y0 + height, s.height); ++y) {
    for (std::int64_t x = std::max<std::int64_t>(x0, 0); x < std::min(x0 + width, s.width); ++x) {
      const float value = plane[static_cast<std::size_t>(y * s.width + x)];
      if (place >= 0 && !(value > largest) && !std::isnan(value)) continue;
      largest = value;
      place = y * s.width + x;
    }
  }
  return static_cast<std::int32_t>(place);
}

std::vector<PoolShape> pool_shapes() {
  return {{.planes = 7,
           .height = 6,
           .width = 9,
           .out_height = 3,
           .out_width = 4,
           .kernel_height = 2,
           .kernel_width = 2,
           .stride_height = 2,
           .stride_width = 2},
          {.planes = 3,
           .height = 13,
           .width = 21,
           .out_height = 7,
           .out_width = 11,
           .kernel_height = 3,
           .kernel_width = 3,
           .stride_height = 2,
           .stride_width = 2,
           .top = 1,
           .left = 1},
          {.planes = 5,
           .height = 4,
           .width = 5,
           .out_height = 5,
           .out_width = 2,
           .kernel_height = 2,
           .kernel_width = 4,
           .stride_height = 1,
           .stride_width = 3,
           .top = 1,
           .left = 2,
           .count_padding = true},
          // Rows of whole vectors and a rest, at strides of two and of one.
          {.planes = 3,
           .height = 5,
           .width = 83,
           .out_height = 2,
           .out_width = 41,
           .kernel_height = 2,
           .kernel_width = 2,
           .stride_height = 2,
           .stride_width = 2},
          {.planes = 2,
           .height = 3,
           .width = 37,
           .out_height = 3,
           .out_width = 37,
           .kernel_height = 3,
           .kernel_width = 3,
           .top = 1,
           .left = 1},
          // Pixels before, between and behind the windows that none sees.
          {.planes = 3,
           .height = 12,
           .width = 15,
           .out_height = 3,
           .out_width = 4,
           .kernel_height = 2,
           .kernel_width = 3,
           .stride_height = 4,
           .stride_width = 4,
           .top = 1,
           .left = 2},
          {.planes = 1, .height = 1, .width = 1, .out_height = 1, .out_width = 1}};
}

class WindowPoolTest : public testing_support::DeviceTest {};

TEST_P(WindowPoolTest, TheFirstOfEqualsAndANanBeforeAnyNumber) {
  const Context context(device());
  for (const PoolShape& s : pool_shapes()) {
    const Pooled got = pool(context, s);
    const Values x = coarse(s.planes * s.pixels(), 1);
    for (std::int64_t p = 0; p < s.planes; ++p) {
      const Values plane(x.begin() + p * s.pixels(), x.begin() + (p + 1) * s.pixels());
      EXPECT_EQ(got.global_places[static_cast<std::size_t>(p)],
                place_of_largest(plane, s, 0, 0, s.height, s.width));
      for (std::int64_t r = 0; r < s.out_pixels(); ++r) {
        const std::int64_t y0 = r / s.out_width * s.stride_height - s.top;
        const std::int64_t x0 = r % s.out_width * s.stride_width - s.left;
        const std::int32_t place = place_of_largest(plane, s, y0, x0, s.kernel_height, s.kernel_width);
        const auto index = static_cast<std::size_t>(p * s.out_pixels() + r);
        ASSERT_EQ(got.places[index], place);
        ASSERT_TRUE(same_bits({got.max[index]}, {plane[static_cast<std::size_t>(place)]}));
      }
    }
  }
}

SERVAL_DEVICE_TESTS(WindowPoolTest);

TEST(WindowPoolKernels, GiveTheBitsOfTheCpu) {
  for (const PoolShape& s : pool_shapes()) {
    const Pooled cpu = pool(Context(), s);
    const testing_support::PortableOpsAsKernels kernels;
    const Pooled gpu = pool(Context(), s);
    EXPECT_TRUE(same_bits(cpu.max, gpu.max) && same_bits(cpu.average, gpu.average) &&
                same_bits(cpu.max_gradient, gpu.max_gradient) && same_bits(cpu.scattered, gpu.scattered) &&
                same_bits(cpu.average_gradient, gpu.average_gradient) && same_bits(cpu.global, gpu.global));
    EXPECT_EQ(cpu.places, gpu.places);
    EXPECT_EQ(cpu.global_places, gpu.global_places);
  }
}

TEST(WindowPoolLevels, GiveTheSameBits) {
  const CpuLevel before = cpu_level();
  for (const PoolShape& s : pool_shapes()) {
    set_cpu_level(CpuLevel::kBaseline);
    const Pooled plain = pool(Context(), s);
    for (const CpuLevel level : {CpuLevel::kAvx2, CpuLevel::kAvx512}) {
      if (!cpu_level_supported(level)) continue;
      set_cpu_level(level);
      const Pooled got = pool(Context(), s);
      EXPECT_TRUE(same_bits(plain.max, got.max));
      EXPECT_EQ(plain.places, got.places);
    }
  }
  set_cpu_level(before);
}

// One network on [time, batch, feature] with these lengths: y and dx of each sequence by itself, end to end.
struct Traced {
  std::vector<Values> y, dx;
};
Traced trace(const std::string& layer, std::int64_t feature, std::int64_t time,
             const std::vector<std::int32_t>& lengths, const std::vector<Values>& sequences,
             float past_the_end) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const NetworkSettings settings = testing_support::network_of(
      cat(R"({"inputs": {"s": {"kind": "sequence", "shape": )", feature, R"(}}, "layers": [)", layer, "]}"));
  NetworkSizes sizes = declared_sizes(settings);
  sizes.max_batch = batch;
  sizes.inputs[0].max_time = time;
  const Context context;
  Network network(context, settings, sizes);
  network.initialise(3, 0);
  Values x(static_cast<std::size_t>(time * batch * feature), past_the_end);
  const auto each = [&](Values& all, std::vector<Values>& parts, std::int64_t width, const Values& steps,
                        auto body) {
    for (std::size_t b = 0; b < parts.size(); ++b) {
      for (std::int64_t t = 0; t < static_cast<std::int64_t>(steps[b]); ++t) {
        for (std::int64_t f = 0; f < width; ++f)
          body(all[static_cast<std::size_t>((t * batch + static_cast<std::int64_t>(b)) * width + f)],
               parts[b][static_cast<std::size_t>(t * width + f)]);
      }
    }
  };
  std::vector<Values> given = sequences;
  const Values steps(lengths.begin(), lengths.end());
  each(x, given, feature, steps, [](float& all, float& part) { all = part; });
  const Tensor in = Tensor::from_host({}, x, {time, batch, feature});
  const auto device_lengths = Array<std::int32_t>::from_host({}, lengths);
  Batch one{.size = batch, .inputs = {{in.view(), time, device_lengths.view(), lengths.data()}}};
  const ConstTensorView y = network.forward(context, one, Mode::kTrain, {});
  const std::int32_t* out_lengths = network.host_lengths("layer0");
  const Values out_steps(out_lengths, out_lengths + batch);
  const std::int64_t width = y.shape[2];
  Traced out;
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    out.y.emplace_back(static_cast<std::size_t>(out_lengths[b] * width));
    out.dx.emplace_back(static_cast<std::size_t>(lengths[b] * feature));
  }
  Values all_y(y.data, y.data + y.size());
  each(all_y, out.y, width, out_steps, [](float& all, float& part) { part = all; });
  Values dy(static_cast<std::size_t>(y.size()), 0.0f);
  std::vector<Values> upstream = out.y;  // any numbers that go with the sequence
  each(dy, upstream, width, out_steps, [](float& all, float& part) { all = part; });
  Tensor dx({}, {in.size()});
  const TensorView dx_view = dx.view();
  const Tensor gradient = Tensor::from_host({}, dy, y.shape);
  const ConstTensorView gradient_view = gradient.view();
  network.backward(context, one, std::span(&gradient_view, 1), std::span(&dx_view, 1));
  Values all_dx = dx.to_host();
  each(all_dx, out.dx, feature, steps, [](float& all, float& part) { part = all; });
  for (std::size_t i = 0; i < all_dx.size(); ++i) {
    const auto b = static_cast<std::size_t>(static_cast<std::int64_t>(i) / feature % batch);
    if (static_cast<std::int64_t>(i) / feature / batch >= lengths[b])
      EXPECT_EQ(all_dx[i], 0) << "past the end";
  }
  return out;
}

// Long enough that conv1d cuts them into parts when they are together, and not alone.
TEST(StepWindows, SequencesDoNotDependOnTheirBatchOrWhatStandsPastTheirEnd) {
  const std::vector<std::int32_t> lengths{230, 9, 400, 57};
  constexpr std::int64_t kFeature = 64;
  std::vector<Values> sequences;
  for (std::size_t b = 0; b < lengths.size(); ++b)
    sequences.push_back(random_values(lengths[b] * kFeature, static_cast<std::uint32_t>(b)));
  for (
      const char* layer :
      {R"({"type": "conv1d", "channels": 6, "kernel": 5, "padding": "same"})",
       R"({"type": "conv1d", "channels": 6, "kernel": 4, "stride": 3, "dilation": 2, "padding": "same"})",
       R"({"type": "conv1d", "channels": 6, "kernel": 5, "groups": 2, "padding": [3, 1], "activation": "tanh"})",
       R"({"type": "max_pool1d", "kernel": 4, "stride": 3, "padding": "same"})",
       R"({"type": "average_pool1d", "kernel": 3, "stride": 2, "padding": 1})"}) {
    SCOPED_TRACE(layer);
    const Traced together = trace(layer, kFeature, 403, lengths, sequences, 0);
    const Traced other = trace(layer, kFeature, 403, lengths, sequences, 1e6f);
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      const Traced alone = trace(layer, kFeature, lengths[b], {lengths[b]}, {sequences[b]}, 0);
      EXPECT_TRUE(same_bits(together.y[b], alone.y[0]) && same_bits(together.dx[b], alone.dx[0])) << b;
      EXPECT_TRUE(same_bits(together.y[b], other.y[b]) && same_bits(together.dx[b], other.dx[b])) << b;
    }
  }
}

}  // namespace
}  // namespace serval::nn
