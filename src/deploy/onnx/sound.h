// What happens to a waveform before features: crop, trim, pre-emphasis, level, length, and 16 bits with a scale. Decoding and
// resampling stay outside.
#pragma once

#include "serval/audio/audio_settings.h"

#include "features.h"

namespace serval::deploy::onnx {

Sound write_sound(Graph& graph, const audio::AudioSettings& settings, const Sound& in, Problems& problems);

}  // namespace serval::deploy::onnx
