#include "serval/audio/decode.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/pcm_hash.h"

#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DecodeTest : public ::testing::Test {
 protected:
  std::string sound(const std::string& name, int format = kWav16) {
    return write_sound(folder_ / name, tone(0.5), 16000, format);
  }
  // A message must start with the path, or a person would not know which of 12,000 recordings is meant.
  std::string error_of(const std::string& path) {
    const std::string message = message_of<DataError>([&] { decode(path); });
    EXPECT_THAT(message, StartsWith(path + ": "));
    return message;
  }
  std::string error_of_bytes(const std::string& bytes) { return error_of(folder_.write("bad.wav", bytes)); }

  TempFolder folder_;
};

TEST_F(DecodeTest, FixedPointIsDividedByFullScale) {
  const std::string path = folder_ / "a.wav";
  write_sound(path, {0.0f, 0.5f, -1.0f, 0.25f}, 22050);
  const Decoded decoded = decode_file(path);
  ASSERT_EQ(decoded.waveform.samples.size(), 4u);
  EXPECT_EQ(decoded.waveform.sample_rate_hz, 22050);
  EXPECT_EQ(decoded.channels, 1);
  EXPECT_EQ(decoded.container.kind, ContainerKind::kWav);
  EXPECT_NEAR(decoded.waveform.samples[1], 0.5, 1.0 / 32768);
  EXPECT_NEAR(decoded.waveform.samples[2], -1.0, 1.0 / 32768);
  EXPECT_NEAR(decoded.waveform.samples[3], 0.25, 1.0 / 32768);
}

TEST_F(DecodeTest, ChannelsBecomeOneByTheirMean) {
  const std::string path =
      write_sound(folder_ / "a.wav", {0.5f, 0.25f, -0.5f, 0.5f}, 16000, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2);
  const Decoded decoded = decode_file(path);
  EXPECT_EQ(decoded.channels, 2);
  EXPECT_THAT(decoded.waveform.samples, ElementsAre(0.375f, 0.0f));
}

TEST_F(DecodeTest, ReadsEveryFormatByItsContent) {
  const std::vector<std::pair<int, ContainerKind>> formats = {
      {kWav16, ContainerKind::kWav},
      {SF_FORMAT_WAV | SF_FORMAT_PCM_24, ContainerKind::kWav},
      {SF_FORMAT_WAV | SF_FORMAT_PCM_U8, ContainerKind::kWav},
      {SF_FORMAT_RF64 | SF_FORMAT_PCM_16, ContainerKind::kWav},
      {SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, ContainerKind::kWav},
      {SF_FORMAT_AIFF | SF_FORMAT_PCM_16, ContainerKind::kAiff},
      {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, ContainerKind::kFlac},
      {SF_FORMAT_OGG | SF_FORMAT_VORBIS, ContainerKind::kOgg},
      {SF_FORMAT_OGG | SF_FORMAT_OPUS, ContainerKind::kOgg},
      {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, ContainerKind::kMpeg},
  };
  for (const auto& [format, kind] : formats) {
    SCOPED_TRACE(cat("format ", std::hex, format));
    const Decoded decoded = decode_file(sound("any.wav", format));  // always the same, wrong ending
    EXPECT_EQ(decoded.container.kind, kind);
    EXPECT_EQ(decoded.waveform.sample_rate_hz, 16000);
    EXPECT_NEAR(decoded.waveform.seconds(), 0.5, 0.12);  // lossy codecs work in blocks
    double power = 0;
    for (const float sample : decoded.waveform.samples) power += static_cast<double>(sample) * sample;
    // The tone's energy: amplitude^2 / 2 for half a second.
    EXPECT_NEAR(power / 16000, 0.125 * 0.5, 0.004);
  }
}

TEST_F(DecodeTest, ReadsRarerContainersToo) {
  const std::string path = sound("a.au", SF_FORMAT_AU | SF_FORMAT_PCM_16);
  EXPECT_EQ(decode(path).samples.size(), 8000u);
}

