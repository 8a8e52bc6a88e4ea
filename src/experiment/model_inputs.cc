#include "model_inputs.h"

#include <utility>

#include "serval/core/error.h"

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

std::shared_ptr<const train::Items> items_of(const features::SegmentIndex& index,
                                             const std::vector<std::int64_t>& offsets) {
  auto items = std::make_shared<train::Items>();
  for (const features::Segment& segment : index.segments) {
    items->starts.push_back(offsets[static_cast<std::size_t>(segment.recording)] + segment.first_frame);
    items->frames.push_back(static_cast<std::int32_t>(segment.real_frames));
    items->padded.push_back(static_cast<std::int32_t>(segment.frames));
  }
  items->offsets = index.offsets;
  return items;
}

}  // namespace

std::vector<std::shared_ptr<const train::Items>> model_items(
    const NamedList<InputSettings>& inputs, const std::vector<features::InputSource>& sources,
    std::vector<std::string>* log) {
  const InputSettings& first = inputs.front().second;
  const std::vector<features::SegmentIndex> indexes = features::plan_inputs(inputs, sources);
  std::vector<std::shared_ptr<const train::Items>> out;
  for (std::size_t i = 0; i < inputs.size(); ++i) out.push_back(items_of(indexes[i], *sources[i].offsets));
  if (log != nullptr && !first.whole()) log->push_back(count_text(indexes.front(), first.segments));
  return out;
}

InputForm input_form(const std::string& name, const InputSettings& input, const nn::NetworkSettings& network,
                     std::int64_t dimension) {
  InputForm form;
  nn::InputSettings declared;
  for (const auto& [known, settings] : network.inputs) {
    if (known == name) declared = settings;
  }
  const auto refuse = [&name](const std::string& why) { throw ConfigError(cat("input ", name, ": ", why)); };
  form.kind = declared.kind;
  if (input.image) {
    if (declared.kind != nn::InputKind::kImage) {
      refuse(
          "the model gives images, but the network does not read one here; declare it under the network's "
          "inputs "
          "with \"kind\": \"image\", or leave out image");
    }
    form.image = features::input_image(input, dimension);
    form.item = features::item_shape(form.image);
    return form;
  }
  if (declared.kind == nn::InputKind::kImage) {
    refuse("the network reads an image here; give the model's input an image, such as {\"channels\": 1}");
  }
  form.item = Shape{dimension};
  return form;
}

}  // namespace serval::experiment
