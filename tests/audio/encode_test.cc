#include "serval/audio/encode.h"

#include <gtest/gtest.h>

#include "serval/audio/decode.h"

#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

TEST(Encode, FlacReadsBackToTheLastBit) {
  const TempFolder folder;
  Waveform sound{tone(0.5, 440, 0.5, 22050), 22050};
  sound.samples[3] = 1.5f;  // beyond full scale
  sound.samples[4] = -7;
  const std::string bytes = encode_flac(sound);
  EXPECT_EQ(bytes.substr(0, 4), "fLaC");
  const auto read = decode(folder.write("x.flac", bytes));
  ASSERT_EQ(read.samples.size(), sound.samples.size());
  EXPECT_EQ(read.sample_rate_hz, 22050);
  for (std::size_t i = 0; i < sound.samples.size(); ++i) {
    const float wanted = std::clamp(sound.samples[i], -1.0f, 1.0f);
    EXPECT_NEAR(read.samples[i], wanted, 1.0 / 32767) << i;
  }
}

TEST(Encode, WavKeepsWhatASoundCardGives) {
  const TempFolder folder;
  Waveform sound{{}, 8000};
  for (int i = -32768; i < 32768; i += 97) sound.samples.push_back(static_cast<float>(i) / 32768);
  EXPECT_EQ(decode(folder.write("x.wav", encode_wav(sound))).samples, sound.samples);
  sound.samples = {1.5f, -1.5f};
  EXPECT_EQ(decode(folder.write("y.wav", encode_wav(sound))).samples,
            (std::vector<float>{32767.0f / 32768, -1}));
}

}  // namespace
}  // namespace serval::audio