TEST_F(DecodeTest, CropsByTime) {
  std::vector<float> ramp(1000);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i) / 1024;
  const std::string path = write_sound(folder_ / "a.wav", ramp, 1000, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  const Waveform part = decode(path, 0.1004, 0.2509);
  ASSERT_EQ(part.samples.size(), 250u);  // both are rounded down
  EXPECT_EQ(part.samples.front(), ramp[100]);
  EXPECT_EQ(part.samples.back(), ramp[349]);
  EXPECT_EQ(decode(path, 0.9, 5).samples.size(), 100u);
  EXPECT_THAT(message_of<DataError>([&] { decode(path, 1.0); }),
              HasSubstr("nothing is left after the offset of 1 s; it lasts 1 s"));
}

TEST_F(DecodeTest, CropIsExactInLossyFormats) {
  const std::string path = write_sound(folder_ / "a.ogg", tone(2), 16000, SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  const Waveform whole = decode(path);
  const Waveform part = decode(path, 1.25, 0.25);
  ASSERT_EQ(part.samples.size(), 4000u);
  EXPECT_TRUE(std::equal(part.samples.begin(), part.samples.end(), whole.samples.begin() + 20000));
}

TEST_F(DecodeTest, ChunksAroundTheSamplesAreNotSound) {
  const std::string plain = bytes_of(sound("a.wav"));
  ASSERT_EQ(plain.substr(36, 4), "data");
  const std::string filler = "FLLR" + le32(7) + std::string(8, '\x55');  // an odd length and its padding
  const std::string tail = "LIST" + le32(6) + "INFOxx" + "_PMX" + le32(4000) + std::string(4000, 'p');
  std::string bytes = plain.substr(0, 36) + filler + plain.substr(36) + tail;
  bytes.replace(4, 4, le32(static_cast<std::uint32_t>(bytes.size() - 8)));
  const std::string path = folder_.write("b.wav", bytes);
  const Decoded decoded = decode_file(path);
  EXPECT_EQ(decoded.waveform.samples, decode(folder_ / "a.wav").samples);
  EXPECT_THAT(decoded.container.extra_chunks, ElementsAre("FLLR", "LIST", "_PMX"));
}

TEST_F(DecodeTest, RefusesRatesOfNoSpeech) {
  const auto at = [&](int rate_hz) { return write_sound(folder_ / "a.wav", {0, 0.5f, 0.25f, 0}, rate_hz); };
  for (const int rate_hz : {1, kSlowestHz - 1, kFastestHz + 1}) {
    EXPECT_THAT(error_of(at(rate_hz)),
                HasSubstr(cat("1 channels at ", rate_hz, " Hz; 1000 to 1000000 Hz can be read")));
  }
  EXPECT_EQ(decode(at(kSlowestHz)).samples.size(), 4u);
  EXPECT_EQ(decode(at(kFastestHz)).samples.size(), 4u);
}

TEST_F(DecodeTest, RefusesFilesThatAreNoSound) {
  EXPECT_THAT(error_of(folder_ / "absent.wav"), HasSubstr("cannot be read"));
  EXPECT_THAT(error_of(folder_.str()), HasSubstr("cannot be read"));
  EXPECT_THAT(error_of_bytes(""), HasSubstr("empty (0 bytes)"));
  EXPECT_THAT(error_of_bytes("this is a text file"), HasSubstr("starts with \"this is a text f\""));
  EXPECT_THAT(error_of_bytes("x"), HasSubstr("starts with \"x\""));
  EXPECT_THAT(error_of_bytes("RIFF"), HasSubstr("not a recording"));
  EXPECT_THAT(error_of_bytes(bytes_of(sound("a.wav")).substr(0, 30)), HasSubstr("a broken WAV file"));
  EXPECT_THAT(error_of_bytes("OggS"), HasSubstr("is cut off"));
  EXPECT_THAT(error_of_bytes("fLaC nothing of the kind"), HasSubstr("a broken FLAC file"));
  EXPECT_THAT(error_of_bytes(std::string(5000, '\0')), HasSubstr("not a recording"));
  EXPECT_THAT(error_of(folder_.write("noise.vox", "an ending that needs no header")),
              HasSubstr("not a recording"));
  EXPECT_THAT(error_of(write_sound(folder_ / "none.wav", {})), HasSubstr("holds no samples"));
}

TEST_F(DecodeTest, RefusesNumbersThatAreNone) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    std::vector<float> samples = tone(0.5);
    samples[4000] = bad;
    const std::string path = write_sound(folder_ / "a.wav", samples, 16000, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    EXPECT_THAT(error_of(path), HasSubstr("the sample at 0.25 s is not a number or infinite"));
  }
}

