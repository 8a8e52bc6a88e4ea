#include "tools/demo/style.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "serval/core/philox.h"

namespace serval::demo {
namespace {

struct Actor {
  const char* voice;
  double tract_ratio;
  double pitch_semitones;
  double words_per_minute;
  double level_db;
};

constexpr std::array<Actor, kActors> kCast = {{
    {"en-us+m3", 1.00, 0.0, 172, -32},
    {"en-us+f2", 1.00, 0.0, 170, -31},
    {"en-gb-scotland+m7", 0.95, -1.0, 160, -34},
    {"en-gb-x-rp+f5", 1.04, 1.5, 182, -33},
    {"en-gb-x-rp+m2", 1.05, 2.5, 185, -30},
    {"en-us-nyc+f3", 0.97, -1.5, 165, -35},
    {"en-029+m5", 0.97, 0.5, 176, -33},
    {"en-gb-scotland+f1", 1.02, 2.0, 158, -30},
    {"en-us-nyc+m6", 1.03, -1.5, 190, -31},
    {"en-029+f4", 0.96, 0.5, 175, -34},
    {"en-gb-x-gbclan+m4", 0.93, 1.5, 166, -35},
    {"en-gb-x-gbcwmd+f2", 1.05, -2.0, 180, -32},
    {"en-us+m1", 1.07, 3.0, 168, -33},
    {"en-us+f4", 1.03, 3.0, 188, -33},
    {"en-gb-x-gbcwmd+m3", 0.96, -2.0, 178, -32},
    {"en-gb-x-gbclan+f5", 0.98, -0.5, 162, -31},
}};

// What an emotion adds to an actor's plain delivery at full strength.
struct Emotion {
  double pitch_semitones;
  double range;
  double rate;  // natural logarithm of the factor
  double word_gap_ms;
  double level_db;
  double brightness;
  double tremor;
  char mark;
};

constexpr std::array<Emotion, kEmotions> kPlay = {{
    {0.0, 0, 0.00, 0, 0, 0.0, 0.0, '.'},          // neutral
    {-0.5, -14, -0.08, 0, -3, -0.15, 0.0, '.'},   // calm
    {3.0, 24, 0.10, 0, 4, 0.35, 0.0, '!'},        // happy
    {-1.5, -30, -0.34, 40, -8, -0.6, 0.15, '.'},  // sad
    {2.0, 12, 0.14, 0, 8, 0.5, 0.0, '!'},         // angry
    {4.5, -12, 0.22, 0, 1, 0.0, 0.6, '.'},        // fearful
    {-3.0, 16, -0.18, 20, 1, 0.2, 0.0, '.'},      // disgust
    {6.0, 45, -0.10, 0, 2, -0.1, 0.0, '?'},       // surprised
}};

constexpr std::array<const char*, kStatements> kText = {"The boats come home again",
                                                        "The lights go out again"};

// Actors differ in how they play an emotion, and no two takes are alike. These two set how hard it is to know
// an unseen actor's emotion: with the values here it is far above guessing and short of certain.
constexpr double kActorSpread = 0.8;
constexpr double kTakeSpread = 0.8;

constexpr std::uint32_t kSeed = 0x5e7a1;

enum Trait : std::uint32_t {
  kStrength,
  kPitch,
  kRange,
  kRate,
  kLevel,
  kBrightness,
  kTremor,
  kLeadIn,
  kLeadOut,
  kRating
};

// About normal, mean 0 and deviation 1, within +-3.5: the sum of four uniform numbers.
double variation(std::uint32_t key, const Take& take, bool whole_emotion, Trait trait) {
  const auto part = [&](int value, int shift) { return static_cast<std::uint32_t>(value) << shift; };
  const std::uint32_t item =
      whole_emotion ? 0 : part(take.intensity, 0) | part(take.statement, 8) | part(take.repetition, 16);
  const PhiloxBlock block =
      philox4x32(PhiloxBlock{{part(take.actor, 0), part(take.emotion, 0), item, trait}}, kSeed, key);
  double sum = -2;
  for (const std::uint32_t value : block.value) sum += value * 0x1p-32;
  return sum * std::sqrt(3.0);
}

}  // namespace

std::vector<Take> all_takes() {
  std::vector<Take> takes;
  for (int actor = 1; actor <= kActors; ++actor) {
    for (int emotion = 1; emotion <= kEmotions; ++emotion) {
      for (int intensity = 1; intensity <= (emotion == 1 ? 1 : 2); ++intensity) {
        for (int statement = 1; statement <= kStatements; ++statement) {
          for (int repetition = 1; repetition <= kRepetitions; ++repetition) {
            takes.push_back({actor, emotion, intensity, statement, repetition});
          }
        }
      }
    }
  }
  return takes;
}

std::string take_name(const Take& take) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "03-01-%02d-%02d-%02d-%02d-%02d", take.emotion, take.intensity,
                take.statement, take.repetition, take.actor);
  return name.data();
}

