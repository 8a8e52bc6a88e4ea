#include "serval/audio/augment.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/effects.h"
#include "serval/audio/prepare.h"
#include "serval/core/error.h"
#include "serval/core/parallel.h"
#include "serval/core/settings_io.h"

#include "tests/audio/signals.h"
#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

AugmentSettings settings_of(const std::string& json) {
  std::vector<std::string> errors;
  AugmentSettings settings = read_settings<AugmentSettings>(parse_json(json, "t"), errors);
  EXPECT_THAT(errors, IsEmpty());
  return settings;
}

std::vector<std::string> errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<AugmentSettings>(parse_json(json, "t"), errors);
  return errors;
}

AugmentSettings one_of(EffectSettings effect) {
  AugmentSettings settings;
  settings.effects = {effect};
  return settings;
}

// Every effect that needs no file.
AugmentSettings everything(const std::string& choose) {
  return settings_of(R"({"copies": 2, "choose": ")" + choose + R"(", "redraw": "every_epoch", "effects": [
    {"type": "pitch", "semitones": [-2, 2], "probability": 0.5},
    {"type": "noise", "snr_db": [10, 30]},
    {"type": "noise", "noise": "pink", "snr_db": 20},
    {"type": "noise", "noise": "peak"},
    {"type": "stretch", "rate": [0.8, 1.2]},
    {"type": "speed"},
    {"type": "roll", "shift_samples": [-100, 100]},
    {"type": "gain"},
    {"type": "low_pass"},
    {"type": "room"}]})");
}

TEST(AugmentSettingsTest, ReadsAndWritesJson) {
  const AugmentSettings settings = everything("all");
  EXPECT_EQ(settings.copies, 2);
  EXPECT_EQ(settings.choose, Choose::kAll);
  EXPECT_EQ(settings.redraw, Redraw::kEveryEpoch);
  ASSERT_EQ(settings.effects.size(), 10u);
  EXPECT_EQ(settings.effects[0].probability, 0.5);
  EXPECT_EQ(settings.effects[2].snr_db, (Interval{20, 20}));
  EXPECT_EQ(settings.effects[4].stretch_rate, (Interval{0.8, 1.2}));
  EXPECT_EQ(settings.effects[6].shift_samples, (Interval{-100, 100}));
  AugmentSettings copy = settings;
  const JsonValue written = settings_to_json(copy);
  AugmentSettings again = settings_of(write_json(written));
  EXPECT_EQ(write_json(settings_to_json(again)), write_json(written));
  EXPECT_FALSE(AugmentSettings{}.enabled());
  EXPECT_TRUE(settings.enabled());
}

TEST(AugmentSettingsTest, TheSchemaTakesOneNumberOrTwo) {
  EffectSettings settings;
  const JsonValue schema = settings_schema([&](SettingsVisitor& v) { describe(v, settings); });
  const JsonValue& semitones = *schema.find("properties")->find("semitones");
  ASSERT_EQ(semitones.find("anyOf")->items.size(), 2u);
  EXPECT_EQ(semitones.find("anyOf")->items[0].find("maximum")->real, 24);
  EXPECT_EQ(semitones.find("anyOf")->items[1].find("minItems")->integer, 2);
  EXPECT_EQ(semitones.find("default")->items.size(), 2u);
}

TEST(AugmentSettingsTest, EveryMistakeIsNamedWithItsPlace) {
  EXPECT_THAT(errors_of(R"({"copies": 0})"), ElementsAre(HasSubstr("copies: 0 is out of range [1, 1000]")));
  EXPECT_THAT(errors_of(R"({"choose": "some"})"),
              ElementsAre(HasSubstr("choose: \"some\" is not one of {one, all}")));
  const auto effect = [](const std::string& fields) {
    return errors_of(R"({"effects": [{)" + fields + "}]}");
  };
  EXPECT_THAT(effect(R"("semitones": 1)"), ElementsAre(HasSubstr("effects[0].type: is missing")));
  EXPECT_THAT(effect(R"("type": "pitc")"), ElementsAre(HasSubstr("did you mean \"pitch\"?")));
  EXPECT_THAT(effect(R"("type": "pitch", "semitones": [-25, 2])"),
              ElementsAre(HasSubstr("effects[0].semitones[0]: -25 is out of range [-24, 24]")));
  EXPECT_THAT(effect(R"("type": "pitch", "semitones": [2, -2])"),
              ElementsAre(HasSubstr("effects[0].semitones: [2, -2]: low is above high")));
  EXPECT_THAT(effect(R"("type": "pitch", "semitones": [1, 2, 3])"),
              ElementsAre(HasSubstr("effects[0].semitones: must be [low, high], not 3 values")));
  EXPECT_THAT(effect(R"("type": "pitch", "semitones": "two")"),
              ElementsAre(HasSubstr("effects[0].semitones: must be a number")));
  EXPECT_THAT(effect(R"("type": "pitch", "rate": 1)"),
              ElementsAre(HasSubstr("effects[0].rate: unknown key")));
  EXPECT_THAT(effect(R"("type": "stretch", "rate": [0, 1])"),
              ElementsAre(HasSubstr("effects[0].rate[0]: 0 is out")));
  EXPECT_THAT(effect(R"("type": "roll", "shift_samples": 0.5)"),
              ElementsAre(HasSubstr("effects[0].shift_samples: must be whole numbers")));
  EXPECT_THAT(effect(R"("type": "gain", "probability": 0)"),
              ElementsAre(HasSubstr("effects[0].probability: 0")));
  EXPECT_THAT(effect(R"("type": "noise", "noise": "recordings")"),
              ElementsAre(HasSubstr("effects[0].folder: is missing")));
  EXPECT_THAT(effect(R"("type": "noise", "noise": "peak", "snr_db": 10)"),
              ElementsAre(HasSubstr("effects[0].snr_db: unknown key")));
  EXPECT_THAT(effect(R"("type": "room", "room": "file")"),
              ElementsAre(HasSubstr("effects[0].file: is missing")));
}

