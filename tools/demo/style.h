// How the demo corpus' actors speak: sixteen synthetic voices, and what each emotion does to a delivery.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace serval::demo {

constexpr int kActors = 16;   // odd: male, even: female, as in RAVDESS
constexpr int kEmotions = 8;  // 1 neutral, 2 calm, 3 happy, 4 sad, 5 angry, 6 fearful, 7 disgust, 8 surprised
constexpr int kStatements = 2;
constexpr int kRepetitions = 2;

// One recording, all numbers from 1.
struct Take {
  int actor = 1;
  int emotion = 1;
  int intensity = 1;  // 1 normal, 2 strong; neutral has only the first
  int statement = 1;
  int repetition = 1;
};

// Every take of the corpus: 60 an actor, in the order of their names.
std::vector<Take> all_takes();

// RAVDESS' naming: 03-01-<emotion>-<intensity>-<statement>-<repetition>-<actor>, two digits each.
std::string take_name(const Take& take);

// What is asked of the voice and of the studio for one take.
struct Delivery {
  std::string voice;           // as espeak-ng -v takes it
  std::string text;            // with the closing mark that gives the sentence its melody
  double tract_ratio = 1;      // formants are moved by this factor; above 1 is a shorter vocal tract
  double pitch_semitones = 0;  // against the voice's own pitch
  double range = 50;           // melody, 0 monotone to 99 very lively
  double words_per_minute = 175;
  double word_gap_ms = 0;
  double level_db = -32;  // RMS of the finished recording against full scale
  double brightness = 0;  // -0.9 dull to 0.9 sharp
  double tremor = 0;      // depth of a 6 Hz tremble, 0 to 1
  double lead_in_s = 0.2;
  double lead_out_s = 0.2;
};

// A pure function of the take: the same on every machine.
Delivery delivery_of(const Take& take);

// How many of five made-up raters take it for each emotion: they compare the delivery with how its actor plays each.
constexpr int kRaters = 5;
std::array<int, kEmotions> votes_of(const Take& take);

}  // namespace serval::demo
