#include "serval/features/aligned_inputs.h"

#include <algorithm>
#include <utility>

#include "serval/core/error.h"

#include "segment_planning.h"

namespace serval::features {

namespace {

void check_same_recordings(std::span<const AlignedSet> sets) {
  SERVAL_CHECK(!sets.empty(), "no feature set to align");
  const AlignedSet& first = sets.front();
  for (const AlignedSet& set : sets) {
    SERVAL_CHECK(set.offsets->size() == set.recordings.size() + 1, set.name, ": ", set.offsets->size(),
                 " offsets for ", set.recordings.size(), " recordings");
    SERVAL_CHECK(set.hop_samples > 0, set.name, ": hop of ", set.hop_samples, " samples");
    const auto [a, b] = std::mismatch(first.recordings.begin(), first.recordings.end(),
                                      set.recordings.begin(), set.recordings.end());
    const bool a_ends = a == first.recordings.end();
    const bool b_ends = b == set.recordings.end();
    if (a_ends && b_ends) continue;
    throw DataError(cat("features ", first.name, " and ", set.name,
                        " do not hold the same recordings: number ", a - first.recordings.begin(), " is ",
                        a_ends ? "absent" : *a, " in the first and ", b_ends ? "absent" : *b,
                        " in the second"));
  }
}

// frames of hop `hop` in the time of `count` frames of hop `of`
std::int64_t at_hop(std::int64_t count, std::int64_t of, std::int64_t hop) {
  return (2 * count * of + hop) / (2 * hop);
}

SegmentIndex follow(const SegmentIndex& leader, const AlignedSet& first, const AlignedSet& set) {
  SegmentIndex index;
  index.offsets = leader.offsets;
  for (const std::int64_t length : leader.lengths)
    index.lengths.push_back(std::max<std::int64_t>(1, at_hop(length, first.hop_samples, set.hop_samples)));
  for (std::size_t r = 0; r + 1 < leader.offsets.size(); ++r) {
    const std::int64_t n = frames_of(*set.offsets, r);
    const auto recording = static_cast<std::int64_t>(r);
    std::int64_t k = leader.offsets[r];
    for (std::size_t scale = 0; scale < index.lengths.size(); ++scale) {
      const std::size_t begin = index.segments.size();
      for (; k < leader.offsets[r + 1]; ++k) {
        const Segment& from = leader.segments[static_cast<std::size_t>(k)];
        if (from.scale != static_cast<int>(scale)) break;
        const bool stretched = from.frames != leader.lengths[scale];
        const std::int64_t start =
            std::min(n - 1, at_hop(from.first_frame, first.hop_samples, set.hop_samples));
        const std::int64_t frames = stretched ? n : index.lengths[scale];
        index.segments.push_back({recording, from.scale, start, std::min(frames, n - start), frames});
      }
      note_dropped(recording, n, begin, static_cast<int>(scale), index);
    }
  }
  return index;
}

}  // namespace

AlignedInputs align_whole(std::span<const AlignedSet> sets, std::span<const FitSettings> fits) {
  SERVAL_CHECK(sets.size() == fits.size(), sets.size(), " feature sets, ", fits.size(), " lengths");
  check_same_recordings(sets);
  AlignedInputs out;
  for (std::size_t i = 0; i < sets.size(); ++i) out.sets.push_back(plan_whole(*sets[i].offsets, fits[i]));
  return out;
}

AlignedInputs align_segments(std::span<const AlignedSet> sets, const SegmentSettings& settings) {
  return follow_segments(sets, plan_segments(*sets.front().offsets, settings));
}

AlignedInputs follow_segments(std::span<const AlignedSet> sets, SegmentIndex first) {
  check_same_recordings(sets);
  AlignedInputs out;
  out.sets.push_back(std::move(first));
  for (const AlignedSet& set : sets.subspan(1))
    out.sets.push_back(follow(out.sets.front(), sets.front(), set));
  return out;
}

}  // namespace serval::features
