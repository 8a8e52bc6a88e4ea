#include "serval/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "serval/train/task.h"

namespace serval::train {

double monitored(Monitor monitor, const Epoch& epoch) {
  switch (monitor) {
    case Monitor::kValidationUar:
      return epoch.validation_uar;
    case Monitor::kValidationCcc:
      return epoch.validation_ccc;
    case Monitor::kValidationLoss:
      return epoch.validation_loss;
    case Monitor::kTrainLoss:
      break;
  }
  return epoch.train_loss;
}

bool higher_is_better(Monitor monitor) {
  return monitor == Monitor::kValidationUar || monitor == Monitor::kValidationCcc;
}

namespace {

// The rate behind all of `history` from the warm-up's end on.
double plateau_rate(const ScheduleSettings& s, double rate, const std::vector<Epoch>& history) {
  const bool upward = higher_is_better(s.monitor);
  double best = upward ? -INFINITY : INFINITY;
  int bad = 0;
  for (std::size_t i = static_cast<std::size_t>(s.warmup_epochs); i < history.size(); ++i) {
    const double value = monitored(s.monitor, history[i]);
    // Of an infinite best, the comparison with itself would be NaN's.
    const bool better =
        std::isinf(best) || (upward ? value > best * (1 + s.threshold) : value < best * (1 - s.threshold));
    if (better) {
      best = value;
      bad = 0;
    } else if (++bad > s.patience) {
      bad = 0;
      rate = std::max(rate * s.factor, std::min(rate, s.min_learning_rate));
    }
  }
  return rate;
}

}  // namespace

double scheduled_rate(const ScheduleSettings& s, double rate, int epochs, const std::vector<Epoch>& history) {
  const int done = static_cast<int>(history.size());
  if (done < s.warmup_epochs) return rate * (done + 1) / (s.warmup_epochs + 1);
  switch (s.type) {
    case ScheduleType::kConstant:
      break;
    case ScheduleType::kSteps:
      for (const std::int64_t over : s.epochs) {
        if (done >= over) rate *= s.factor;
      }
      break;
    case ScheduleType::kCosine: {
      const double share = static_cast<double>(done - s.warmup_epochs) / (epochs - s.warmup_epochs);
      const double low = std::min(rate, s.min_learning_rate);
      return low + (rate - low) * (1 + std::cos(std::numbers::pi * share)) / 2;
    }
    case ScheduleType::kPlateau:
      return plateau_rate(s, rate, history);
  }
  return rate;
}

void describe(SettingsVisitor& v, ScheduleSettings& s) {
  using Type = ScheduleType;
  v.variants("type", s.type,
             Options<Type>{{"constant", Type::kConstant},
                           {"steps", Type::kSteps},
                           {"cosine", Type::kCosine},
                           {"plateau", Type::kPlateau}},
             {"how the learning rate changes from epoch to epoch"}, [&s](SettingsVisitor& fields) {
               if (s.type == Type::kSteps) {
                 fields.integers("epochs", s.epochs, {.min = 1, .max = 100000},
                                 {"epochs after which the rate is multiplied by factor", "epochs"});
                 fields.check(!s.epochs.empty() &&
                                  std::is_sorted(s.epochs.begin(), s.epochs.end(), std::less_equal<>()),
                              "epochs", "names the epochs after which the rate changes, in rising order");
               }
               if (s.type == Type::kSteps || s.type == Type::kPlateau) {
                 fields.real("factor", s.factor, {.min = 0, .max = 1, .above_min = true},
                             {"what the rate is multiplied with"});
               }
               if (s.type == Type::kPlateau) {
                 fields.choice("monitor", s.monitor,
                               Options<Monitor>{{"validation_loss", Monitor::kValidationLoss},
                                                {"validation_uar", Monitor::kValidationUar},
                                                {"validation_ccc", Monitor::kValidationCcc},
                                                {"train_loss", Monitor::kTrainLoss}},
                               {"what must get better"});
                 fields.integer("patience", s.patience, {.min = 0, .max = 100000},
                                {"epochs without a better one that are let pass", "epochs"});
                 fields.real("threshold", s.threshold, {.min = 0, .max = 1},
                             {"share of the best by which a better one must differ"});
               }
               if (s.type == Type::kCosine || s.type == Type::kPlateau) {
                 fields.real("min_learning_rate", s.min_learning_rate, {.min = 0, .max = 10},
                             {"where the rate ends"});
               }
             });
  v.integer("warmup_epochs", s.warmup_epochs, {.min = 0, .max = 100000},
            {"epochs in which the rate rises in equal steps", "epochs"});
}

}  // namespace serval::train
