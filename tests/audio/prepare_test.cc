#include "serval/audio/prepare.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/decode.h"
#include "serval/audio/noise_reduction.h"
#include "serval/core/error.h"
#include "serval/core/settings_io.h"

#include "tests/audio/golden_effects.h"
#include "tests/audio/librosa_golden.h"
#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The signal of tests/audio/make_golden.py.
Waveform burst() {
  std::vector<float> out(30011);
  for (std::size_t n = 0; n < out.size(); ++n) {
    const auto i = static_cast<double>(n);
    double envelope = n < 7000 ? 1e-4 : std::min(0.5, std::max(1e-4, (i - 7000) / 4000));
    if (n > 20000) envelope = 0.5 * std::exp(-(i - 20000) / 900);
    out[n] = static_cast<float>(envelope * std::sin(0.1 * i));
  }
  return {out, 16000};
}

TEST(TrimTest, FindsLibrosasRanges) {
  for (const golden::Trim& expected : golden::kTrims) {
    const SampleRange range = sound_range(burst(), expected.trim_db);
    EXPECT_EQ(range.begin, expected.begin) << expected.trim_db << " dB";
    EXPECT_EQ(range.end, expected.end) << expected.trim_db << " dB";
  }
}

TEST(TrimTest, ShortAndEvenSoundsStayWhole) {
  for (const std::size_t n : {1u, 511u, 512u, 513u, 5000u}) {
    const SampleRange range = sound_range({std::vector<float>(n, 0.5f), 16000}, 30);
    EXPECT_EQ(range.begin, 0u);
    EXPECT_EQ(range.end, n);
  }
}

TEST(CutSilenceTest, FindsLibrosasIntervals) {
  for (const golden::Split& expected : golden::kSplits) {
    std::vector<std::size_t> edges;
    for (const SampleRange& range : sound_ranges(golden_signal(24000), expected.cut_silence_db)) {
      edges.push_back(range.begin);
      edges.push_back(range.end);
    }
    EXPECT_EQ(edges, expected.edges) << expected.cut_silence_db << " dB";
  }
}

TEST(CutSilenceTest, ShortAndEvenSoundsStayWhole) {
  for (const std::size_t n : {1u, 511u, 512u, 513u, 5000u}) {
    const std::vector<SampleRange> ranges = sound_ranges({std::vector<float>(n, 0.5f), 16000}, 30);
    ASSERT_EQ(ranges.size(), 1u);
    EXPECT_EQ(ranges[0].begin, 0u);
    EXPECT_EQ(ranges[0].end, n);
  }
}

TEST(CutSilenceTest, JoinsWhatRemains) {
  AudioSettings settings;
  settings.cut_silence_db = 20;
  const Waveform whole = golden_signal(24000);
  const Waveform cut = prepare(whole, settings);
  ASSERT_EQ(cut.samples.size(), 5120u + 4096 + 6144 + 3520);
  EXPECT_EQ(cut.samples[5119], whole.samples[5119]);
  EXPECT_EQ(cut.samples[5120], whole.samples[6144]);
  EXPECT_EQ(cut.samples.back(), whole.samples.back());
}

TEST(PreEmphasisTest, FollowsLibrosa) {
  Waveform x = golden_signal(24000);
  pre_emphasise(x, 0.97);
  expect_golden("pre_emphasis 0.97", x, kTight);
  Waveform one{{0.25f}, 16000};
  pre_emphasise(one, 0.97);
  EXPECT_EQ(one.samples, std::vector<float>{0.5f});
  Waveform none{{}, 16000};
  pre_emphasise(none, 0.97);
  EXPECT_TRUE(none.samples.empty());
}

TEST(PrepareTest, TakesTheStepsInTheirOrder) {
  AudioSettings settings;
  settings.noise_reduction = NoiseReduction::kStationary;
  settings.noise_threshold_deviations = 0.5;
  settings.noise_decrease = 0.9;
  settings.cut_silence_db = 25;
  settings.pre_emphasis = 0.9;
  settings.level = Level::kPeak;
  settings.level_db = 0;
  settings.length_s = 2;
  Waveform expected = reduce_noise(golden_signal(24000), {0.5, 0.9});
  std::vector<float> joined;
  for (const SampleRange& range : sound_ranges(expected, 25)) {
    joined.insert(joined.end(), expected.samples.begin() + static_cast<std::ptrdiff_t>(range.begin),
                  expected.samples.begin() + static_cast<std::ptrdiff_t>(range.end));
  }
  ASSERT_LT(joined.size(), 24000u);
  expected.samples = joined;
  pre_emphasise(expected, 0.9);
  const double gain = 1 / peak(expected);
  for (float& sample : expected.samples) sample = static_cast<float>(sample * gain);
  expected.samples.resize(32000, 0.0f);
  EXPECT_EQ(prepare(golden_signal(24000), settings).samples, expected.samples);
}

