// The learning rate of each epoch, a function of the epochs before it: so a training that continues has the same.
//   warm-up    epoch e of the first `warmup_epochs` W: rate * e / (W + 1); what follows starts behind them
//   constant   rate
//   steps      rate * factor^(how many of `epochs` are over): [10, 20] lowers it from epochs 11 and 21 on
//   cosine     min + (rate - min) (1 + cos(pi k / n)) / 2 in the epoch k (from 0) of n
//   plateau    PyTorch's ReduceLROnPlateau: max(min, rate * factor) after more than `patience` epochs in which the
//              monitor was not better than the best by `threshold` of it
#pragma once

#include <vector>

#include "serval/core/settings.h"

namespace serval::train {

struct Epoch;
enum class Monitor { kValidationUar, kValidationLoss, kTrainLoss, kValidationCcc };
double monitored(Monitor monitor, const Epoch& epoch);
bool higher_is_better(Monitor monitor);

enum class ScheduleType { kConstant, kSteps, kCosine, kPlateau };
struct ScheduleSettings {
  ScheduleType type = ScheduleType::kConstant;
  int warmup_epochs = 0;
  std::vector<std::int64_t> epochs = {};  // steps
  double factor = 0.5;                    // steps, plateau
  Monitor monitor = Monitor::kValidationLoss;
  int patience = 10;
  double threshold = 1e-4;
  double min_learning_rate = 0;  // cosine, plateau
};
void describe(SettingsVisitor& v, ScheduleSettings& settings);

// Of the epoch behind `history`, in a training of `epochs`.
double scheduled_rate(const ScheduleSettings& settings, double rate, int epochs,
                      const std::vector<Epoch>& history);

}  // namespace serval::train
