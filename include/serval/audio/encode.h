// A sound as the bytes of a file.
#pragma once

#include <string>

#include "serval/audio/waveform.h"

namespace serval::audio {

// FLAC with 16 bits, which browsers play; samples beyond full scale are clipped. Throws InternalError where libsndfile refuses.
std::string encode_flac(const Waveform& waveform);

}  // namespace serval::audio
