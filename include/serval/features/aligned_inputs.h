// Several feature sets of the same recordings side by side: spectrograms of different resolution in time and
// frequency, each with a hop and a dimension of its own, as inputs of one network.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "serval/features/segments.h"

namespace serval::features {

// One feature set as the alignment sees it.
struct AlignedSet {
  std::string name;                          // for messages
  std::span<const std::string> recordings;   // ids, in the set's order
  const std::vector<std::int64_t>* offsets;  // [recordings + 1], in frames
  std::int64_t hop_samples = 0;              // at one sample rate for all sets
};

// Segment k of every index is the same stretch of the same recording: each set's frames of it.
struct AlignedInputs {
  std::vector<SegmentIndex> sets;  // in the order of the sets
};

// Whole recordings, each set fitted to a length of its own, for example 128 bands x 230 frames beside 256 x 120.
// Throws DataError when the sets do not hold the same recordings in the same order; it names the first that
// differs.
AlignedInputs align_whole(std::span<const AlignedSet> sets, std::span<const FitSettings> fits);

// The first set is cut as plan_segments cuts it; the others follow by time. With frames f at f * hop (which holds
// when all sets pad or none does) and halves rounded up, a segment that starts at frame f0 of the first set and is
// T0 frames long starts in another set at f = round(f0 hop0 / hop), at most its last frame, and is
// T = max(1, round(T0 hop0 / hop)) frames long, the same for all segments of one scale. Frames that its recording
// lacks are padding. A recording that the first set stretches is stretched whole in every set.
// Throws as align_whole and plan_segments.
AlignedInputs align_segments(std::span<const AlignedSet> sets, const SegmentSettings& settings);
// The same for a first set that is cut already.
AlignedInputs follow_segments(std::span<const AlignedSet> sets, SegmentIndex first);

}  // namespace serval::features