TEST(PrepareTest, SaysWhatNoiseReductionLeft) {
  AudioSettings settings;
  settings.noise_reduction = NoiseReduction::kStationary;
  settings.noise_threshold_deviations = 20;  // nothing lies so far above
  const Waveform x{tone(1), 16000};
  EXPECT_THAT(message_of<DataError>([&] { prepare(x, settings); }),
              HasSubstr("silent once its noise is reduced: its peak is -inf dB, below silence_db -60"));
  settings.min_duration_s = 0;
  EXPECT_THAT(message_of<DataError>([&] {
                prepare({tone(0.05), 16000}, settings);
              }),
              HasSubstr("too short for noise reduction: 800 samples"));
}

TEST(LevelTest, MeasuresTones) {
  const Waveform waveform{tone(1, 400, 0.5), 16000};  // 40 samples a period: the peak is met exactly
  EXPECT_NEAR(peak(waveform), 0.5, 1e-7);
  EXPECT_NEAR(rms(waveform), 0.5 / std::sqrt(2.0), 1e-7);
  EXPECT_NEAR(to_db(0.5), -6.0206, 1e-4);
  EXPECT_NEAR(from_db(-20), 0.1, 1e-15);
  EXPECT_EQ(peak({}), 0);
  EXPECT_EQ(rms({}), 0);
}

TEST(PrepareTest, LevelsByPeakAndByRms) {
  AudioSettings settings;
  settings.level = Level::kPeak;
  settings.level_db = -3;
  const Waveform quiet{tone(1, 400, 0.01), 16000};
  EXPECT_NEAR(to_db(peak(prepare(quiet, settings))), -3, 1e-4);
  settings.level = Level::kRms;
  settings.level_db = -26;
  EXPECT_NEAR(to_db(rms(prepare(quiet, settings))), -26, 1e-4);
  settings.level = Level::kNone;
  EXPECT_EQ(prepare(quiet, settings).samples, quiet.samples);
}

TEST(PrepareTest, TrimsAfterResampling) {
  std::vector<float> samples(24000,
                             0.0f);  // half a second of nothing at 48 kHz, half of tone, half of nothing
  const std::vector<float> sound = tone(0.5, 440, 0.5, 48000);
  samples.insert(samples.end(), sound.begin(), sound.end());
  samples.resize(72000, 0.0f);
  AudioSettings settings;
  settings.trim_db = 30;
  const Waveform out = prepare({samples, 48000}, settings);
  // A frame reaches 1024 samples to each side, and frames stand every 512 samples.
  EXPECT_GE(out.samples.size(), 8000u);
  EXPECT_LE(out.samples.size(), 8000u + 2 * 1024 + 512);
  EXPECT_EQ(out.sample_rate_hz, 16000);
}

TEST(PrepareTest, CutsAndPadsAtTheEnd) {
  AudioSettings settings;
  settings.length_s = 0.25;
  const Waveform input{tone(0.5), 16000};
  const Waveform cut = prepare(input, settings);
  ASSERT_EQ(cut.samples.size(), 4000u);
  EXPECT_TRUE(std::equal(cut.samples.begin(), cut.samples.end(), input.samples.begin()));
  settings.length_s = 1;
  const Waveform padded = prepare(input, settings);
  ASSERT_EQ(padded.samples.size(), 16000u);
  EXPECT_EQ(padded.samples[7999], input.samples[7999]);
  EXPECT_EQ(padded.samples[8000], 0.0f);
  EXPECT_EQ(padded.samples.back(), 0.0f);
}

