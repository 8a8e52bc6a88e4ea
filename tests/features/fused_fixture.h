// Runs the fused feature kernel on the host over a batch of 16-bit clips, with guards around all that it
// writes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "serval/audio/waveform.h"

#include "cuda/features/fused_batch.cuh"
#include "tests/features/signals.h"
#include "tests/nn/guarded.h"

namespace serval::features::cuda {

// 16-bit clips with scales, as stores hold them.
struct CodedClip {
  std::vector<std::int16_t> codes;
  float scale = 1.0f / 32768;

  audio::Waveform waveform(int rate_hz) const {
    audio::Waveform out;
    out.sample_rate_hz = rate_hz;
    for (const std::int16_t code : codes) out.samples.push_back(static_cast<float>(code) * scale);
    return out;
  }
};

// test_clip() as codes.
inline CodedClip coded_clip(int samples, int rate_hz, std::uint64_t seed, float scale = 1.0f / 32768) {
  CodedClip clip;
  clip.scale = scale;
  for (const float sample : test_clip(samples, rate_hz, seed).samples)
    clip.codes.push_back(static_cast<std::int16_t>(std::lround(sample * 32767)));
  return clip;
}

inline std::vector<std::int64_t> frames_of(const detail::ExtractionPlan& plan,
                                           const std::vector<CodedClip>& clips) {
  std::vector<std::int64_t> frames;
  for (const CodedClip& clip : clips)
    frames.push_back(plan.frames(static_cast<std::int64_t>(clip.codes.size())));
  return frames;
}

// What the kernel computes for these settings; a failure when it cannot.
inline FusedSpec spec_of(const detail::ExtractionPlan& plan) {
  FusedMatch match = match_fused(plan);
  EXPECT_EQ(match.refusal, "");
  return match.spec;
}

struct FusedRun {
  int warps = 2;
  int blocks = 3;
  int blocks_per_unit = 1;
  std::int64_t most_shared_frames = 1 << 20;
  int long_frames = kFusedLongFrames;
  int segment_frames = kFusedSegmentFrames;
  std::int64_t first_sample = 0;          // codes in front of the first clip
  int gap = 0;                            // codes between clips
  bool as_float = false;                  // float samples instead of codes
  std::vector<std::int32_t> row_order{};  // clips in the order of their rows; empty: as they are
};

// The rows of every clip, one vector each.
inline std::vector<std::vector<float>> run_fused(const FusedSpec& spec,
                                                 const std::vector<std::int64_t>& frames,
                                                 const std::vector<CodedClip>& clips, const FusedRun& run) {
  const FusedTables tables(spec);
  EXPECT_EQ(fused_refusal(spec), "");
  FusedLayout layout = fused_layout(spec, tables, run.warps, run.blocks_per_unit);
  EXPECT_GE(layout.shared_frames, 0);
  limit_shared_frames(layout, tables, run.most_shared_frames);

  std::vector<FusedClip> spans(clips.size());
  std::vector<std::int16_t> codes(static_cast<std::size_t>(run.first_sample), std::int16_t{30000});
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    spans[i] = {static_cast<std::int64_t>(codes.size()), 0, static_cast<std::int32_t>(clips[i].codes.size()),
                static_cast<std::int32_t>(frames[i]), clips[i].scale};
    codes.insert(codes.end(), clips[i].codes.begin(), clips[i].codes.end());
    codes.insert(codes.end(), static_cast<std::size_t>(run.gap), std::int16_t{-30000});
  }
  for (std::size_t i = 0; i < clips.size(); ++i) {
    FusedClip& span = spans[run.row_order.empty() ? i : static_cast<std::size_t>(run.row_order[i])];
    span.first_row = rows;
    rows += span.frames;
  }
  std::vector<float> samples;
  if (run.as_float) {
    samples.resize(codes.size(), NAN);
    for (FusedClip& span : spans) {
      for (std::int64_t i = 0; i < span.samples; ++i) {
        const auto at = static_cast<std::size_t>(span.first_sample + i);
        samples[at] = static_cast<float>(codes[at]) * span.scale;
      }
      span.scale = 1;
    }
  }

  const FusedQueue queue =
      make_fused_queue(spans, tables.mel_stride, layout.shared_frames, run.long_frames, run.segment_frames);
  using testing_support::Guarded;
  Guarded<float> tiles(std::vector<float>(
      static_cast<std::size_t>(queue.long_tile_floats + queue.block_tile_floats * run.blocks), NAN));
  Guarded<float> peaks(std::vector<float>(static_cast<std::size_t>(queue.segments), NAN));
  Guarded<float> out(std::vector<float>(static_cast<std::size_t>(rows * spec.dimension), NAN));
  Guarded<std::int32_t> counters(std::vector<std::int32_t>(static_cast<std::size_t>(queue.counters)));
  // The table block as a GPU would have it: aligned.
  std::vector<float4> block((tables.block.size() + 3) / 4);
  std::memcpy(static_cast<void*>(block.data()), tables.block.data(), tables.block.size() * sizeof(float));

  FusedArgs a = fused_args(spec, tables, layout);
  a.clips = spans.data();
  a.items = queue.items.data();
  a.item_count = static_cast<int>(queue.items.size());
  a.counters = counters.data();
  a.counter_count = queue.counters;
  a.tiles = tiles.data();
  a.block_tiles_at = queue.long_tile_floats;
  a.block_tile_floats = queue.block_tile_floats;
  a.segment_peaks = peaks.data();
  a.out = out.data();
  a.tables = reinterpret_cast<const float*>(block.data());
  for (int order = 0; order < 2; ++order) {
    a.log_mel.taps[order] = spec.log_mel.taps[order].data();
    a.mfcc.taps[order] = spec.mfcc.taps[order].data();
  }
  if (run.as_float) {
    a.samples = samples.data();
    launch_fused<float>(layout, spec.n_fft, run.blocks, a, nullptr);
  } else {
    a.samples = codes.data();
    launch_fused<std::int16_t>(layout, spec.n_fft, run.blocks, a, nullptr);
  }
  EXPECT_EQ(counters.values(), std::vector<std::int32_t>(static_cast<std::size_t>(queue.counters)));

  std::vector<std::vector<float>> result;
  const std::vector<float> values = out.values();
  for (const FusedClip& span : spans) {
    const auto begin = values.begin() + span.first_row * spec.dimension;
    result.emplace_back(begin, begin + span.frames * spec.dimension);
  }
  return result;
}

}  // namespace serval::features::cuda
