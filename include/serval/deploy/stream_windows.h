// Endless sound cut into windows that overlap. Window k is the samples [k hop, k hop + window), counted from the
// start of the stream, however the samples come in. It holds one window of samples at most, whatever comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace serval::deploy {

struct StreamWindow {
  std::int64_t begin = 0;      // of the stream's samples
  std::vector<float> samples;  // mono
  bool last = false;           // what is left at the end: shorter than the others

  std::int64_t end() const { return begin + static_cast<std::int64_t>(samples.size()); }
};

class StreamWindows {
 public:
  StreamWindows(std::int64_t window, std::int64_t hop);  // samples, at least 1; InternalError otherwise

  // Takes samples from the front until a window is due; returns how many.
  std::size_t feed(std::span<const float> samples);
  bool due() const;
  StreamWindow take();  // the window that is due

  // After the last sample: begins where the next window would, and is empty when no window left out a sample.
  StreamWindow rest() const;
  std::int64_t fed() const { return fed_; }

 private:
  StreamWindow copy(std::int64_t end) const;

  std::int64_t window_, hop_;
  std::int64_t begin_ = 0;    // of the next window
  std::int64_t covered_ = 0;  // end of the last window
  std::int64_t fed_ = 0;
  std::vector<float> ring_;  // sample i at i % window
};

}  // namespace serval::deploy
