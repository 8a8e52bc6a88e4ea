#include "model_inputs.h"

#include <algorithm>
#include <span>
#include <utility>

#include "serval/core/error.h"
#include "serval/features/aligned_inputs.h"
#include "serval/features/key_segments.h"

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

// One item a recording: all its frames.
std::shared_ptr<const train::Items> whole_items(const std::vector<std::int64_t>& offsets) {
  auto items = std::make_shared<train::Items>();
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    items->starts.push_back(offsets[r]);
    items->frames.push_back(static_cast<std::int32_t>(offsets[r + 1] - offsets[r]));
    items->offsets.push_back(static_cast<std::int64_t>(r));
  }
  items->offsets.push_back(static_cast<std::int64_t>(offsets.size()) - 1);
  items->padded = items->frames;
  return items;
}

}  // namespace

std::vector<std::shared_ptr<const train::Items>> model_items(const NamedList<InputSettings>& inputs,
                                                             const std::vector<ItemSource>& sources,
                                                             std::vector<std::string>* log) {
  const InputSettings& first = inputs.front().second;
  std::vector<std::shared_ptr<const train::Items>> out;
  if (first.whole()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& [name, input] = inputs[i];
      if (!input.whole()) {
        throw ConfigError(cat("inputs.", name, ".segment_frames: the first input, \"", inputs.front().first,
                              "\", is not cut; segments are cut by the first and the others follow it"));
      }
      const std::vector<std::int64_t>& offsets = *sources[i].offsets;
      out.push_back(input.fit ? items_of(features::plan_whole(offsets, *input.fit), offsets)
                              : whole_items(offsets));
    }
    return out;
  }
  std::vector<features::AlignedSet> sets;
  const std::vector<std::string> nobody(sources.front().offsets->size() -
                                        1);  // one manifest: the same recordings
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& [name, input] = inputs[i];
    if (i > 0 && !input.whole()) {
      throw ConfigError(cat("inputs.", name, ".segment_frames: segments are cut by the first input, \"",
                            inputs.front().first, "\", and the others follow it; leave it out here"));
    }
    if (inputs.size() > 1 && sources[i].hop_samples == 0) {
      throw ConfigError(cat("inputs.", name, ": \"", sources[i].name,
                            "\" has no frames at known times, so segments cannot follow another input's"));
    }
    sets.push_back(
        {sources[i].name, nobody, sources[i].offsets, std::max<std::int64_t>(sources[i].hop_samples, 1)});
  }
  const std::vector<std::int64_t>& offsets = *sources.front().offsets;
  features::SegmentIndex cut = features::plan_segments(offsets, first.segments);
  if (first.key_segments > 0) {
    SERVAL_CHECK(sources.front().values != nullptr, "no values to choose key segments by");
    cut = features::key_segments(cut, offsets, sources.front().values, sources.front().dimension,
                                 first.key_segments);
  }
  features::AlignedInputs aligned = features::follow_segments(sets, std::move(cut));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    out.push_back(items_of(aligned.sets[i], *sources[i].offsets));
  if (log != nullptr) log->push_back(count_text(aligned.sets.front(), first.segments));
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
    if (input.fit) {
      form.image = features::fitted_image(*input.image, dimension, *input.fit);
    } else {
      const std::int64_t frames = input.whole() ? 1 : input.segments.segment_frames.front();
      form.image = features::segment_image(*input.image, dimension, frames);
    }
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
