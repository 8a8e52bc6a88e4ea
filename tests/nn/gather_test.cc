#include "serval/nn/gather.h"

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::random_values;

class GatherTest : public testing_support::DeviceTest {};

TEST_P(GatherTest, TakesEachRecordingNormalisedAndPadsWithZero) {
  const Context context(device());
  const std::vector<float> values = random_values(30 * 7, 1, 10);
  const std::vector<std::int64_t> starts{12, 0, 25, 12};  // a recording may come twice
  const std::vector<std::int32_t> lengths{8, 12, 5, 1};
  const std::vector<float> mean = random_values(7, 2);
  const std::vector<float> scale = random_values(7, 3, 2);
  const Tensor device_values = Tensor::from_host(device(), values, {30, 7});
  const auto device_starts = Array<std::int64_t>::from_host(device(), starts);
  const auto device_lengths = Array<std::int32_t>::from_host(device(), lengths);
  const Tensor device_mean = Tensor::from_host(device(), mean);
  const Tensor device_scale = Tensor::from_host(device(), scale);
  Tensor x = Tensor::from_host(device(), random_values(14 * 4 * 7, 4), {14, 4, 7});
  GatherArgs args;
  args.time = 14;
  args.batch = 4;
  args.feature = 7;
  args.values = device_values.view();
  args.starts = device_starts.view();
  args.lengths = device_lengths.view();
  args.mean = device_mean.view();
  args.scale = device_scale.view();
  args.x = x.view();
  run<GatherSequences>(context, args);
  context.synchronize();

  std::vector<double> expected(14 * 4 * 7, 0.0);
  for (std::size_t b = 0; b < 4; ++b) {
    for (std::size_t t = 0; t < static_cast<std::size_t>(lengths[b]); ++t) {
      for (std::size_t f = 0; f < 7; ++f) {
        const float value = values[(static_cast<std::size_t>(starts[b]) + t) * 7 + f];
        expected[(t * 4 + b) * 7 + f] = (static_cast<double>(value) - mean[f]) * scale[f];
      }
    }
  }
  expect_close(x.to_host(), expected, 1e-6, 1e-6, {14, 4, 7});
}

TEST_P(GatherTest, TakesItemsBehindTheStoreFromMoreValues) {
  const Context context(device());
  const std::vector<float> values = random_values(30 * 7, 1, 10);
  const std::vector<std::int64_t> starts{12, 18, 25, 17};  // 18 frames, then 12 more

  const std::vector<std::int32_t> lengths{6, 12, 5, 1};
  const std::vector<float> mean = random_values(7, 2);
  const std::vector<float> scale = random_values(7, 3, 2);
  const auto split = values.begin() + 18 * 7;
  const Tensor device_values =
      Tensor::from_host(device(), std::vector<float>(values.begin(), split), {18, 7});
  const Tensor device_more = Tensor::from_host(device(), std::vector<float>(split, values.end()), {12, 7});
  const auto device_starts = Array<std::int64_t>::from_host(device(), starts);
  const auto device_lengths = Array<std::int32_t>::from_host(device(), lengths);
  const Tensor device_mean = Tensor::from_host(device(), mean);
  const Tensor device_scale = Tensor::from_host(device(), scale);
  Tensor x = Tensor::from_host(device(), random_values(14 * 4 * 7, 4), {14, 4, 7});
  GatherArgs args;
  args.time = 14;
  args.batch = 4;
  args.feature = 7;
  args.values = device_values.view();
  args.more_values = device_more.view();
  args.starts = device_starts.view();
  args.lengths = device_lengths.view();
  args.mean = device_mean.view();
  args.scale = device_scale.view();
  args.x = x.view();
  run<GatherSequences>(context, args);
  context.synchronize();

  std::vector<double> expected(14 * 4 * 7, 0.0);
  for (std::size_t b = 0; b < 4; ++b) {
    for (std::size_t t = 0; t < static_cast<std::size_t>(lengths[b]); ++t) {
      for (std::size_t f = 0; f < 7; ++f) {
        const float value = values[(static_cast<std::size_t>(starts[b]) + t) * 7 + f];
        expected[(t * 4 + b) * 7 + f] = (static_cast<double>(value) - mean[f]) * scale[f];
      }
    }
  }
  expect_close(x.to_host(), expected, 1e-6, 1e-6, {14, 4, 7});
}

SERVAL_DEVICE_TESTS(GatherTest);

TEST(GatherOnCpu, FramesOutsideTheStoreAreCaught) {
  const Context context;
  const std::vector<float> values(10);
  const std::vector<float> one(1, 1.0f);
  std::vector<float> x(4);
  const auto gather = [&](std::int64_t start, std::int32_t length) {
    GatherArgs args;
    args.time = 4;
    args.batch = args.feature = 1;
    args.values = {values.data(), {10, 1}};
    args.starts = {&start, {1}};
    args.lengths = {&length, {1}};
    args.mean = args.scale = {one.data(), {1}};
    args.x = {x.data(), {4, 1, 1}};
    run<GatherSequences>(context, args);
  };
  EXPECT_NO_THROW(gather(6, 4));
  EXPECT_THROW(gather(7, 4), InternalError);
  EXPECT_THROW(gather(-1, 4), InternalError);
  EXPECT_THROW(gather(0, 5), InternalError);
  EXPECT_THROW(gather(0, 0), InternalError);
}

TEST(GatherOnCpu, NoItemReachesIntoMoreValuesOrBeyondThem) {
  const Context context;
  const std::vector<float> values(10), more(5), one(1, 1.0f);
  std::vector<float> x(4);
  const auto gather = [&](std::int64_t start, std::int32_t length) {
    GatherArgs args;
    args.time = 4;
    args.batch = args.feature = 1;
    args.values = {values.data(), {10, 1}};
    args.more_values = {more.data(), {5, 1}};
    args.starts = {&start, {1}};
    args.lengths = {&length, {1}};
    args.mean = args.scale = {one.data(), {1}};
    args.x = {x.data(), {4, 1, 1}};
    run<GatherSequences>(context, args);
  };
  EXPECT_NO_THROW(gather(6, 4));
  EXPECT_NO_THROW(gather(10, 4));
  EXPECT_NO_THROW(gather(11, 4));
  EXPECT_THROW(gather(9, 2), InternalError);
  EXPECT_THROW(gather(12, 4), InternalError);
}

}  // namespace
}  // namespace serval::nn
