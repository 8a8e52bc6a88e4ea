// From a synthetic voice to a finished recording: vocal tract, colour, tremble, level, silence, noise floor.
#pragma once

#include <filesystem>
#include <vector>

#include "tools/demo/espeak.h"
#include "tools/demo/style.h"

namespace serval::demo {

constexpr int kSampleRateHz = 16000;

// The finished samples at kSampleRateHz. `noise_key` tells the noise of one take from that of another.
std::vector<float> produce(const Speech& speech, const Delivery& delivery, std::uint32_t noise_key);

// A 16-bit mono WAV file, whole or absent.
void write_wav(const std::filesystem::path& path, const std::vector<float>& samples);

}  // namespace serval::demo
