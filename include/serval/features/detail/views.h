// What a part's functions see: one frame, one clip, and the part's own memory.
#pragma once

#include <cstdint>

#include "serval/core/hd.h"
#include "serval/features/detail/frame_math.h"

namespace serval::features::detail {

struct FrameView {
  const float* samples = nullptr;  // of the clip
  std::int64_t clip_samples = 0;
  std::int64_t start = 0;  // of the window, in the clip; may be negative
  int length = 0;          // samples under the window
  Padding padding = Padding::kZero;
  const float* power = nullptr;  // [bins] |X|^2 of the windowed frame; null where the part needs no transform
  int bins = 0;

  // The n-th sample under the window, before scale, window and everything else.
  SERVAL_HD float sample(int n) const {
    const std::int64_t at = source_sample(start + n, clip_samples, padding);
    return at < 0 ? 0.0f : samples[at];
  }
};

// A part's memory. What it does not ask for in its PartPlan is null.
struct PartMemory {
  const float* tables = nullptr;  // of the plan
  float* work = nullptr;          // [work] of this team alone, for the time of one call
  float* scratch = nullptr;       // [frame_scratch] of this frame; in clip(): [frame, frame_scratch]
  float* clip_scratch = nullptr;  // [clip_scratch]
  const float* other = nullptr;   // clip_scratch of the part that this one builds on, complete
  float* columns = nullptr;       // of this frame; in clip(): of the first frame
  std::int64_t stride = 0;        // from a frame's columns to the next frame's
};

struct ClipView {
  std::int64_t frames = 0;
  const float* bank = nullptr;  // [frame, n_mels] of the part's bank, on the bank's scale
  int n_mels = 0;
};

}  // namespace serval::features::detail
