// Bytes of a stream become the samples that decoding a file of them gives.
#include "serval/deploy/pcm.h"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/decode.h"
#include "serval/core/error.h"

#include "tests/audio/sound_files.h"

namespace serval::deploy {
namespace {

using audio::message_of;
using testing::HasSubstr;

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

std::vector<float> read(const PcmFormat& format, const std::string& bytes, std::size_t piece) {
  PcmReader reader(format);
  std::vector<float> out;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    reader.read(std::string_view(bytes).substr(at, piece), out);
  EXPECT_FALSE(reader.within_frame());
  return out;
}

TEST(PcmTest, GivesWhatAFileGives) {
  const audio::TempFolder folder;
  for (const int channels : {1, 2, 64}) {
    const std::vector<float> drawn = audio::tone(0.02, 440, 0.7);
    std::vector<float> samples;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      for (int c = 0; c < channels; ++c) samples.push_back(drawn[i] * (1 + 0.3f * static_cast<float>(c % 2)));
    }
    const std::string floats =
        audio::write_sound(folder / "f.wav", samples, 16000, SF_FORMAT_WAV | SF_FORMAT_FLOAT, channels);
    std::vector<std::int16_t> integers;
    for (const float sample : samples)
      integers.push_back(static_cast<std::int16_t>(std::lround(sample * 32767)));
    std::vector<float> exact;
    for (const std::int16_t integer : integers) exact.push_back(static_cast<float>(integer) / 32768);
    const std::string shorts =
        audio::write_sound(folder / "s.wav", exact, 16000, SF_FORMAT_WAV | SF_FORMAT_FLOAT, channels);
    for (const std::size_t piece : {1, 3, 1000000}) {
      EXPECT_EQ(read({16000, channels, PcmEncoding::kF32le}, bytes_of(samples), piece),
                audio::decode(floats).samples);
      EXPECT_EQ(read({16000, channels, PcmEncoding::kS16le}, bytes_of(integers), piece),
                audio::decode(shorts).samples);
    }
  }
}

TEST(PcmTest, RefusesWhatIsNoSound) {
  PcmReader reader({16000, 1, PcmEncoding::kF32le});
  std::vector<float> out;
  reader.read(bytes_of<float>({0.5f, 0.25f}), out);
  EXPECT_THAT(message_of<DataError>([&] {
                reader.read(bytes_of<float>({0.5f, NAN}), out);
              }),
              HasSubstr("sample 3 is nan"));
  PcmReader loud({16000, 1, PcmEncoding::kF32le});
  EXPECT_THROW(loud.read(bytes_of<float>({INFINITY}), out), DataError);
  PcmReader half({16000, 2, PcmEncoding::kS16le});
  half.read("abc", out);
  EXPECT_TRUE(half.within_frame());

  EXPECT_THROW(PcmReader({0, 1, PcmEncoding::kS16le}), ConfigError);
  EXPECT_THROW(PcmReader({1'000'001, 1, PcmEncoding::kS16le}), ConfigError);
  EXPECT_THROW(PcmReader({16000, 0, PcmEncoding::kS16le}), ConfigError);
  EXPECT_THROW(PcmReader({16000, 65, PcmEncoding::kS16le}), ConfigError);
  EXPECT_EQ(pcm_encoding("f32le"), PcmEncoding::kF32le);
  EXPECT_THAT(message_of<ConfigError>([] { pcm_encoding("mp3"); }), HasSubstr("s16le and f32le"));
}

}  // namespace
}  // namespace serval::deploy
