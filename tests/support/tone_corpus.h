// A corpus that a network can learn in seconds: tones under RAVDESS file names, one pitch an emotion, with
// noise and a detuning of each actor's own.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "serval/core/philox.h"

#include "tests/audio/sound_files.h"

namespace serval::testing_support {

struct ToneCorpus {
  int actors = 6;
  int emotions = 4;       // 01 up to this code
  int repetitions = 2;    // of each emotion by each actor
  double seconds = 0.25;  // of the shortest; lengths differ
};

inline std::string tone_name(int emotion, int repetition, int actor) {
  char name[64];
  // Neutral (01) has one intensity in RAVDESS.
  std::snprintf(name, sizeof name, "03-01-%02d-01-%02d-%02d-%02d", emotion, 1 + repetition / 2,
                1 + repetition % 2, actor);
  return name;
}

inline std::vector<float> tone_samples(const ToneCorpus& corpus, int emotion, int repetition, int actor) {
  constexpr int kRate_hz = 8000;
  const double seconds = corpus.seconds * (1 + 0.1 * repetition + 0.03 * actor);
  const double frequency_hz = 200 * std::pow(1.5, emotion) * (1 + 0.01 * actor);
  std::vector<float> samples = audio::tone(seconds, frequency_hz, 0.3, kRate_hz);
  const RandomStream noise{7, static_cast<std::uint32_t>(actor), RandomPurpose::kTest,
                           static_cast<std::uint32_t>(emotion), static_cast<std::uint32_t>(repetition)};
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += 0.2f * (noise.uniform(i) - 0.5f);
  return samples;
}

inline void make_tone_corpus(const std::string& folder, const ToneCorpus& corpus = {}) {
  for (int actor = 1; actor <= corpus.actors; ++actor) {
    for (int emotion = 1; emotion <= corpus.emotions; ++emotion) {
      for (int repetition = 0; repetition < corpus.repetitions; ++repetition) {
        audio::write_sound(folder + "/" + tone_name(emotion, repetition, actor) + ".wav",
                           tone_samples(corpus, emotion, repetition, actor), 8000);
      }
    }
  }
}

// An experiment on it that runs in about a second. `corpus` is the corpus' folder, `store` a folder for
// stores.
inline std::string tone_experiment(const std::string& corpus, const std::string& store) {
  return R"({
  "name": "tones",
  "corpora": [{"use": "ravdess", "path": ")" +
         corpus + R"("}],
  "audio": {"sample_rate_hz": 8000},
  "features": {"logmel": {"type": "log_mel", "n_mels": 20, "n_fft": 256, "hop_ms": 16}},
  "folds": {"count": 3, "validation_actors": 1},
  "models": {"lstm": {"input": {"features": "logmel"}, "network": {"layers": [
    {"type": "lstm", "hidden": 8}, {"type": "mean_pool"}, {"type": "dropout", "rate": 0.2}, {"type": "dense"}]}}},
  "train": {"optimizer": {"learning_rate": 0.03}, "batch_size": 8, "epochs": 12},
  "seeds": [1, 2],
  "store": ")" +
         store + R"("
})";
}

}  // namespace serval::testing_support
