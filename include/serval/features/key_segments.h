// Key segments: of each recording the few segments that stand for the others, found by clustering.
//
// A segment is described by the mean over its real frames of each column, divided by the column's deviation over the
// recording's segments. Two segments a, b are alike by the radial basis function
//   k(a, b) = exp(-|a - b|^2 / (2 columns))
// and are grouped by k-means in the space of that kernel, where the squared distance of a from cluster C's centre is
//   k(a, a) - 2 mean over b in C of k(a, b) + mean over b, c in C of k(b, c).
// It starts from the segment that is most like all others and, one by one, from the one least like those before it; each
// segment goes to the nearest centre until none moves, 100 times at most. Of each cluster the segment nearest its
// centre is kept. Of equal ones the first always counts. Nothing is drawn at random, and no other recording plays a part.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/features/segments.h"

namespace serval::features {

// `values` [total frames, dimension]: those of the feature set that `index` was cut from, with its `offsets`. Of each
// recording and length at most `clusters` segments are left, in order of time; where there are no more, all of them are.
// Fewer are left where segments are equal. Frames that no segment holds any more are in `dropped`.
SegmentIndex key_segments(const SegmentIndex& index, const std::vector<std::int64_t>& offsets,
                          const float* values, std::int64_t dimension, std::int64_t clusters);

// The numbers of the segments that are kept, ascending, of `count` segments described by rows [count, columns].
std::vector<std::int64_t> key_rows(const std::vector<double>& rows, std::int64_t count,
                                   std::int64_t clusters);

}  // namespace serval::features
