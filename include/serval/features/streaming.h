// Features of sound that is still arriving: fed in chunks of any size, the rows that come out are those of the
// whole clip, bit for bit.
//
// A frame comes out once every sample and every frame that it depends on has arrived: the end of its window, and
// as many frames behind it as its deltas look at. What depends on the whole clip cannot be streamed: top_db and
// db_reference "peak", statistics over time, and the types whose values follow from all frames.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "serval/core/context.h"
#include "serval/features/extractor.h"

namespace serval::features {

class StreamingExtractor {
 public:
  // Throws ConfigError, naming every column and setting that needs the whole clip, and as Extractor does.
  // `context` must outlive it.
  StreamingExtractor(const FeatureSettings& settings, int sample_rate_hz, const Context& context);
  ~StreamingExtractor();
  StreamingExtractor(StreamingExtractor&&) noexcept;
  StreamingExtractor& operator=(StreamingExtractor&&) noexcept;

  // The rows that these samples complete; often none. Throws DataError for a sample that is not finite, and
  // then has taken none of the chunk.
  FeatureMatrix push(std::span<const float> samples);
  // The rows that depended on the end. Starts over for the next sound. Throws DataError when there were too few
  // samples for one frame, as Extractor does.
  FeatureMatrix finish();

  std::int64_t dimension() const;
  std::vector<std::string> names() const;
  // Samples from the middle of a frame's window to the last one it waits for, deltas included.
  std::int64_t delay_samples() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace serval::features
