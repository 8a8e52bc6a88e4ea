// Means of a network's weights over its training, which validation and test use in the place of the last weights.
// Batch-norm statistics are averaged as the weights are.
//   ema   after every step: mean = decay * mean + (1 - decay) * weights; the first step's weights start it
//   swa   after every epoch from `first_epoch` on: the plain mean (Izmailov et al., 2018). Before, the last weights
//         are used.
#pragma once

#include "serval/core/settings.h"

namespace serval::train {

enum class Averaging { kNone, kEma, kSwa };
struct AveragingSettings {
  Averaging type = Averaging::kNone;
  double decay = 0.999;
  int first_epoch = 1;
};
void describe(SettingsVisitor& v, AveragingSettings& settings);

}  // namespace serval::train
