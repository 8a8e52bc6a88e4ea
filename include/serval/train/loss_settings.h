// What training makes small.
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"

namespace serval::train {

// cross_entropy and focal: nn/loss.h. mean_square and concordance (nn/value_loss.h) compare the network's outputs with
// 1 for a recording's class and 0 for the others.
enum class LossType { kCrossEntropy, kFocal, kMeanSquare, kConcordance };

// One of several outputs. The loss is sum_i weight_i * loss(output i); scores are the softmax of the mean of the
// outputs with these weights.
struct BranchSettings {
  std::string output;  // a layer's name
  double weight = 1;
};
void describe(SettingsVisitor& v, BranchSettings& settings);

// Adds factor * center loss (nn/center_loss.h) of what a layer says.
struct CenterSettings {
  std::string layer;  // "": no center loss
  double factor = 0.01;
  double rate = 0.5;
};
void describe(SettingsVisitor& v, CenterSettings& settings);

struct LossSettings {
  LossType type = LossType::kCrossEntropy;
  double label_smoothing = 0;            // cross_entropy, focal
  double gamma = 2;                      // focal
  std::vector<BranchSettings> branches;  // empty: the network's first output
  CenterSettings center;

  bool of_classes() const { return type == LossType::kCrossEntropy || type == LossType::kFocal; }
};
void describe(SettingsVisitor& v, LossSettings& settings);

}  // namespace serval::train
