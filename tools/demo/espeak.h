// The espeak-ng program as a voice.
#pragma once

#include <string>
#include <vector>

#include "tools/demo/style.h"

namespace serval::demo {

struct Speech {
  std::vector<float> samples;  // mono, full scale at 1
  int sample_rate_hz = 0;
};

// "1.51" of the espeak-ng on PATH. Throws ConfigError when there is none.
std::string espeak_version();

// Lets espeak-ng speak the delivery's text into `scratch_path` (removed again) and returns what it said.
// Pitch, melody, rate and gaps are done here; the rest of the delivery is the studio's.
Speech speak(const Delivery& delivery, const std::string& scratch_path);

}  // namespace serval::demo
