// What a model reads of each recording: whole feature sets, or segments that all its inputs are cut into alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/features/segment_image.h"
#include "serval/features/segments.h"

namespace serval::features {

// What a network reads of each recording by one of its inputs: the whole of it, or segments.
//   sequences   frames as they come. A segment is the sequence of its real frames: what a tail or a short recording
//               lacks is not padded but absent. `fit` cuts whole recordings to its frames.
//   images      with `image`: segments, or recordings that are made to fit; see segment_image.h
//   vectors     of feature sets with one row a recording, where the network declares a vector
struct InputSettings {
  std::string features;  // name of a feature set of the experiment
  SegmentSettings segments{.segment_frames = {}};
  std::int64_t key_segments = 0;  // of each recording and length at most so many; 0: all
  std::optional<FitSettings> fit;
  std::optional<ImageSettings> image;
  bool normalise = true;  // with the mean and deviation of the fold's training recordings

  bool whole() const { return segments.segment_frames.empty(); }
};
void describe(SettingsVisitor& v, InputSettings& settings);

// A feature set, as far as what is read of it depends on it.
struct InputSource {
  std::string name;                                    // of the feature set
  const std::vector<std::int64_t>* offsets = nullptr;  // [recordings + 1], in frames
  std::int64_t hop_samples = 0;                        // 0: unknown, or one row a recording
  const float* values = nullptr;                       // [frames, dimension], where key_segments are wanted
  std::int64_t dimension = 0;
};

// The items of each input, in the order of `inputs`: segment k of each is the same stretch of the same recording, or
// segment r the whole recording r. Throws ConfigError where the inputs cannot be cut alike, DataError as segments.h does.
std::vector<SegmentIndex> plan_inputs(const NamedList<InputSettings>& inputs,
                                      const std::vector<InputSource>& sources);

// How an input with `image` looks to a network, for features of `dimension` columns. Throws ConfigError.
SegmentImage input_image(const InputSettings& input, std::int64_t dimension);

}  // namespace serval::features
