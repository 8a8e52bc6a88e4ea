// What the planners of segments share.
#pragma once

#include "serval/features/segments.h"

namespace serval::features {

// Frames of a recording, at least 1; throws DataError when it has none.
std::int64_t frames_of(const std::vector<std::int64_t>& offsets, std::size_t recording);

// Adds to `index.dropped` what the segments from `first_segment` on, all of this recording and scale, leave out
// of its n frames.
void note_dropped(std::int64_t recording, std::int64_t n, std::size_t first_segment, int scale,
                  SegmentIndex& index);

}  // namespace serval::features
