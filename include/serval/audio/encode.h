// A sound as the bytes of a file.
#pragma once

#include <string>

#include "serval/audio/waveform.h"

namespace serval::audio {

// FLAC with 16 bits, which browsers play; samples beyond full scale are clipped. Throws InternalError where libsndfile refuses.
std::string encode_flac(const Waveform& waveform);

// WAV with 16 bits. Samples that are whole numbers over 32768, as those of a sound card, read back the same.
std::string encode_wav(const Waveform& waveform);

}  // namespace serval::audio
