// The CUDA kernel of segments, run on the host and compared with the CPU's body.
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/settings_io.h"

#include "cuda/features/gather_segments.cuh"
#include "tests/features/gather_segments_fixture.h"

namespace serval::features::cuda {
namespace {

using namespace serval::features::testing_support;
using host_gpu::Order;
using host_gpu::OrderScope;

struct Gathering {
  explicit Gathering(const SegmentCase& given) : table(segment_table(given.index, given.offsets, Device{})) {
    args.image = given.image();
    args.segments = static_cast<std::int64_t>(given.index.segments.size());
    args.values = {given.values.data(), {given.offsets.back(), given.dimension}};
    args.starts = table.starts.view();
    args.real_frames = table.real_frames.view();
    args.frames = table.frames.view();
    args.mean = {given.mean.data(), {given.dimension}};
    args.scale = {given.scale.data(), {given.dimension}};
  }
  template <class Body>
  std::vector<float> run(Body body) {
    const Shape shape = batch_shape(args.image, args.segments);
    std::vector<float> x(static_cast<std::size_t>(shape.size()), NAN);
    args.x = {x.data(), shape};
    body(args);
    return x;
  }

  SegmentTable table;
  GatherSegmentsArgs args;
};

TEST(GatherSegmentsKernel, AgreesWithTheCpuInEveryOrderOfThreads) {
  const Context context;
  int checked = 0;
  for (const ImageSettings& settings : many_settings()) {
    SegmentCase given;
    given.settings = settings;
    SCOPED_TRACE(write_json(settings_to_json(settings)));
    Gathering gathering(given);
    const std::vector<float> expected =
        gathering.run([&](const GatherSegmentsArgs& args) { run<GatherSegments>(context, args); });
    // Blocks of 64 threads, and so few pixels a block that images are made in several parts.
    const auto kernel = [](const GatherSegmentsArgs& args) { gather_segments(nullptr, args, 64, 24); };
    const std::vector<float> out = gathering.run(kernel);
    ASSERT_EQ(out.size(), expected.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      // Sums are taken in another order; everything else is the same arithmetic.
      if (settings.scaling == Scaling::kStandardise) {
        ASSERT_NEAR(out[i], expected[i], 1e-6 + 1e-6 * std::abs(expected[i])) << i;
      } else {
        ASSERT_EQ(out[i], expected[i]) << i;
      }
    }
    if (checked++ % 3 != 0) continue;  // threads as fibers take their time
    for (const Order order : {Order::kReverse, Order::kEvenThenOdd}) {
      const OrderScope scope(order);
      const std::vector<float> again = gathering.run(kernel);
      ASSERT_EQ(std::memcmp(again.data(), out.data(), out.size() * sizeof(float)), 0);
    }
  }
}

TEST(GatherSegmentsKernel, NoSegmentsIsNoLaunch) {
  SegmentCase given;
  given.index.segments.clear();
  given.index.offsets.assign(given.offsets.size(), 0);
  Gathering gathering(given);
  EXPECT_TRUE(gathering.run([](const GatherSegmentsArgs& args) { gather_segments(nullptr, args); }).empty());
}

}  // namespace
}  // namespace serval::features::cuda
