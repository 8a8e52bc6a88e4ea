// What the outputs of a network learn of each recording besides its class: shares of the classes, other classes, numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serval/evaluate/number_scores.h"
#include "serval/evaluate/scores.h"
#include "serval/folds/fold.h"
#include "serval/nn/network.h"
#include "serval/train/loss_settings.h"

namespace serval::train {

enum class TargetKind { kExperimentClasses, kOtherClasses, kNumbers };

// Of every recording of the manifest.
struct Target {
  std::string name = kClassTarget;  // as the experiment calls it
  TargetKind kind = TargetKind::kExperimentClasses;
  std::vector<std::string> names;  // of the classes or numbers, [width]
  std::vector<int> labels;         // [recordings], of classes: what scores compare with
  // [recordings, width]: shares of the classes, which add up to 1; or numbers in the unit of their source. Of classes
  // it may be empty: 1 for the label.
  std::vector<float> rows;

  bool of_numbers() const { return kind == TargetKind::kNumbers; }
  std::int64_t width() const { return static_cast<std::int64_t>(names.size()); }
};

// An output with its target.
struct Head {
  std::string output;  // a layer; "": the network's first output, or train.loss.branches
  std::shared_ptr<const Target> target;
  // Of numbers: the loss compares (number - mean) * scale, fitted on the training actors of the fold; empty: the numbers
  // as they are. Predictions are brought back into the unit.
  folds::Normaliser scaling = {};
  OutputLoss loss = {};
  double weight = 1;
};

// Why a network cannot learn the target by its layer `output` ("": by its first output), naming the layer; "" when it
// can.
std::string head_problem(const nn::NetworkSettings& network, const nn::NetworkSizes& sizes,
                         const std::string& output, const Target& target);

// What a head said of the test side.
struct HeadResult {
  std::string output;
  std::vector<std::vector<float>> values;  // [recording][width]: probabilities, or numbers in their unit
};
struct HeadScores {
  std::vector<evaluate::NumberScores> numbers;  // [width]; of numbers
  evaluate::Scores classes;                     // of classes
};
// `recordings` are those of `values`. One at least.
HeadScores score_head(const Target& target, const std::vector<std::int64_t>& recordings,
                      const std::vector<std::vector<float>>& values);

}  // namespace serval::train