TEST(AugmenterTest, DrawsWithinItsIntervalsAndAllOverThem) {
  const Augmenter augmenter(everything("all"), 16000);
  double lowest = 100, highest = -100;
  int pitched = 0;
  for (std::uint32_t copy = 0; copy < 400; ++copy) {
    for (const DrawnEffect& drawn : augmenter.draw({1, 0, 0, copy, 99})) {
      if (drawn.type == EffectType::kPitch) ++pitched;
      if (drawn.effect == 1) {
        lowest = std::min(lowest, drawn.value);
        highest = std::max(highest, drawn.value);
      }
      if (drawn.type == EffectType::kRoll) EXPECT_EQ(drawn.value, std::floor(drawn.value));
    }
  }
  EXPECT_GE(lowest, 10);
  EXPECT_LT(lowest, 10.5);
  EXPECT_LE(highest, 30);
  EXPECT_GT(highest, 29.5);
  EXPECT_NEAR(pitched, 200, 40);  // probability 0.5
}

TEST(AugmenterTest, ChoosesEveryEffectAboutEquallyOften) {
  AugmentSettings settings = everything("one");
  settings.effects[0].probability = 1;
  const Augmenter augmenter(settings, 16000);
  std::vector<int> times(settings.effects.size(), 0);
  for (std::uint32_t copy = 0; copy < 2000; ++copy) {
    const std::vector<DrawnEffect> drawn = augmenter.draw({1, 0, 0, copy, 99});
    ASSERT_EQ(drawn.size(), 1u);
    ++times[drawn[0].effect];
  }
  for (const int count : times) EXPECT_NEAR(count, 200, 60);
}

TEST(AugmenterTest, EveryPartOfTheKeyMatters) {
  const Augmenter augmenter(everything("all"), 16000);
  const Waveform x = golden_signal(6000);
  const CopyKey key{1, 2, 3, 4, 5};
  const Waveform first = augmenter.copy(x, key);
  EXPECT_EQ(augmenter.copy(x, key).samples, first.samples);
  for (const CopyKey& other : {CopyKey{9, 2, 3, 4, 5},
                               {1, 9, 3, 4, 5},
                               {1, 2, 9, 4, 5},
                               {1, 2, 3, 9, 5},
                               {1, 2, 3, 4, 9},
                               {1ull << 40, 2, 3, 4, 5},
                               {1, 2, 3, 4, 1ull << 40}}) {
    EXPECT_NE(augmenter.copy(x, other).samples, first.samples);
  }
  EXPECT_EQ(recording_key("00000000000000ffee00000000000000"), 255u);
}

// The draw of an effect does not depend on which others stand behind it.
TEST(AugmenterTest, AnEffectsNumbersAreItsOwn) {
  AugmentSettings fewer = everything("all");
  fewer.effects.resize(5);
  const Augmenter all(everything("all"), 16000), some(fewer, 16000);
  const auto drawn_all = all.draw({1, 2, 3, 4, 5}), drawn_some = some.draw({1, 2, 3, 4, 5});
  ASSERT_LE(drawn_some.size(), drawn_all.size());
  for (std::size_t i = 0; i < drawn_some.size(); ++i) EXPECT_EQ(drawn_some[i].value, drawn_all[i].value);
}

