// The signal of tests/golden/audio/make_goldens.py.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/audio/waveform.h"

namespace serval::audio {

inline Waveform golden_signal(std::size_t count, int rate_hz = 16000) {
  Waveform out{{}, rate_hz};
  std::uint32_t state = 1;
  for (std::size_t n = 0; n < count; ++n) {
    state = 1664525u * state + 1013904223u;
    const auto i = static_cast<double>(n);
    const double loud = n % 7000 < 4000 ? 0.4 : 0.001;
    const double x = loud * std::sin(0.05 * i + 0.00001 * i * i) + 0.02 * (state * 0x1p-32 - 0.5);
    out.samples.push_back(n >= 9000 && n < 12500 ? 0.0f : static_cast<float>(x));
  }
  return out;
}

}  // namespace serval::audio
