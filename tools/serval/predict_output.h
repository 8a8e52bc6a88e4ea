// What `serval predict` says of each recording, in three forms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serval/deploy/predictor.h"

namespace serval::cli {

enum class PredictFormat { kTable, kCsv, kJsonLines };

struct PredictRow {
  std::string recording;
  std::optional<deploy::Prediction> said;  // none: `error` says why
  std::string error;
};

class PredictOutput {
 public:
  // Below `min_confidence` no label is given. `timeline`: stretches are told too.
  PredictOutput(PredictFormat format, std::vector<std::string> classes, double min_confidence, bool timeline);

  std::string heading() const;
  std::string row(const PredictRow& row) const;  // one or more whole lines

 private:
  struct Line {  // the whole recording, or a stretch of it
    std::string model;
    double begin_s = 0, end_s = 0;
    const std::vector<float>* probabilities = nullptr;
  };
  std::string label(const std::vector<float>& probabilities) const;  // "" below the confidence
  std::string json(const PredictRow& row) const;
  std::string csv(const PredictRow& row) const;
  std::string table(const PredictRow& row) const;
  std::vector<Line> lines(const PredictRow& row) const;

  PredictFormat format_;
  std::vector<std::string> classes_;
  double min_confidence_;
  bool timeline_;
};

}  // namespace serval::cli