TEST(AugmenterTest, ThreadsChangeNoBit) {
  const Augmenter augmenter(everything("one"), 16000);
  const Waveform x = golden_signal(5000);
  std::vector<Waveform> alone, together(24);
  for (std::uint32_t copy = 0; copy < 24; ++copy) alone.push_back(augmenter.copy(x, {1, 0, 0, copy, 7}));
  parallel_for(together.size(), 4, [&](std::size_t i) {
    together[i] = augmenter.copy(x, {1, 0, 0, static_cast<std::uint32_t>(i), 7});
  });
  for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_EQ(alone[i].samples, together[i].samples) << i;
}

TEST(AugmenterTest, AppliesWhatTheLineageSays) {
  EffectSettings effect;
  effect.type = EffectType::kStretch;
  effect.stretch_rate = {1.5, 1.5};
  const Augmenter stretch(one_of(effect), 16000);
  const Waveform x = golden_signal(6000);
  EXPECT_EQ(stretch.copy(x, {}).samples, time_stretch(x, 1.5).samples);
  EXPECT_EQ(stretch.parameters(stretch.draw({})[0]), "rate=1.5");

  effect.type = EffectType::kRoll;
  const Augmenter roller(one_of(effect), 16000);
  const DrawnEffect drawn = roller.draw({3, 0, 0, 0, 0})[0];
  EXPECT_EQ(roller.copy(x, {3, 0, 0, 0, 0}).samples, roll(x, std::llround(drawn.value)).samples);
  EXPECT_EQ(roller.parameters(drawn), cat("shift_samples=", std::llround(drawn.value)));

  effect.type = EffectType::kRoom;
  const Augmenter room(one_of(effect), 16000);
  EXPECT_THAT(room.parameters(room.draw({})[0]),
              testing::MatchesRegex("rt60_s=0\\.[0-9]+;direct_to_reverberant_db=.*"));
}

TEST(AugmenterTest, PeakNoiseIsTheNotebooksRule) {
  EffectSettings effect;
  effect.type = EffectType::kNoise;
  effect.noise = NoiseKind::kPeak;
  const Augmenter augmenter(one_of(effect), 16000);
  Waveform x = golden_signal(20000);
  x.samples[77] = -0.9f;  // the largest magnitude is not the largest sample
  const CopyKey key{5, 0, 0, 0, 0};
  const DrawnEffect drawn = augmenter.draw(key)[0];
  const Waveform y = augmenter.copy(x, key);
  double energy = 0;
  for (std::size_t i = 0; i < x.samples.size(); ++i)
    energy += std::pow(static_cast<double>(y.samples[i]) - x.samples[i], 2);
  const double expected = 0.035 * drawn.value * *std::max_element(x.samples.begin(), x.samples.end());
  EXPECT_NEAR(std::sqrt(energy / 20000) / expected, 1, 0.03);
  EXPECT_GT(drawn.value, 0);
  EXPECT_LT(drawn.value, 1);
}

TEST(AugmenterTest, RecordedNoiseComesFromTheFolder) {
  const TempFolder folder;
  write_sound(folder / "noise/b.wav", tone(0.05, 3000));
  std::vector<float> late(16000, 0.0f);
  late[9000] = 0.5f;
  write_sound(folder / "noise/deep/a.wav", late);
  folder.write("noise/README.txt", "no sound");
  EffectSettings effect;
  effect.type = EffectType::kNoise;
  effect.noise = NoiseKind::kRecordings;
  effect.noise_folder = folder / "noise";
  effect.snr_db = {10, 10};
  const Augmenter augmenter(one_of(effect), 16000);
  const Waveform x = golden_signal(4000);
  std::set<std::string> names;
  for (std::uint32_t copy = 0; copy < 20; ++copy) {
    const CopyKey key{1, 0, 0, copy, 3};
    const DrawnEffect drawn = augmenter.draw(key)[0];
    const std::string text = augmenter.parameters(drawn);
    names.insert(text.substr(0, text.find(';')));
    const Waveform y = augmenter.copy(x, key);
    double sound = 0, added = 0;
    for (std::size_t i = 0; i < x.samples.size(); ++i) {
      sound += std::pow(x.samples[i], 2);
      added += std::pow(static_cast<double>(y.samples[i]) - x.samples[i], 2);
    }
    EXPECT_NEAR(10 * std::log10(sound / added), 10, 1e-5) << text;
    // Wherever the draw falls in the silence, the part starts at the sample that sounds.
    if (text.find("deep/a.wav") != std::string::npos) EXPECT_EQ(drawn.start, 9000u);
  }
  EXPECT_THAT(names, ElementsAre("noise=b.wav", "noise=deep/a.wav"));
}