TEST_F(DecodeTest, FindsFilesThatAreCutOff) {
  for (const int format : {kWav16, SF_FORMAT_RF64 | SF_FORMAT_PCM_16, SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
                           SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
                           SF_FORMAT_OGG | SF_FORMAT_OPUS}) {
    SCOPED_TRACE(cat("format ", std::hex, format));
    const std::string whole = bytes_of(sound("whole.wav", format));
    for (const std::size_t kept : {whole.size() - 2, whole.size() * 3 / 4, whole.size() / 2}) {
      const std::string path = folder_.write("cut.wav", whole.substr(0, kept));
      EXPECT_THAT(message_of<TruncatedError>([&] { decode(path); }), HasSubstr("is cut off"));
    }
  }
}

TEST_F(DecodeTest, AStreamedWavIsWhole) {
  std::string bytes = bytes_of(sound("a.wav"));
  bytes.replace(4, 4, le32(0xFFFFFFFF));
  bytes.replace(40, 4, le32(0xFFFFFFFF));
  EXPECT_EQ(decode(folder_.write("b.wav", bytes)).samples.size(), 8000u);
}

// Whatever the bytes are, decoding ends with samples or with a DataError.
TEST_F(DecodeTest, SurvivesDamage) {
  int decoded = 0;
  int refused = 0;
  std::uint32_t random = 12345;
  const auto next = [&random](std::size_t below) {
    random = random * 1664525u + 1013904223u;
    return static_cast<std::size_t>(random >> 8) % below;
  };
  for (const int format : {kWav16, SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
                           SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM}) {
    const std::string whole = bytes_of(write_sound(folder_ / "whole.wav", tone(0.1), 16000, format));
    for (int round = 0; round < 120; ++round) {
      std::string damaged = whole;
      for (int hit = 0; hit < 3; ++hit)
        damaged[next(std::min<std::size_t>(120, damaged.size()))] = static_cast<char>(next(256));
      if (round % 3 == 0) damaged.resize(next(damaged.size()));
      const std::string path = folder_.write("damaged.wav", damaged);
      try {
        for (const float sample : decode(path).samples) ASSERT_TRUE(std::isfinite(sample));
        ++decoded;
      } catch (const DataError& error) {
        EXPECT_THAT(error.what(), StartsWith(path + ": "));
        ++refused;
      }
    }
  }
  EXPECT_GT(decoded, 20);
  EXPECT_GT(refused, 20);
}

TEST_F(DecodeTest, HashNamesTheSoundAndNotTheFile) {
  const std::string wav = pcm_hash(decode(sound("a.wav")));
  EXPECT_EQ(wav.size(), 32u);
  EXPECT_EQ(wav, pcm_hash(decode(sound("b.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16))));
  Waveform other = decode(folder_ / "a.wav");
  other.samples[77] += 2.0f / 32768;
  EXPECT_NE(wav, pcm_hash(other));
  EXPECT_NE(wav, pcm_hash({decode(folder_ / "a.wav").samples, 8000}));
  EXPECT_EQ(pcm_hash({{2.0f, -3.0f}, 8000}), pcm_hash({{1.0f, -1.0f}, 8000}));
}

}  // namespace
}  // namespace serval::audio
