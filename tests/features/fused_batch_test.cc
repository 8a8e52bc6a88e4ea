// Batches of the fused feature kernel: whatever surrounds a clip and whoever works on it, its bits are its own.
#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "serval/features/extractor.h"

#include "tests/features/fused_fixture.h"
#include "tests/support/expect_close.h"

namespace serval::features::cuda {
namespace {

using host_gpu::Order;
using host_gpu::OrderScope;
using testing_support::expect_close;

constexpr int kRateHz = 16000;

FeatureSettings settings(FeatureType type) {
  FeatureSettings s;
  s.type = type;
  s.window_samples = 200;
  s.hop_samples = 80;
  s.n_fft = 256;
  s.n_mels = 22;
  s.n_mfcc = 13;
  s.deltas = 2;
  s.top_db = 60;
  return s;
}

// Log-mel with slopes and its own floor, then MFCC with slopes and curvatures.
FeatureSettings both_parts() {
  FeatureSettings s;
  s.type = FeatureType::kStack;
  s.parts = {settings(FeatureType::kLogMel), settings(FeatureType::kMfcc)};
  s.parts[0].deltas = 1;
  s.parts[0].top_db = 40;
  return s;
}

struct BothParts {
  std::vector<std::int64_t> frames(const std::vector<CodedClip>& clips) const {
    return frames_of(plan, clips);
  }

  detail::ExtractionPlan plan{both_parts(), kRateHz};
  FusedSpec spec = spec_of(plan);
};

std::vector<CodedClip> ragged() {
  std::vector<CodedClip> clips;
  for (const int samples : {900, 1, 4000, 80, 333, 79, 700, 4000, 2222})
    clips.push_back(coded_clip(samples, kRateHz, clips.size() + 1));
  return clips;
}

void compare(const FeatureSettings& stack) {
  const detail::ExtractionPlan plan(stack, kRateHz);
  const std::vector<CodedClip> clips = ragged();
  const std::vector<std::int64_t> frames = frames_of(plan, clips);
  const std::vector<std::vector<float>> out = run_fused(spec_of(plan), frames, clips, {});
  const Context context;
  Extractor extractor(stack, kRateHz, context);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    SCOPED_TRACE(cat("clip ", i));
    const std::vector<audio::Waveform> one{clips[i].waveform(kRateHz)};
    expect_close(out[i], extractor.run(one)[0].values, 1e-3, 0, Shape{frames[i], plan.dimension});
  }
}

TEST(FusedBatch, BothPartsInOneLaunch) { compare(both_parts()); }

TEST(FusedBatch, CepstrumFirstAndDeltasOfTheWholeStack) {
  FeatureSettings s = both_parts();
  std::swap(s.parts[0], s.parts[1]);
  for (PartSettings& part : s.parts) part.deltas = 0;
  s.deltas = 2;
  compare(s);
}

TEST(FusedBatch, ReferenceToThePeakOfTheClip) {
  FeatureSettings s = both_parts();
  for (PartSettings& part : s.parts) part.db_reference = DbReference::kPeak;
  compare(s);
}

// Columns of others in the same rows stay as they are.
TEST(FusedBatch, LeavesOtherColumnsAlone) {
  const BothParts both;
  FusedSpec spec = both.spec;
  spec.dimension += 5;
  spec.log_mel.out_at += 3;
  spec.mfcc.out_at += 3;
  const std::vector<CodedClip> clips = ragged();
  const auto out = run_fused(spec, both.frames(clips), clips, {});
  const auto expected = run_fused(both.spec, both.frames(clips), clips, {});
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const std::size_t width = static_cast<std::size_t>(spec.dimension);
    for (std::size_t at = 0; at < out[i].size(); ++at) {
      const std::size_t column = at % width;
      if (column < 3 || column >= width - 2) {
        EXPECT_TRUE(std::isnan(out[i][at])) << "column " << column;
      } else {
        EXPECT_EQ(out[i][at], expected[i][at / width * (width - 5) + column - 3]);
      }
    }
  }
}

