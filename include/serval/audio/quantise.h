// Audio as 16-bit integers with a scale per recording.
//
// Whatever decodes audio passes its samples through quantise() and samples() before anything else sees them,
// with a store or without: so a run that decodes and a run that reads a store compute on the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace serval::audio {

struct QuantisedAudio {
  std::vector<std::int16_t> codes;
  float scale = 1;  // a power of two; sample = code * scale, exact in float
};

// scale is the smallest power of two for which every round(sample / scale) fits 16 bits (ties to even). So:
//   - the error is at most scale / 2, and scale is below peak / 16383: quiet recordings keep their resolution;
//   - nothing clips, however loud: samples beyond full scale get a larger scale;
//   - the samples of a 16-bit file at its own rate and level come back as they were;
//   - quantising what came back changes no sample.
// Throws DataError naming `recording` when a sample is not a number, or beyond 1e30.
QuantisedAudio quantise(std::span<const float> samples, const std::string& recording);

// code * scale into `out`, of the same size.
void dequantise(std::span<const std::int16_t> codes, float scale, std::span<float> out);
std::vector<float> samples(const QuantisedAudio& audio);

// 32 hexadecimal digits of scale and codes: equal for the same sound.
std::string hash_of(const QuantisedAudio& audio);

}  // namespace serval::audio
