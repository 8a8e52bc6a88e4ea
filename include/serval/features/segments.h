// Segments: stretches of a recording's frames, cut at several lengths, that know where they came from.
//
// A recording of n frames, cut at length T and shift S <= T, has the full segments
//   [k S, k S + T)   for every k >= 0 with k S + T <= n.
// Frames behind the last of them are the tail, which `tail` gives to one more segment or to none. A recording
// shorter than T is not cut: `short_recordings` says what becomes of it.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/core/settings.h"

namespace serval::features {

// What becomes of frames behind the last full segment.
enum class Tail {
  kPad,        // one more segment, from the next shift on; what it lacks is padding
  kDrop,       // no segment holds them
  kShiftBack,  // one more segment, moved back so that it ends with the recording
};
// What becomes of a recording that is shorter than a segment.
enum class ShortRecording {
  kPad,      // one segment with all its frames and padding behind
  kStretch,  // one segment of its own length, resized to that of the others when it is gathered
  kDrop,     // none
};

struct SegmentSettings {
  std::vector<std::int64_t> segment_frames = {64};  // every recording is cut at each of these lengths
  // One for all lengths, or one for each. Empty: 30 frames, and half the length for lengths up to 30.
  std::vector<std::int64_t> shift_frames = {};
  Tail tail = Tail::kPad;
  double min_real_share = 0;  // a padded tail with a smaller share of real frames is dropped
  ShortRecording short_recordings = ShortRecording::kPad;
};
// How recordings are cut, without the rule for short ones: for readers that take sequences of any length.
void describe_cuts(SettingsVisitor& v, SegmentSettings& settings);
void describe(SettingsVisitor& v, SegmentSettings& settings);

// The shift of each length, with the default filled in.
std::vector<std::int64_t> shifts(const SegmentSettings& settings);

struct Segment {
  std::int64_t recording = 0;    // its number in the feature set
  int scale = 0;                 // which of the lengths
  std::int64_t first_frame = 0;  // in the recording
  std::int64_t real_frames = 0;  // of the recording, at least 1
  std::int64_t frames = 0;       // with the padding behind them
  friend bool operator==(const Segment&, const Segment&) = default;
};
// Frames of a recording that no segment of one length holds.
struct DroppedFrames {
  std::int64_t recording = 0;
  int scale = 0;
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
  friend bool operator==(const DroppedFrames&, const DroppedFrames&) = default;
};

// Every real frame is in a segment of each length, or in `dropped`.
struct SegmentIndex {
  std::vector<std::int64_t> lengths;  // [scale]
  std::vector<Segment> segments;      // by recording, then by scale, then by time
  std::vector<std::int64_t>
      offsets;  // [recordings + 1]: segments of recording r are [offsets[r], offsets[r + 1])
  std::vector<DroppedFrames> dropped;  // in the order of the segments
};

// `offsets` [recordings + 1] as in a ragged feature set: recording r has frames [offsets[r], offsets[r + 1]).
// Throws ConfigError for settings that describe() refuses, DataError for a recording without frames.
SegmentIndex plan_segments(const std::vector<std::int64_t>& offsets, const SegmentSettings& settings);

// A whole recording made to fit one length.
enum class Fit {
  kPadOrCut,  // frames behind the last one are padding; frames too many are cut off at the end
  kNearest,   // resampled along time, see Resize in features/segment_image.h
  kNearestExact,
  kBilinear,
};
struct FitSettings {
  std::int64_t frames = 250;
  Fit fit = Fit::kPadOrCut;
};
void describe(SettingsVisitor& v, FitSettings& settings);

// One segment a recording. When it is resampled, that segment is the whole recording, and the gathering
// resizes it.
SegmentIndex plan_whole(const std::vector<std::int64_t>& offsets, const FitSettings& settings);

}  // namespace serval::features
