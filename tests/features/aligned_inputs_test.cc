// Feature sets of different resolution, side by side.
#include "serval/features/aligned_inputs.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"
#include "serval/features/segment_image.h"

namespace serval::features {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Three clips seen with hops of 256 and 512 samples, centred frames.
struct TwoSets {
  std::vector<std::string> ids{"a", "b", "c"};
  std::vector<std::int64_t> samples{60000, 12800, 255};
  std::vector<std::int64_t> fine{0}, coarse{0};

  TwoSets() {
    for (const std::int64_t n : samples) {
      fine.push_back(fine.back() + 1 + n / 256);
      coarse.push_back(coarse.back() + 1 + n / 512);
    }
  }
  std::array<AlignedSet, 2> sets() const {
    return {AlignedSet{"x", ids, &fine, 256}, AlignedSet{"y", ids, &coarse, 512}};
  }
};

TEST(AlignedInputs, WholeRecordingsKeepTheirOrder) {
  const TwoSets two;
  const std::array<FitSettings, 2> fits{FitSettings{230, Fit::kNearest}, FitSettings{120, Fit::kPadOrCut}};
  const AlignedInputs inputs = align_whole(two.sets(), fits);
  ASSERT_EQ(inputs.sets.size(), 2u);
  for (std::size_t r = 0; r < 3; ++r) {
    const Segment& x = inputs.sets[0].segments[r];
    const Segment& y = inputs.sets[1].segments[r];
    EXPECT_EQ(x.recording, static_cast<std::int64_t>(r));
    EXPECT_EQ(y.recording, static_cast<std::int64_t>(r));
    EXPECT_EQ(x.real_frames, two.fine[r + 1] - two.fine[r]);
    EXPECT_EQ(y.frames, 120);
  }
  EXPECT_THAT(inputs.sets[0].lengths, ElementsAre(230));
}

TEST(AlignedInputs, SegmentsCoverTheSameTime) {
  const TwoSets two;
  SegmentSettings cuts;
  cuts.segment_frames = {20, 33};
  cuts.shift_frames = {7, 33};
  const AlignedInputs inputs = align_segments(two.sets(), cuts);
  const SegmentIndex& x = inputs.sets[0];
  const SegmentIndex& y = inputs.sets[1];
  EXPECT_EQ(x.segments, plan_segments(two.fine, cuts).segments);
  EXPECT_EQ(x.offsets, y.offsets);
  EXPECT_THAT(y.lengths, ElementsAre(10, 17));  // 16.5 rounds up
  ASSERT_EQ(x.segments.size(), y.segments.size());
  for (std::size_t k = 0; k < x.segments.size(); ++k) {
    const Segment& a = x.segments[k];
    const Segment& b = y.segments[k];
    EXPECT_EQ(b.recording, a.recording);
    EXPECT_EQ(b.scale, a.scale);
    EXPECT_EQ(b.frames, y.lengths[static_cast<std::size_t>(a.scale)]);
    const auto r = static_cast<std::size_t>(b.recording);
    const std::int64_t n = two.coarse[r + 1] - two.coarse[r];
    EXPECT_LE(b.first_frame + b.real_frames, n);
    EXPECT_TRUE(b.real_frames == b.frames || b.first_frame + b.real_frames == n);
    // Half a coarse frame at most, except where the recording has no later frame.
    if (b.first_frame < n - 1) {
      EXPECT_LE(std::abs(a.first_frame * 256 - b.first_frame * 512), 256);
    }
  }
}

TEST(AlignedInputs, AHopThatIsNoMultipleRoundsHalvesUp) {
  const std::vector<std::string> ids{"a"};
  const std::vector<std::int64_t> first{0, 50}, second{0, 31};
  const std::array<AlignedSet, 2> sets{AlignedSet{"x", ids, &first, 160}, AlignedSet{"y", ids, &second, 256}};
  SegmentSettings cuts;
  cuts.segment_frames = {16};
  cuts.shift_frames = {12};
  cuts.tail = Tail::kShiftBack;
  const AlignedInputs inputs = align_segments(sets, cuts);
  std::vector<std::int64_t> starts;
  for (const Segment& segment : inputs.sets[1].segments) starts.push_back(segment.first_frame);
  // Starts 0, 12, 24, 34 at 160 samples are 0, 7.5, 15, 21.25 at 256.
  EXPECT_THAT(starts, ElementsAre(0, 8, 15, 21));
  EXPECT_THAT(inputs.sets[1].lengths, ElementsAre(10));
  EXPECT_TRUE(inputs.sets[1].dropped.empty());  // the last segment ends with the recording
}

TEST(AlignedInputs, AStretchedRecordingIsWholeInEverySet) {
  const TwoSets two;
  SegmentSettings cuts;
  cuts.segment_frames = {60};
  cuts.short_recordings = ShortRecording::kStretch;
  const AlignedInputs inputs = align_segments(two.sets(), cuts);
  const SegmentIndex& y = inputs.sets[1];
  EXPECT_EQ(y.segments.back(), (Segment{2, 0, 0, 1, 1}));
  EXPECT_EQ(y.segments[static_cast<std::size_t>(y.offsets[1])], (Segment{1, 0, 0, 26, 26}));
}

// A short burst in silence, seen by two spectrograms, lies at the same time in both images of every segment.
TEST(AlignedInputs, ABurstLiesAtTheSameTimeInBothImages) {
  const Context context;
  constexpr int kRateHz = 16000;
  std::vector<audio::Waveform> clips;
  for (const int burst : {9000, 20000, 31000}) {
    audio::Waveform clip{std::vector<float>(40000, 0.0f), kRateHz};
    for (int i = 0; i < 400; ++i)
      clip.samples[static_cast<std::size_t>(burst + i)] = std::sin(0.4f * static_cast<float>(i * i) / 100);
    clips.push_back(clip);
  }
  const std::vector<std::string> ids{"a", "b", "c"};
  struct Seen {
    std::vector<std::int64_t> offsets{0};
    std::vector<float> values;
    std::int64_t dimension = 0;
    std::int64_t hop = 0;
  };
  const auto see = [&](int n_fft, int n_mels) {
    std::vector<std::string> errors;
    const auto settings = read_settings<FeatureSettings>(
        parse_json(cat(R"({"type": "log_mel", "n_fft": )", n_fft, R"(, "window_samples": )", n_fft,
                       R"(, "hop_samples": )", n_fft / 2, R"(, "n_mels": )", n_mels, "}"),
                   "f.json"),
        errors);
    EXPECT_TRUE(errors.empty());
    Seen seen;
    seen.dimension = n_mels;
    seen.hop = n_fft / 2;
    for (const FeatureMatrix& matrix : Extractor(settings, kRateHz, context).run(clips)) {
      seen.values.insert(seen.values.end(), matrix.values.begin(), matrix.values.end());
      seen.offsets.push_back(seen.offsets.back() + matrix.frames);
    }
    return seen;
  };
  const std::array<Seen, 2> seen{see(512, 24), see(1024, 48)};
  const std::array<AlignedSet, 2> sets{AlignedSet{"x", ids, &seen[0].offsets, seen[0].hop},
                                       AlignedSet{"y", ids, &seen[1].offsets, seen[1].hop}};

  // The loudest column of each image, and how loud it is above the quietest.
  const auto loudest = [&](const Seen& set, const SegmentIndex& index, const SegmentImage& image) {
    const SegmentTable table = segment_table(index, set.offsets, Device{});
    const auto count = static_cast<std::int64_t>(index.segments.size());
    const std::vector<float> mean(static_cast<std::size_t>(set.dimension), 0.0f);
    const std::vector<float> scale(mean.size(), 1.0f);
    std::vector<float> x(static_cast<std::size_t>(count * image.height * image.width));
    GatherSegmentsArgs args;
    args.image = image;
    args.segments = count;
    args.values = {set.values.data(), {set.offsets.back(), set.dimension}};
    args.starts = table.starts.view();
    args.real_frames = table.real_frames.view();
    args.frames = table.frames.view();
    args.mean = {mean.data(), {set.dimension}};
    args.scale = {scale.data(), {set.dimension}};
    args.x = {x.data(), batch_shape(image, count)};
    run<GatherSegments>(context, args);
    std::vector<std::pair<std::int64_t, float>> out;
    for (std::int64_t s = 0; s < count; ++s) {
      std::vector<float> energy(static_cast<std::size_t>(image.width), 0.0f);
      for (std::int64_t h = 0; h < image.height; ++h) {
        for (std::int64_t w = 0; w < image.width; ++w)
          energy[static_cast<std::size_t>(w)] +=
              x[static_cast<std::size_t>((s * image.height + h) * image.width + w)];
      }
      const auto peak = std::max_element(energy.begin(), energy.end());
      out.emplace_back(peak - energy.begin(), *peak - *std::min_element(energy.begin(), energy.end()));
    }
    return out;
  };

  SegmentSettings cuts;
  cuts.segment_frames = {50};
  cuts.shift_frames = {21};
  const AlignedInputs segments = align_segments(sets, cuts);
  ImageSettings images;
  images.pad_value = PadValue::kMin;
  std::array<std::vector<std::pair<std::int64_t, float>>, 2> peaks;
  for (std::size_t i = 0; i < 2; ++i) {
    peaks[i] = loudest(seen[i], segments.sets[i],
                       segment_image(images, seen[i].dimension, segments.sets[i].lengths[0]));
  }
  int with_burst = 0;
  for (std::size_t k = 0; k < peaks[0].size(); ++k) {
    if (peaks[0][k].second < 100) continue;  // silence alone
    ++with_burst;
    const std::int64_t a = (segments.sets[0].segments[k].first_frame + peaks[0][k].first) * 256;
    const std::int64_t b = (segments.sets[1].segments[k].first_frame + peaks[1][k].first) * 512;
    EXPECT_LE(std::abs(a - b), 512) << k;
  }
  EXPECT_GE(with_burst, 6);

  const std::array<FitSettings, 2> fits{FitSettings{230, Fit::kNearest}, FitSettings{120, Fit::kNearest}};
  const AlignedInputs whole = align_whole(sets, fits);
  for (std::size_t i = 0; i < 2; ++i)
    peaks[i] = loudest(seen[i], whole.sets[i], fitted_image({}, seen[i].dimension, fits[i]));
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_NEAR(static_cast<double>(peaks[0][r].first) / 230, static_cast<double>(peaks[1][r].first) / 120,
                0.015);
  }
}

TEST(AlignedInputs, SetsOfOtherRecordingsAreNamed) {
  TwoSets two;
  std::vector<std::string> others{"a", "d", "c"};
  std::array<AlignedSet, 2> sets = two.sets();
  sets[1].recordings = others;
  const auto error = [&] {
    try {
      align_segments(sets, {});
    } catch (const DataError& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(error(),
              HasSubstr("features x and y do not hold the same recordings: number 1 is b in the first and "
                        "d in the second"));
  const std::vector<std::int64_t> shorter(two.coarse.begin(), two.coarse.end() - 1);
  sets[1] = {"y", std::span(two.ids).first(2), &shorter, 512};
  EXPECT_THAT(error(), HasSubstr("number 2 is c in the first and absent in the second"));
  std::swap(sets[0], sets[1]);
  EXPECT_THAT(error(), HasSubstr("number 2 is absent in the first and c in the second"));
}

}  // namespace
}  // namespace serval::features
