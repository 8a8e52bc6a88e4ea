#include "model_items.h"

#include "serval/core/error.h"
#include "serval/core/log.h"

namespace serval::experiment {

namespace {

std::string count_text(const features::SegmentIndex& index, const features::SegmentSettings& settings) {
  const std::vector<std::int64_t> shifts = features::shifts(settings);
  std::vector<std::string> parts;
  for (std::size_t scale = 0; scale < index.lengths.size(); ++scale) {
    std::int64_t segments = 0;
    std::int64_t dropped = 0;
    for (const features::Segment& segment : index.segments)
      segments += segment.scale == static_cast<int>(scale);
    for (const features::DroppedFrames& gap : index.dropped) {
      if (gap.scale == static_cast<int>(scale)) dropped += gap.frames;
    }
    parts.push_back(cat(segments, " segments of ", index.lengths[scale], " frames, shift ", shifts[scale],
                        ", ", dropped, " frames in none"));
  }
  return join(parts, "; ");
}

}  // namespace

std::shared_ptr<const train::Items> model_items(const std::string& model, const InputSettings& input,
                                                const std::vector<std::int64_t>& offsets) {
  if (input.whole()) return nullptr;
  const features::SegmentIndex index = features::plan_segments(offsets, input.segments);
  auto items = std::make_shared<train::Items>();
  for (const features::Segment& segment : index.segments) {
    items->starts.push_back(offsets[static_cast<std::size_t>(segment.recording)] + segment.first_frame);
    items->frames.push_back(static_cast<std::int32_t>(segment.real_frames));
  }
  items->offsets = index.offsets;
  log_info(
      cat("model ", model, ": ", offsets.size() - 1, " recordings in ", count_text(index, input.segments)));
  return items;
}

}  // namespace serval::experiment
