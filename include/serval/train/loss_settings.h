// What training makes small.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serval/core/settings.h"

namespace serval::train {

// cross_entropy and focal: nn/loss.h, of classes. mean_square (nn/value_loss.h) compares outputs with numbers, or with
// the shares of the classes: 1 for a recording's class and 0 for the others. concordance: of numbers.
enum class LossType { kCrossEntropy, kFocal, kMeanSquare, kConcordance };
const char* to_string(LossType type);

// What one output is compared with its target by.
struct OutputLoss {
  LossType type = LossType::kCrossEntropy;
  double label_smoothing = 0;  // cross_entropy, focal
  double gamma = 2;            // focal

  bool of_classes() const { return type == LossType::kCrossEntropy || type == LossType::kFocal; }
};
void describe(SettingsVisitor& v, OutputLoss& settings);

// An output with a target of its own, and its share of the loss: sum_i weight_i * loss(output i).
struct HeadSettings {
  std::string target;              // of the experiment's targets, or kClassTarget
  std::optional<OutputLoss> loss;  // none: train.loss
  double weight = 1;
};
void describe(SettingsVisitor& v, HeadSettings& settings);

// The target that every experiment has: the classes of its labels.
inline constexpr const char* kClassTarget = "classes";

// One of several outputs with the same target. The loss is sum_i weight_i * loss(output i); scores are the softmax of the mean of the
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

struct LossSettings : OutputLoss {
  std::vector<BranchSettings> branches;  // empty: the network's first output
  CenterSettings center;
};
void describe(SettingsVisitor& v, LossSettings& settings);

}  // namespace serval::train
