// Small manifests for the fold tests.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "serval/corpus/manifest.h"

namespace serval::folds {

inline std::string numbered(const std::string& corpus, int number) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%02d", number);
  return corpus + "/" + digits;
}

inline void add_recording(corpus::Manifest& manifest, const std::string& corpus, const std::string& actor,
                          int label) {
  corpus::Recording recording;
  recording.id = actor + "-" + std::to_string(manifest.recordings.size());
  recording.corpus = corpus;
  recording.actor = actor;
  manifest.recordings.push_back(recording);
  manifest.class_of.push_back(label);
}

// `actors` actors from 01 on, odd ones male and even ones female as in RAVDESS, each speaking every class
// once.
inline corpus::Manifest numbered_manifest(const std::string& corpus, int actors, int classes = 3) {
  corpus::Manifest manifest;
  const std::vector<std::string> names = {"angry", "calm", "happy", "neutral", "sad"};
  manifest.classes.assign(names.begin(), names.begin() + classes);
  for (int number = 1; number <= actors; ++number) {
    for (int c = 0; c < classes; ++c) {
      add_recording(manifest, corpus, numbered(corpus, number), c);
      manifest.recordings.back().gender = number % 2 == 0 ? corpus::Gender::kFemale : corpus::Gender::kMale;
    }
  }
  return manifest;
}

inline std::vector<std::string> numbered_actors(const std::string& corpus, const std::vector<int>& numbers) {
  std::vector<std::string> out;
  for (const int number : numbers) out.push_back(numbered(corpus, number));
  return out;
}

}  // namespace serval::folds
