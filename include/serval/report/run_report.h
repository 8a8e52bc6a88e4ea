// What a finished run says: everything that its tables, files and page are made of.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "serval/audit/audit.h"
#include "serval/evaluate/cross_validation.h"

namespace serval::report {

// One line of predictions.csv.
struct Prediction {
  std::string recording, corpus, actor;
  int label = 0, predicted = 0;
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  std::vector<float> probabilities;  // [class]
};

struct ModelReport {
  std::string name;
  std::int64_t parameters = 0;
  std::vector<evaluate::FoldScores> folds;  // by fold, then seed
  evaluate::Summary summary;
  std::vector<Prediction> predictions;
};

struct CorpusCount {
  std::string corpus;
  std::int64_t recordings = 0, actors = 0;
  bool synthetic = false;
};

struct RunReport {
  std::string name;
  std::vector<std::string> classes;
  std::vector<CorpusCount> corpora;
  std::vector<ModelReport> models;  // the first one is the run's headline
  evaluate::Chance chance;
  audit::Audit audit;
  // What a reader must know before believing a figure: synthetic speech, a protocol that leaks, and the like.
  std::vector<std::string> stamps;
  std::vector<std::pair<std::string, std::string>> versions;  // "serval" -> "0.1.0"
  std::string device;                                         // "cpu" or "cuda"
  std::vector<std::string> devices;  // every device that trained a model, by name and libraries
  std::vector<std::pair<std::string, double>> seconds;  // stage -> seconds of the runs that computed it
};

// The files of a run's directory whose fields scripts rely on.
std::string results_json(const RunReport& report);
std::string results_csv(const RunReport& report);
std::string predictions_csv(const RunReport& report);

// For the terminal: per fold and in total, UAR first.
std::string results_text(const RunReport& report);
// One page that needs nothing else.
std::string results_html(const RunReport& report);

}  // namespace serval::report