TEST(PrepareTest, RefusesSilenceAndShortSounds) {
  AudioSettings settings;
  const auto error = [&settings](const std::vector<float>& samples) {
    return message_of<DataError>([&] { prepare({samples, 16000}, settings); });
  };
  EXPECT_THAT(error(std::vector<float>(16000, 0.0f)), HasSubstr("silent: every sample is zero"));
  EXPECT_THAT(error(tone(1, 400, 0.0005)),
              HasSubstr("silent: its peak is -66.0206 dB, below silence_db -60"));
  EXPECT_THAT(error({0.5f}), HasSubstr("too short: 6.25e-05 s of sound, at least min_duration_s 0.05"));
  settings.silence_db = -80;
  EXPECT_EQ(prepare({tone(1, 400, 0.0005), 16000}, settings).samples.size(), 16000u);
  settings.trim_db = 20;
  settings.min_duration_s = 0.9;
  std::vector<float> half = tone(0.5);
  half.resize(16000, 0.0f);
  EXPECT_THAT(error(half), HasSubstr("of sound after trimming"));
}

TEST(PrepareTest, LoadCropsAndNamesTheFile) {
  const TempFolder folder;
  const std::string path = write_sound(folder / "a.wav", tone(1, 440, 0.5, 48000), 48000);
  AudioSettings settings;
  settings.offset_s = 0.25;
  settings.duration_s = 0.5;
  EXPECT_EQ(load(path, settings).samples.size(), 8000u);
  const std::string silent = write_sound(folder / "b.wav", std::vector<float>(16000, 0.0f));
  EXPECT_THAT(message_of<DataError>([&] { load(silent, settings); }), StartsWith(silent + ": silent"));
  settings.offset_s = 2;
  EXPECT_THAT(message_of<DataError>([&] { load(path, settings); }), StartsWith(path + ": nothing is left"));
}

TEST(AudioSettingsTest, ReadsAndWritesJson) {
  std::vector<std::string> errors;
  const std::string text = R"({"sample_rate_hz": 22050, "offset_s": 0.6, "duration_s": 2.5, "trim_db": 40,
    "resampler": "kaiser_fast", "noise_reduction": "stationary", "noise_decrease": 0.8, "cut_silence_db": 35,
    "pre_emphasis": 0.97, "level": "rms", "level_db": -26, "length_s": 3, "on_bad_recording": "skip"})";
  const AudioSettings settings = read_settings<AudioSettings>(parse_json(text, "t"), errors);
  EXPECT_THAT(errors, ::testing::IsEmpty());
  EXPECT_EQ(settings.sample_rate_hz, 22050);
  EXPECT_EQ(settings.duration_s, 2.5);
  EXPECT_EQ(settings.resampler, Resampler::kKaiserFast);
  EXPECT_EQ(settings.noise_reduction, NoiseReduction::kStationary);
  EXPECT_EQ(settings.noise_decrease, 0.8);
  EXPECT_EQ(settings.cut_silence_db, 35);
  EXPECT_EQ(settings.pre_emphasis, 0.97);
  EXPECT_EQ(settings.level, Level::kRms);
  EXPECT_EQ(settings.on_bad_recording, OnBadRecording::kSkip);
  const AudioSettings again = read_settings<AudioSettings>(settings_to_json(settings), errors);
  EXPECT_THAT(errors, ::testing::IsEmpty());
  EXPECT_EQ(write_json(settings_to_json(again)), write_json(settings_to_json(settings)));
  read_settings<AudioSettings>(parse_json(R"({"sample_rate_hz": 0, "level_db": -3})", "t"), errors);
  EXPECT_THAT(errors, ElementsAre(HasSubstr("sample_rate_hz: 0 is out of range"),
                                  HasSubstr("level_db: unknown key")));
  errors.clear();
  read_settings<AudioSettings>(
      parse_json(R"({"sample_rate_hz": 4000, "noise_reduction": "stationary", "pre_emphasis": 1.5,
                     "cut_silence_db": 0})",
                 "t"),
      errors);
  EXPECT_THAT(errors, ::testing::UnorderedElementsAre(
                          HasSubstr("pre_emphasis: 1.5 is out of range [0, 1]"),
                          HasSubstr("cut_silence_db: 0 is out of range (0, 200]"),
                          HasSubstr("noise_reduction: needs a sample_rate_hz of 5120 or more, not 4000")));
}

}  // namespace
}  // namespace serval::audio