TEST(AugmenterTest, ARecordedRoomIsConvolved) {
  const TempFolder folder;
  std::vector<float> response(400, 0.0f);
  response[100] = 0.5f;
  response[300] = 0.25f;
  EffectSettings effect;
  effect.type = EffectType::kRoom;
  effect.room = RoomKind::kFile;
  effect.response_file = write_sound(folder / "hall.wav", response);
  const Augmenter augmenter(one_of(effect), 16000);
  const Waveform x = golden_signal(4000);
  const Waveform y = augmenter.copy(x, {});
  const double gain = y.samples[0] / x.samples[0];
  for (const std::size_t i : {50u, 199u, 200u, 3999u}) {
    const double echo = i >= 200 ? 0.5 * x.samples[i - 200] : 0;
    EXPECT_NEAR(y.samples[i], gain * (x.samples[i] + echo), 1e-5) << i;
  }
  EXPECT_EQ(augmenter.parameters(augmenter.draw({})[0]), "file=hall.wav");
}

TEST(AugmenterTest, FilesThatCannotServeAreNamed) {
  const TempFolder folder;
  EffectSettings effect;
  effect.type = EffectType::kNoise;
  effect.noise = NoiseKind::kRecordings;
  effect.noise_folder = folder / "absent";
  EXPECT_THAT(message_of<ConfigError>([&] { Augmenter(one_of(effect), 16000); }),
              StartsWith(effect.noise_folder + ": cannot be read"));
  folder.write("empty/x.txt", "x");
  effect.noise_folder = folder / "empty";
  EXPECT_THAT(message_of<ConfigError>([&] { Augmenter(one_of(effect), 16000); }),
              HasSubstr("empty: holds no recordings of noise"));
  write_sound(folder / "silent/s.wav", std::vector<float>(100, 0.0f));
  effect.noise_folder = folder / "silent";
  EXPECT_THAT(message_of<DataError>([&] { Augmenter(one_of(effect), 16000); }),
              HasSubstr("s.wav: silent: every sample is zero"));
  effect.type = EffectType::kRoom;
  effect.room = RoomKind::kFile;
  effect.response_file = folder / "nowhere.wav";
  EXPECT_THAT(message_of<DataError>([&] { Augmenter(one_of(effect), 16000); }), HasSubstr("nowhere.wav"));
  effect.type = EffectType::kLowPass;
  EXPECT_THAT(message_of<ConfigError>([&] { Augmenter(one_of(effect), 8000); }),
              HasSubstr("effects[0].cutoff_hz: 4000 must lie below half the sample rate, 4000"));
}

TEST(AugmenterTest, WhatCannotBeAppliedSaysWhatWasDrawn) {
  EffectSettings effect;
  effect.type = EffectType::kNoise;
  effect.snr_db = {10, 10};
  const Augmenter augmenter(one_of(effect), 16000);
  EXPECT_EQ(message_of<DataError>([&] {
              augmenter.copy({std::vector<float>(100, 0.0f), 16000}, {});
            }),
            "noise (noise=white;snr_db=10): silent: there is no signal-to-noise ratio");
  EXPECT_EQ(message_of<DataError>([&] { augmenter.copy({{}, 16000}, {}); }), "there are no samples");
}

TEST(AugmenterTest, NoCopyIsLongerThanItSays) {
  for (const char* choose : {"one", "all"}) {
    const Augmenter augmenter(everything(choose), 16000);
    for (const std::size_t n : {1000u, 3001u}) {
      for (std::uint32_t copy = 0; copy < 40; ++copy) {
        EXPECT_LE(augmenter.copy(golden_signal(n), {1, 0, 0, copy, 0}).samples.size(), augmenter.longest(n));
      }
    }
  }
  const Augmenter all(everything("all"), 16000);
  EXPECT_LT(all.longest(10000), 14000u);  // 1 / (0.8 * 0.9) times as long
}

TEST(AugmenterTest, TheFingerprintFollowsSettingsAndContent) {
  const TempFolder folder;
  write_sound(folder / "a/n.wav", tone(0.1));
  write_sound(folder / "b/n.wav", tone(0.1));
  EffectSettings effect;
  effect.type = EffectType::kNoise;
  effect.noise = NoiseKind::kRecordings;
  effect.noise_folder = folder / "a";
  const std::string first = Augmenter(one_of(effect), 16000).fingerprint();
  effect.noise_folder = folder / "b";
  EXPECT_EQ(Augmenter(one_of(effect), 16000).fingerprint(), first);  // the same content elsewhere
  EXPECT_NE(Augmenter(one_of(effect), 22050).fingerprint(), first);
  write_sound(folder / "b/n.wav", tone(0.1, 500));
  EXPECT_NE(Augmenter(one_of(effect), 16000).fingerprint(), first);
  effect.noise_folder = folder / "a";
  effect.snr_db.high = 31;
  EXPECT_NE(Augmenter(one_of(effect), 16000).fingerprint(), first);
}

}  // namespace
}  // namespace serval::audio
