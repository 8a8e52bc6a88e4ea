#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/segment_image.h"

#include "tests/features/gather_segments_fixture.h"
#include "tests/support/devices.h"
#include "tests/support/expect_close.h"

namespace serval::features {
namespace {

using namespace testing_support;
using serval::testing_support::expect_close;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> gather(const SegmentCase& given, const SegmentImage& image, const Device& device,
                          int threads = 1) {
  const Context context(device, threads);
  const SegmentTable table = segment_table(given.index, given.offsets, device);
  const auto segments = static_cast<std::int64_t>(given.index.segments.size());
  const Tensor values = Tensor::from_host(device, given.values, {given.offsets.back(), given.dimension});
  const Tensor mean = Tensor::from_host(device, given.mean);
  const Tensor scale = Tensor::from_host(device, given.scale);
  const Shape shape = batch_shape(image, segments);
  Tensor x =
      Tensor::from_host(device, std::vector<float>(static_cast<std::size_t>(shape.size()), NAN), shape);
  GatherSegmentsArgs args;
  args.image = image;
  args.segments = segments;
  args.values = values.view();
  args.starts = table.starts.view();
  args.real_frames = table.real_frames.view();
  args.frames = table.frames.view();
  args.mean = mean.view();
  args.scale = scale.view();
  args.x = x.view();
  run<GatherSegments>(context, args);
  context.synchronize();
  return x.to_host();
}
std::vector<float> gather(const SegmentCase& given, const Device& device) {
  return gather(given, given.image(), device);
}

class GatherSegmentsTest : public serval::testing_support::DeviceTest {};

TEST_P(GatherSegmentsTest, AgreesWithASecondVersion) {
  for (const ImageSettings& settings : many_settings()) {
    SegmentCase given;
    given.settings = settings;
    SCOPED_TRACE(write_json(settings_to_json(settings)));
    const SegmentImage image = given.image();
    const auto segments = static_cast<std::int64_t>(given.index.segments.size());
    expect_close(gather(given, device()), naive_gather(given),
                 settings.scaling == Scaling::kMinMax255 ? 3e-4 : 5e-6, 1e-6, batch_shape(image, segments));
  }
}

TEST_P(GatherSegmentsTest, MinMaxStaysInItsRangeAndAConstantChannelIsZero) {
  SegmentCase given;
  given.settings.channels = 3;
  given.settings.resize = Resize::kBilinear;
  given.settings.height = given.settings.width = 37;
  given.settings.scaling = Scaling::kMinMax255;
  given.settings.pad_value = PadValue::kEdge;
  for (std::size_t i = 0; i < given.values.size(); ++i) {
    if (i % 6 == 2 || i % 6 == 3) given.values[i] = -7;  // the second of three channels
  }
  given.mean[2] = given.mean[3] = 0;
  given.scale[2] = given.scale[3] = 1;
  const std::vector<float> x = gather(given, device());
  const std::size_t pixels = 37 * 37;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i / pixels % 3 == 1) {
      EXPECT_EQ(x[i], 0);
    } else {
      EXPECT_GE(x[i], 0);
      EXPECT_LE(x[i], 255.0001f);
    }
  }
}

// Segments whose shift is their length, one behind the other, are the recordings again.
TEST_P(GatherSegmentsTest, SegmentsWithoutOverlapJoinToTheRecording) {
  SegmentCase given;
  given.mean.assign(6, 0);
  given.scale.assign(6, 1);
  given.settings.layout = Layout::kTimeBandChannel;
  for (const std::int64_t length : {1, 2, 3, 4, 13}) {
    SegmentSettings cuts;
    cuts.segment_frames = {given.frames = length};
    cuts.shift_frames = {length};
    given.index = plan_segments(given.offsets, cuts);
    const std::vector<float> x = gather(given, device());
    std::vector<float> joined;
    for (std::size_t s = 0; s < given.index.segments.size(); ++s) {
      const float* const begin = x.data() + s * static_cast<std::size_t>(length * 6);
      joined.insert(joined.end(), begin, begin + given.index.segments[s].real_frames * 6);
    }
    EXPECT_EQ(joined, given.values) << length;
  }
}

TEST_P(GatherSegmentsTest, WholeRecordingsFitOneLength) {
  SegmentCase given;
  for (const Fit fit : {Fit::kPadOrCut, Fit::kNearest, Fit::kNearestExact, Fit::kBilinear}) {
    const FitSettings settings{11, fit};
    given.index = plan_whole(given.offsets, settings);
    given.frames = 11;
    const SegmentImage image = fitted_image(ImageSettings{}, 6, settings);
    given.settings = ImageSettings{};
    given.settings.resize = image.resize;
    given.settings.width = 11;
    EXPECT_EQ(image.height, 6);
    EXPECT_EQ(image.width, 11);
    expect_close(gather(given, image, device()), naive_gather(given), 5e-6, 1e-6, Shape{4, 1, 6, 11});
  }
}

TEST_P(GatherSegmentsTest, StretchedRecordingsFillTheirSegment) {
  SegmentCase given;
  SegmentSettings cuts;
  cuts.segment_frames = {6};
  cuts.shift_frames = {6};
  cuts.short_recordings = ShortRecording::kStretch;
  given.index = plan_segments(given.offsets, cuts);
  given.frames = 6;
  given.settings.resize = Resize::kBilinear;
  const SegmentImage image = given.image();
  EXPECT_EQ(image.width, 6);
  const auto segments = static_cast<std::int64_t>(given.index.segments.size());
  expect_close(gather(given, device()), naive_gather(given), 5e-6, 1e-6, batch_shape(image, segments));
}

