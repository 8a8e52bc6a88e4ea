// A ragged batch on the device. All clips lie behind each other; frames are counted for each framing by itself,
// since another hop has other frames. Nothing is padded, so nothing of one clip can reach another.
#pragma once

#include <cstdint>

#include "serval/features/detail/views.h"

namespace serval::features::cuda {

struct ClipSpan {
  std::int64_t first_sample = 0;
  std::int64_t samples = 0;
};

struct Batch {
  const float* samples = nullptr;             // of all clips
  const ClipSpan* clips = nullptr;            // [clip]
  const std::int64_t* first_frame = nullptr;  // [clip + 1]
  const std::int32_t* frame_clip = nullptr;   // [frame]: the clip it belongs to
};

// Where frames look.
struct FrameShape {
  std::int64_t hop = 0;
  std::int64_t lead = 0;
  int window_length = 0;
  int window_offset = 0;
  int n_fft = 0;
  Padding padding = Padding::kZero;
};

SERVAL_HD inline detail::FrameView frame_view(const Batch& batch, const FrameShape& shape,
                                              std::int64_t frame) {
  const std::int32_t clip = batch.frame_clip[frame];
  detail::FrameView view;
  view.samples = batch.samples + batch.clips[clip].first_sample;
  view.clip_samples = batch.clips[clip].samples;
  view.start = (frame - batch.first_frame[clip]) * shape.hop + shape.lead;
  view.length = shape.window_length;
  view.padding = shape.padding;
  return view;
}

}  // namespace serval::features::cuda
