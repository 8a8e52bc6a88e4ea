#include <algorithm>

#include "serval/audio/effects.h"

#include "check_samples.h"

namespace serval::audio {

Waveform roll(const Waveform& waveform, std::int64_t shift_samples) {
  check_sound(waveform);
  const auto n = static_cast<std::int64_t>(waveform.samples.size());
  const std::int64_t right = (shift_samples % n + n) % n;
  Waveform out = waveform;
  std::rotate(out.samples.begin(), out.samples.begin() + (n - right), out.samples.end());
  return out;
}

}  // namespace serval::audio