// Bits, NaN included.
std::vector<std::vector<std::int32_t>> bits(const std::vector<std::vector<float>>& rows) {
  std::vector<std::vector<std::int32_t>> out;
  for (const std::vector<float>& row : rows) {
    out.emplace_back();
    for (const float value : row) out.back().push_back(detail::bits_of(value));
  }
  return out;
}

TEST(FusedBatch, TheSameBitsHoweverTheWorkIsDivided) {
  const BothParts both;
  const std::vector<CodedClip> clips = ragged();
  const std::vector<std::int64_t> frames = both.frames(clips);
  std::vector<std::vector<float>> alone;
  for (std::size_t i = 0; i < clips.size(); ++i)
    alone.push_back(run_fused(both.spec, {frames[i]}, {clips[i]}, {.warps = 1, .blocks = 1})[0]);
  const auto expected = bits(alone);

  const std::vector<std::pair<const char*, FusedRun>> runs = {
      {"one block", {.blocks = 1}},
      {"more blocks than clips", {.blocks = 20}},
      {"many warps", {.warps = 7, .blocks = 4}},
      {"odd addresses", {.first_sample = 1, .gap = 3}},
      {"rows in another order", {.row_order = {8, 1, 3, 0, 2, 7, 6, 5, 4}}},
      {"a small tile in shared memory", {.most_shared_frames = 12}},
      {"no tile in shared memory", {.most_shared_frames = 0}},
      {"segments", {.most_shared_frames = 5, .long_frames = 10, .segment_frames = 7}},
      {"short segments", {.blocks = 1, .most_shared_frames = 0, .long_frames = 0, .segment_frames = 1}},
  };
  for (const auto& [name, run] : runs) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(bits(run_fused(both.spec, frames, clips, run)) == expected);
  }
  for (const Order order : {Order::kReverse, Order::kEvenThenOdd}) {
    const OrderScope scope(order);
    SCOPED_TRACE(cat("order ", static_cast<int>(order)));
    EXPECT_TRUE(bits(run_fused(both.spec, frames, clips, {})) == expected);
    EXPECT_TRUE(bits(run_fused(both.spec, frames, clips,
                               {.most_shared_frames = 5, .long_frames = 10, .segment_frames = 7})) ==
                expected);
  }
}

TEST(FusedBatch, FloatSamplesGiveTheBitsOfTheirCodes) {
  const BothParts both;
  const std::vector<CodedClip> clips = ragged();
  EXPECT_TRUE(bits(run_fused(both.spec, both.frames(clips), clips, {})) ==
              bits(run_fused(both.spec, both.frames(clips), clips, {.as_float = true})));
}

// 45 seconds and one frame in a batch, by the sizes that launches use.
TEST(FusedBatch, ALongClipIsCutAndMatchesTheExtractor) {
  const FeatureSettings s = settings(FeatureType::kMfcc);
  const detail::ExtractionPlan plan(s, kRateHz);
  const std::vector<CodedClip> clips{coded_clip(50, kRateHz, 1), coded_clip(45 * kRateHz, kRateHz, 2)};
  const std::vector<std::int64_t> frames = frames_of(plan, clips);
  ASSERT_GT(frames[1], kFusedLongFrames);
  const auto out = run_fused(spec_of(plan), frames, clips, {.warps = 4, .most_shared_frames = 300});
  const Context context;
  Extractor extractor(s, kRateHz, context);
  const std::vector<audio::Waveform> waveforms{clips[0].waveform(kRateHz), clips[1].waveform(kRateHz)};
  const std::vector<FeatureMatrix> expected = extractor.run(waveforms);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(expected[i].frames, frames[i]);
    expect_close(out[i], expected[i].values, 1e-3, 0, Shape{frames[i], plan.dimension});
  }
}

