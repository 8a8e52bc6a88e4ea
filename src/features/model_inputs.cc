#include "serval/features/model_inputs.h"

#include <algorithm>

#include "serval/core/error.h"
#include "serval/features/aligned_inputs.h"
#include "serval/features/key_segments.h"

namespace serval::features {

namespace {

// One item a recording: all its frames.
SegmentIndex whole_recordings(const std::vector<std::int64_t>& offsets) {
  SegmentIndex index;
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    const std::int64_t frames = offsets[r + 1] - offsets[r];
    index.segments.push_back({static_cast<std::int64_t>(r), 0, 0, frames, frames});
    index.offsets.push_back(static_cast<std::int64_t>(r));
  }
  index.offsets.push_back(static_cast<std::int64_t>(offsets.size()) - 1);
  return index;
}

std::vector<SegmentIndex> plan_whole_inputs(const NamedList<InputSettings>& inputs,
                                            const std::vector<InputSource>& sources) {
  std::vector<SegmentIndex> out;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& [name, input] = inputs[i];
    if (!input.whole()) {
      throw ConfigError(cat("inputs.", name, ".segment_frames: the first input, \"", inputs.front().first,
                            "\", is not cut; segments are cut by the first and the others follow it"));
    }
    const std::vector<std::int64_t>& offsets = *sources[i].offsets;
    out.push_back(input.fit ? plan_whole(offsets, *input.fit) : whole_recordings(offsets));
  }
  return out;
}

}  // namespace

void describe(SettingsVisitor& v, InputSettings& s) {
  v.text("features", s.features, {"name of the feature set that the network reads", "", Need::kRequired});
  describe_cuts(v, s.segments);
  v.check(!s.whole() || s.segments.shift_frames.empty(), "shift_frames",
          "says where segments start, so it needs segment_frames");
  v.integer(
      "key_segments", s.key_segments, {.min = 0, .max = 65536},
      {"segments of each recording that are kept, one of each cluster of segments that are alike; 0: all",
       "segments"});
  v.check(!s.whole() || s.key_segments == 0, "key_segments", "are segments, so it needs segment_frames");
  v.optional_object("fit", s.fit, {"whole recordings made to one length"});
  v.optional_object("image", s.image, {"images [channel, band, time] instead of sequences"});
  v.flag("normalise", s.normalise, {"with the mean and deviation of the fold's training recordings"});
  v.check(s.whole() || !s.fit, "fit", "is for whole recordings; leave out segment_frames or this");
  v.check(s.image || !s.fit || s.fit->fit == Fit::kPadOrCut, "fit.fit",
          "resampling along time makes images; a sequence can only be cut: pad_or_cut");
  if (!s.image) return;
  v.check(s.image->layout == Layout::kChannelBandTime || s.image->layout == Layout::kChannelTimeBand,
          "image.layout", "networks read channels first: channel_band_time or channel_time_band");
  const bool one_size = s.image->resize != Resize::kNone && s.image->width > 0;
  v.check(!s.whole() || s.fit || one_size, "image",
          "recordings have different lengths; give fit, segment_frames, or resize with a width");
  v.check(s.segments.segment_frames.size() < 2 || one_size, "image",
          "segments have several lengths; give resize with a width");
  v.check(!s.fit || s.image->resize == Resize::kNone, "image.resize",
          "fit resamples along time already; leave one of the two out");
}

std::vector<SegmentIndex> plan_inputs(const NamedList<InputSettings>& inputs,
                                      const std::vector<InputSource>& sources) {
  const InputSettings& first = inputs.front().second;
  if (first.whole()) return plan_whole_inputs(inputs, sources);
  std::vector<AlignedSet> sets;
  const std::vector<std::string> nobody(sources.front().offsets->size() -
                                        1);  // one manifest: the same recordings
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& [name, input] = inputs[i];
    if (i > 0 && (!input.whole() || input.fit)) {
      throw ConfigError(cat("inputs.", name, input.fit ? ".fit" : ".segment_frames",
                            ": segments are cut by the first input, \"", inputs.front().first,
                            "\", and the others follow it; leave it out here"));
    }
    if (inputs.size() > 1 && sources[i].hop_samples == 0) {
      throw ConfigError(cat("inputs.", name, ": \"", sources[i].name,
                            "\" has no frames at known times, so segments cannot follow another input's"));
    }
    sets.push_back(
        {sources[i].name, nobody, sources[i].offsets, std::max<std::int64_t>(sources[i].hop_samples, 1)});
  }
  const std::vector<std::int64_t>& offsets = *sources.front().offsets;
  SegmentIndex cut = plan_segments(offsets, first.segments);
  if (first.key_segments > 0) {
    SERVAL_CHECK(sources.front().values != nullptr, "no values to choose key segments by");
    cut = key_segments(cut, offsets, sources.front().values, sources.front().dimension, first.key_segments);
  }
  return follow_segments(sets, std::move(cut)).sets;
}

SegmentImage input_image(const InputSettings& input, std::int64_t dimension) {
  SERVAL_CHECK(input.image.has_value(), "an input without image");
  if (input.fit) return fitted_image(*input.image, dimension, *input.fit);
  return segment_image(*input.image, dimension, input.whole() ? 1 : input.segments.segment_frames.front());
}

}  // namespace serval::features