Delivery delivery_of(const Take& take) {
  const Actor& actor = kCast[static_cast<std::size_t>(take.actor - 1)];
  const Emotion& emotion = kPlay[static_cast<std::size_t>(take.emotion - 1)];
  // What this actor always does with this emotion, and what changes from take to take.
  const auto vary = [&](Trait trait, double actor_deviation, double take_deviation) {
    return kActorSpread * actor_deviation * variation(1, take, true, trait) +
           kTakeSpread * take_deviation * variation(2, take, false, trait);
  };
  const double strength =
      (take.intensity == 2 ? 1.2 : 0.9) * std::clamp(1 + vary(kStrength, 0.25, 0.12), 0.3, 1.6);

  Delivery out;
  out.voice = actor.voice;
  out.text = std::string(kText[static_cast<std::size_t>(take.statement - 1)]) + emotion.mark;
  out.tract_ratio = actor.tract_ratio;
  out.pitch_semitones = actor.pitch_semitones + strength * emotion.pitch_semitones + vary(kPitch, 0.8, 0.5);
  out.range = std::clamp(50 + strength * emotion.range + vary(kRange, 8, 5), 0.0, 99.0);
  out.words_per_minute = actor.words_per_minute * std::exp(strength * emotion.rate + vary(kRate, 0.05, 0.03));
  out.word_gap_ms = strength * emotion.word_gap_ms;
  out.level_db = actor.level_db + strength * emotion.level_db + vary(kLevel, 1.5, 1.0);
  out.brightness = std::clamp(strength * emotion.brightness + vary(kBrightness, 0.08, 0.05), -0.9, 0.9);
  out.tremor = std::clamp(strength * emotion.tremor + vary(kTremor, 0.04, 0.03), 0.0, 0.9);
  out.lead_in_s = 0.2 + 0.03 * variation(2, take, false, kLeadIn);
  out.lead_out_s = 0.2 + 0.03 * variation(2, take, false, kLeadOut);
  return out;
}

std::array<int, kEmotions> votes_of(const Take& take) {
  const Delivery heard = delivery_of(take);
  const Actor& actor = kCast[static_cast<std::size_t>(take.actor - 1)];
  std::array<int, kEmotions> votes{};
  for (int rater = 0; rater < kRaters; ++rater) {
    std::size_t nearest = 0;
    double least = 0;
    for (std::size_t e = 0; e < kPlay.size(); ++e) {
      const Emotion& emotion = kPlay[e];
      const double pitch = (heard.pitch_semitones - actor.pitch_semitones - emotion.pitch_semitones) / 3;
      const double rate = (std::log(heard.words_per_minute / actor.words_per_minute) - emotion.rate) / 0.15;
      const double level = (heard.level_db - actor.level_db - emotion.level_db) / 4;
      const double brightness = (heard.brightness - emotion.brightness) / 0.3;
      const double tremor = (heard.tremor - emotion.tremor) / 0.3;
      double distance =
          std::sqrt(pitch * pitch + rate * rate + level * level + brightness * brightness + tremor * tremor);
      distance +=
          0.4 * variation(3 + static_cast<std::uint32_t>(rater) * kEmotions + static_cast<std::uint32_t>(e),
                          take, false, kRating);
      if (e > 0 && distance >= least) continue;
      nearest = e;
      least = distance;
    }
    ++votes[nearest];
  }
  return votes;
}

}  // namespace serval::demo