TEST(FusedQueue, LongestFirstAndColumnsOfCutClipsLast) {
  std::vector<FusedClip> clips(5);
  const std::vector<std::int32_t> frames{10, 700, 30, 25, 1300};
  for (std::size_t i = 0; i < frames.size(); ++i) clips[i].frames = frames[i];
  const FusedQueue queue = make_fused_queue(clips, 8, 20, 500, 512);
  std::vector<std::array<std::int64_t, 4>> seen;
  for (const FusedItem& item : queue.items)
    seen.push_back({static_cast<std::int64_t>(item.work), item.clip, item.first_frame, item.frames});
  const std::vector<std::array<std::int64_t, 4>> expected = {
      {1, 4, 0, 512},    {1, 4, 512, 512}, {1, 4, 1024, 276}, {1, 1, 0, 512}, {1, 1, 512, 188},
      {0, 2, 0, 30},     {0, 3, 0, 25},    {0, 0, 0, 10},     {2, 4, 0, 512}, {2, 4, 512, 512},
      {2, 4, 1024, 276}, {2, 1, 0, 512},   {2, 1, 512, 188}};
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(queue.long_tile_floats, 8 * 2000);
  EXPECT_EQ(queue.block_tile_floats, 8 * 30);
  EXPECT_EQ(queue.segments, 5);
  EXPECT_EQ(queue.counters, 4);
  EXPECT_EQ(queue.items[3].tile_at, 8 * 1300);
  EXPECT_EQ(queue.items[3].first_segment, 3);
  EXPECT_EQ(queue.items[3].done_at, 3);
}

TEST(FusedLayout, FourBlocksOfTheUsualSetShareAMultiprocessor) {
  FeatureSettings s;
  s.type = FeatureType::kMfcc;
  s.n_fft = 512;
  s.n_mfcc = 40;
  s.deltas = 2;
  const FusedSpec spec = spec_of(detail::ExtractionPlan(s, kRateHz));
  const FusedTables tables(spec);
  FusedLayout layout = default_fused_layout(spec, tables);
  EXPECT_EQ(layout.blocks_per_unit, 4);
  EXPECT_EQ(layout.warps * layout.blocks_per_unit * 32, fused_threads(256));
  EXPECT_LE(4 * (layout.shared_bytes + 1024 + 256), 228u * 1024);
  EXPECT_GE(layout.row_count * layout.row_stride, 0);
  EXPECT_LE(layout.row_count * layout.row_stride, layout.work_floats);
  EXPECT_EQ((layout.row_count - 8) % 8, 0);
  layout = fused_layout(spec, tables, 16, 1);  // most of the shared memory for the tile
  EXPECT_GT(layout.shared_frames, 500);
  const std::size_t before = layout.shared_bytes;
  limit_shared_frames(layout, tables, 10);
  EXPECT_EQ(layout.shared_frames, 10);
  EXPECT_LT(layout.shared_bytes, before);
}

TEST(FusedMatch, SaysWhatDoesNotFitOneLaunch) {
  const auto refusal = [](const FeatureSettings& s) {
    return match_fused(detail::ExtractionPlan(s, kRateHz)).refusal;
  };
  EXPECT_EQ(refusal(both_parts()), "");
  FeatureSettings s = both_parts();
  s.parts[1].n_mels = 23;
  EXPECT_EQ(refusal(s), "its parts have different mel bands");
  s = both_parts();
  s.parts[1].n_fft = 512;
  EXPECT_EQ(refusal(s), "its parts have different frames");
  s = both_parts();
  s.parts[1] = s.parts[0];
  EXPECT_EQ(refusal(s), "the same part stands in it twice");
  s = both_parts();
  s.deltas = 1;
  EXPECT_EQ(refusal(s), "deltas are taken of deltas");
  s = both_parts();
  s.parts[1].delta_method = DeltaMethod::kRegression;
  EXPECT_EQ(refusal(s), "deltas are not Savitzky-Golay's");
  s = both_parts();
  for (PartSettings& part : s.parts) part.statistics = {"mean"};
  EXPECT_EQ(refusal(s), "statistics over time follow");
  s = settings(FeatureType::kLogMel);
  s.energy = EnergyColumn::kLast;
  EXPECT_EQ(refusal(s), "\"log_energy\" is neither a mel band nor a cepstral coefficient");
}

}  // namespace
}  // namespace serval::features::cuda
