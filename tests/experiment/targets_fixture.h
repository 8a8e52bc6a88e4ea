// An experiment on the corpus of tones whose networks learn votes, numbers and genders, and its tables.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "src/experiment/targets.h"
#include "tests/support/devices.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
using corpus::message_of;
using corpus::TempFolder;

// Of recording (emotion, repetition, actor): the emotion as a number in a unit of its own, and nearly the pitch.
inline double valence(int emotion, int repetition) { return 100 + 25 * emotion + repetition; }
inline double pitch(int emotion, int actor) { return -3 + 0.5 * emotion + 0.01 * actor; }

template <class Line>
std::string table(const std::string& header, Line line) {
  std::string out = header + "\n";
  for (int actor = 1; actor <= 6; ++actor) {
    for (int emotion = 1; emotion <= 4; ++emotion) {
      for (int repetition = 0; repetition < 2; ++repetition)
        out += line(testing_support::tone_name(emotion, repetition, actor), emotion, repetition, actor);
    }
  }
  return out;
}
inline std::string numbers_table() {
  return table(
      "file,valence,note,pitch", [](const std::string& name, int emotion, int repetition, int actor) {
        return cat(name, ".wav,", valence(emotion, repetition), ",heard,", pitch(emotion, actor), "\n");
      });
}
// Three raters of whom one errs, and words or columns of the file's own.
inline const char* const kWords[] = {"N", "C", "H", "S"};
inline std::string wide_votes() {
  return table("clip,N,C,happy,S,X", [](const std::string& name, int emotion, int, int) {
    std::string line = name;
    for (int c = 1; c <= 4; ++c) line += c == emotion ? ",2" : c == emotion % 4 + 1 ? ",1" : ",0";
    return line + ",7\n";
  });
}
inline std::string long_votes() {
  return table("rater,clip,vote", [](const std::string& name, int emotion, int, int) {
    const auto word = [](int c) { return c == 3 ? "happy" : kWords[c - 1]; };
    return cat("a,", name, ",", word(emotion), "\nb,", name, ",", word(emotion % 4 + 1), "\nc,", name, ",",
               word(emotion), "\nd,", name, ",X\n");
  });
}

inline constexpr const char* kMap = R"("label_map": {"N": "neutral", "C": "calm", "S": "sad")";
inline constexpr const char* kShared =
    R"("layers": [{"type": "lstm", "hidden": 8}, {"type": "mean_pool", "name": "pooled"},
    {"type": "dense", "name": "emotion"}, {"type": "dense", "name": "dims", "units": 2, "input": "pooled"},
    {"type": "dense", "name": "who", "units": 2, "input": "pooled"}])";
inline constexpr const char* kHeads = R"("heads": {"emotion": {"target": "votes"},
    "dims": {"target": "affect", "loss": {"type": "concordance"}, "weight": 2}, "who": {"target": "voice", "weight": 0.1}})";

class TargetsTest : public testing_support::DeviceTest {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
    folder_.write("numbers.csv", numbers_table());
    folder_.write("wide.csv", wide_votes());
    folder_.write("long.csv", long_votes());
  }
  void TearDown() override { request_interrupt(false); }

  std::string usual_targets() const {
    return cat(R"("votes": {"type": "votes", "file": "wide.csv", "recording": "clip", )", kMap, R"(}},
      "affect": {"type": "numbers", "file": "numbers.csv", "columns": ["valence", "pitch"], "standardise": true},
      "voice": {"type": "attribute", "attribute": "gender"})");
  }
  ExperimentSettings load(const std::string& targets, const std::string& model,
                          const std::vector<std::string>& overrides = {}) const {
    return load_experiment(folder_.write("x.json", cat(R"({
  "name": "targets",
  "corpora": [{"use": "ravdess", "path": ")",
                                                       folder_ / "corpus", R"("}],
  "audio": {"sample_rate_hz": 8000},
  "features": {"logmel": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16}},
  "folds": {"count": 3, "validation_actors": 1},
  "targets": {)",
                                                       targets, R"(},
  "models": {"m": {"input": {"features": "logmel"}, )",
                                                       model, R"(}},
  "train": {"optimizer": {"learning_rate": 0.03}, "batch_size": 8, "epochs": 12},
  "seeds": [1, 2],
  "store": ")",
                                                       folder_ / "stores", "\"}")),
                           overrides);
  }
  JsonValue run(const std::string& out, const ExperimentSettings& settings) const {
    const RunOutcome outcome = run_experiment(settings, {device(), 2, folder_ / out});
    return parse_json(outcome.results_json, "results");
  }
  std::string file(const std::string& name) const { return read_text(folder_ / name); }

  // Of what reads the tables.
  std::string data_error(const std::string& targets) const {
    const ExperimentSettings settings = load(targets, cat("\"network\": {", kShared, "}, ", kHeads),
                                             {R"(models.m.heads={"emotion": {"target": "classes"}})"});
    return message_of<DataError>([&] { read_targets(settings, find_manifest(settings, 1)); });
  }
  std::string config_error(const std::string& targets, const std::string& model,
                           const std::vector<std::string>& overrides = {}) const {
    return message_of<ConfigError>([&] { load(targets, model, overrides); });
  }
  TempFolder folder_;
};

}  // namespace serval::experiment
