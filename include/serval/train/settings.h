// How a network is trained.
#pragma once

#include <string>

#include "serval/core/settings.h"
#include "serval/nn/optimiser.h"

namespace serval::train {

enum class Select { kBestValidation, kLast };
enum class Monitor { kValidationUar, kValidationLoss };
enum class ClassWeights { kNone, kBalanced };

struct TrainSettings {
  nn::AdamSettings optimizer;
  int batch_size = 64;
  int epochs = 60;
  double clip_norm = 5;  // 0: gradients are not clipped
  // Which epoch's weights are tested. The validation actors decide; the test actors are scored once, at last.
  Select select = Select::kBestValidation;
  Monitor monitor = Monitor::kValidationUar;
  int patience = 0;  // stop after so many epochs without a better one; 0: never
  // balanced: a class weighs (training items) / (classes * training items of the class)
  ClassWeights class_weights = ClassWeights::kNone;
  double checkpoint_every_s = 10;
};
void describe(SettingsVisitor& v, TrainSettings& settings);

}  // namespace serval::train

namespace serval::nn {
void describe(SettingsVisitor& v, AdamSettings& settings);
}
