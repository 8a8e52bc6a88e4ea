// A name for a sound, whatever file it came in.
#pragma once

#include <string>

#include "serval/audio/waveform.h"

namespace serval::audio {

// Hash of the rate and of the samples rounded to 16 bits (clipped to full scale): equal for one recording
// under two names, or as WAV and as FLAC.
std::string pcm_hash(const Waveform& waveform);

}  // namespace serval::audio