TEST_P(GatherSegmentsTest, GivesTheSameBitsTwiceAndOnEveryNumberOfThreads) {
  for (const ImageSettings& settings : many_settings()) {
    SegmentCase given;
    given.settings = settings;
    const std::vector<float> once = gather(given, given.image(), device(), 1);
    const std::vector<float> again = gather(given, given.image(), device(), 3);
    ASSERT_EQ(std::memcmp(once.data(), again.data(), once.size() * sizeof(float)), 0);
  }
}

TEST_P(GatherSegmentsTest, ResizesAsPyTorch) {
  const std::string path = std::string(SERVAL_SOURCE_DIR) + "/tests/golden/features/resize.json";
  const JsonValue golden = parse_json(read_text(path), path);
  const std::vector<std::string> names{"none", "nearest", "nearest_exact", "bilinear", "bilinear_corners"};
  int cases = 0;
  for (const JsonValue& item : golden.find("cases")->items) {
    const std::int64_t bands = item.find("source")->items[0].integer;
    const std::int64_t frames = item.find("source")->items[1].integer;
    SegmentCase given;
    given.dimension = bands;
    given.offsets = {0, frames};
    given.index = plan_whole(given.offsets, {frames, Fit::kPadOrCut});
    given.values.clear();
    for (std::int64_t w = 0; w < frames; ++w) {
      for (std::int64_t h = 0; h < bands; ++h)
        given.values.push_back(static_cast<float>((37 * h + 11 * w + h * w) % 101) / 50.0f - 1);
    }
    given.mean.assign(static_cast<std::size_t>(bands), 0);
    given.scale.assign(static_cast<std::size_t>(bands), 1);
    const std::string method = item.find("method")->text;
    given.settings.resize =
        static_cast<Resize>(std::find(names.begin(), names.end(), method) - names.begin());
    given.settings.height = item.find("size")->items[0].integer;
    given.settings.width = item.find("size")->items[1].integer;
    std::vector<double> expected;
    for (const JsonValue& value : item.find("values")->items) expected.push_back(value.real);
    SCOPED_TRACE(
        cat(method, " ", bands, " x ", frames, " to ", given.settings.height, " x ", given.settings.width));
    expect_close(gather(given, segment_image(given.settings, bands, frames), device()), expected, 3e-7, 0,
                 Shape{given.settings.height, given.settings.width});
    ++cases;
  }
  EXPECT_EQ(cases, 32);
}

SERVAL_DEVICE_TESTS(GatherSegmentsTest);

TEST(SegmentImages, SizesAndShapesFollowTheSettings) {
  ImageSettings s;
  s.channels = 3;
  EXPECT_EQ(batch_shape(segment_image(s, 192, 32), 5), (Shape{5, 3, 64, 32}));
  s.layout = Layout::kChannelTimeBand;
  EXPECT_EQ(batch_shape(segment_image(s, 192, 32), 5), (Shape{5, 3, 32, 64}));
  s.resize = Resize::kBilinear;
  s.height = 227;
  s.width = 224;
  s.layout = Layout::kBandTimeChannel;
  EXPECT_EQ(batch_shape(segment_image(s, 192, 32), 5), (Shape{5, 227, 224, 3}));
  s.layout = Layout::kTimeBandChannel;
  EXPECT_EQ(batch_shape(segment_image(s, 192, 32), 5), (Shape{5, 224, 227, 3}));
}

std::string config_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SegmentImages, WhatCannotBeIsNamed) {
  ImageSettings s;
  s.channels = 3;
  EXPECT_THAT(config_error([&] { segment_image(s, 65, 32); }),
              HasSubstr("65 columns cannot be split into 3 channels"));
  EXPECT_THAT(config_error([&] { segment_image(s, 192, 5000); }),
              HasSubstr("width: 5000 are more than the 4096"));
  s.resize = Resize::kNearest;
  EXPECT_THAT(config_error([&] {
                fitted_image(s, 192, {230, Fit::kNearest});
              }),
              HasSubstr("resize: must be \"none\""));
  std::vector<std::string> errors;
  read_settings<ImageSettings>(
      parse_json(R"({"channels": 0, "pad_number": 3, "resize": "bicubic", "scaling": "minmax"})", "i.json"),
      errors);
  EXPECT_THAT(
      errors,
      ElementsAre(HasSubstr("channels: 0 is out of range [1, 16]"),
                  HasSubstr("\"bicubic\" is not one of {none, nearest, nearest_exact, bilinear, "
                            "bilinear_corners}"),
                  HasSubstr("scaling: \"minmax\" is not one of"), HasSubstr("pad_number: unknown key")));
  errors.clear();
  read_settings<ImageSettings>(parse_json(R"({"resize": "none", "height": 224})", "i.json"), errors);
  EXPECT_THAT(errors, ElementsAre(HasSubstr("height: unknown key")));
}

TEST(SegmentImages, SegmentsOutsideTheirRecordingAreCaught) {
  SegmentCase given;
  given.index.segments.front().first_frame = 6;  // of 9, and 4 long
  EXPECT_THROW(segment_table(given.index, given.offsets, Device{}), InternalError);
  SegmentCase wide;
  wide.index.segments.front().frames = 5;  // others have 4, and nothing is resized
  EXPECT_THROW(gather(wide, Device{}), InternalError);
}

}  // namespace
}  // namespace serval::features
