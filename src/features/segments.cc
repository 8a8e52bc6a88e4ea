#include "serval/features/segments.h"

#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

#include "segment_planning.h"

namespace serval::features {

namespace {

// Of one recording of n frames at one length.
struct Cut {
  std::int64_t recording = 0;
  int scale = 0;
  std::int64_t n = 0;
  std::int64_t length = 0;
  std::int64_t shift = 0;
};

void cut_short(const Cut& cut, ShortRecording rule, std::vector<Segment>& out) {
  switch (rule) {
    case ShortRecording::kPad:
      out.push_back({cut.recording, cut.scale, 0, cut.n, cut.length});
      return;
    case ShortRecording::kStretch:
      out.push_back({cut.recording, cut.scale, 0, cut.n, cut.n});
      return;
    case ShortRecording::kDrop:
      return;
  }
}

void cut_recording(const Cut& cut, const SegmentSettings& settings, std::vector<Segment>& out) {
  if (cut.n < cut.length) return cut_short(cut, settings.short_recordings, out);
  const std::int64_t full = (cut.n - cut.length) / cut.shift + 1;
  for (std::int64_t k = 0; k < full; ++k)
    out.push_back({cut.recording, cut.scale, k * cut.shift, cut.length, cut.length});
  if ((full - 1) * cut.shift + cut.length == cut.n) return;
  const std::int64_t next = full * cut.shift;
  const std::int64_t real = cut.n - next;
  switch (settings.tail) {
    case Tail::kPad:
      if (static_cast<double>(real) >= settings.min_real_share * static_cast<double>(cut.length))
        out.push_back({cut.recording, cut.scale, next, real, cut.length});
      return;
    case Tail::kShiftBack:
      out.push_back({cut.recording, cut.scale, cut.n - cut.length, cut.length, cut.length});
      return;
    case Tail::kDrop:
      return;
  }
}

template <class Settings>
void refuse_bad(Settings settings) {
  std::vector<std::string> errors;
  const JsonValue json = settings_to_json(settings);
  read_settings(
      json, [&settings](SettingsVisitor& v) { describe(v, settings); }, errors);
  if (errors.empty()) return;
  for (std::string& error : errors) error.erase(0, error.find(": ") + 2);  // settings from code have no place
  throw ConfigError(join(errors, "\n"));
}

}  // namespace

std::int64_t frames_of(const std::vector<std::int64_t>& offsets, std::size_t recording) {
  const std::int64_t n = offsets[recording + 1] - offsets[recording];
  if (n < 1) throw DataError(cat("recording ", recording, " has no frames to cut into segments"));
  return n;
}

void note_dropped(std::int64_t recording, std::int64_t n, std::size_t first_segment, int scale,
                  SegmentIndex& index) {
  std::int64_t seen = 0;
  const auto drop_until = [&](std::int64_t end) {
    if (end > seen) index.dropped.push_back({recording, scale, seen, end - seen});
  };
  for (std::size_t i = first_segment; i < index.segments.size(); ++i) {
    const Segment& segment = index.segments[i];
    drop_until(segment.first_frame);
    seen = std::max(seen, segment.first_frame + segment.real_frames);
  }
  drop_until(n);
}

std::vector<std::int64_t> shifts(const SegmentSettings& settings) {
  constexpr std::int64_t kUsualShift = 30;
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < settings.segment_frames.size(); ++i) {
    const std::int64_t length = settings.segment_frames[i];
    if (settings.shift_frames.empty()) {
      out.push_back(length > kUsualShift ? kUsualShift : std::max<std::int64_t>(1, length / 2));
    } else {
      out.push_back(settings.shift_frames.size() == 1 ? settings.shift_frames[0] : settings.shift_frames[i]);
    }
  }
  return out;
}

SegmentIndex plan_segments(const std::vector<std::int64_t>& offsets, const SegmentSettings& settings) {
  refuse_bad(settings);
  SERVAL_CHECK(!offsets.empty(), "no offsets");
  SegmentIndex index;
  index.lengths = settings.segment_frames;
  index.offsets.push_back(0);
  const std::vector<std::int64_t> shift = shifts(settings);
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    const std::int64_t n = frames_of(offsets, r);
    for (std::size_t i = 0; i < index.lengths.size(); ++i) {
      const Cut cut{static_cast<std::int64_t>(r), static_cast<int>(i), n, index.lengths[i], shift[i]};
      const std::size_t first = index.segments.size();
      cut_recording(cut, settings, index.segments);
      note_dropped(cut.recording, n, first, cut.scale, index);
    }
    index.offsets.push_back(static_cast<std::int64_t>(index.segments.size()));
  }
  return index;
}

SegmentIndex plan_whole(const std::vector<std::int64_t>& offsets, const FitSettings& settings) {
  refuse_bad(settings);
  SERVAL_CHECK(!offsets.empty(), "no offsets");
  SegmentIndex index;
  index.lengths = {settings.frames};
  index.offsets.push_back(0);
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    const std::int64_t n = frames_of(offsets, r);
    const auto recording = static_cast<std::int64_t>(r);
    if (settings.fit == Fit::kPadOrCut) {
      index.segments.push_back({recording, 0, 0, std::min(n, settings.frames), settings.frames});
    } else {
      index.segments.push_back({recording, 0, 0, n, n});
    }
    note_dropped(recording, n, r, 0, index);
    index.offsets.push_back(recording + 1);
  }
  return index;
}

}  // namespace serval::features
