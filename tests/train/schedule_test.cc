#include "serval/train/schedule.h"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/train/task.h"

namespace serval::train {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

// The rates of a training whose validation losses are those.
std::vector<double> rates(const ScheduleSettings& settings, const std::vector<double>& losses) {
  std::vector<Epoch> history;
  std::vector<double> out;
  for (const double loss : losses) {
    Epoch epoch;
    epoch.epoch = static_cast<int>(history.size()) + 1;
    epoch.learning_rate = scheduled_rate(settings, 0.8, static_cast<int>(losses.size()), history);
    epoch.validation_loss = loss;
    epoch.validation_uar = epoch.validation_ccc = 1 - loss;
    epoch.train_loss = 2 * loss;
    out.push_back(epoch.learning_rate);
    history.push_back(epoch);
  }
  return out;
}

void expect_rates(const ScheduleSettings& settings, const std::vector<double>& losses,
                  const std::vector<double>& expected) {
  EXPECT_THAT(rates(settings, losses), Pointwise(DoubleNear(1e-12), expected));
}

TEST(Schedule, ConstantRisesInItsWarmUpOnly) {
  expect_rates({}, std::vector<double>(3, 0.5), {0.8, 0.8, 0.8});
  expect_rates({.warmup_epochs = 3}, std::vector<double>(5, 0.5), {0.2, 0.4, 0.6, 0.8, 0.8});
}

TEST(Schedule, StepsAreThoseOfMultiStepLr) {
  // torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3, 5], gamma=0.5)
  expect_rates({.type = ScheduleType::kSteps, .epochs = {2, 3, 5}}, std::vector<double>(7, 0.5),
               {0.8, 0.8, 0.4, 0.2, 0.2, 0.1, 0.1});
}

TEST(Schedule, CosineEndsAboveItsLowest) {
  std::vector<double> expected{0.4};
  for (int k = 0; k < 4; ++k) expected.push_back(0.2 + 0.6 * (1 + std::cos(std::numbers::pi * k / 4)) / 2);
  expect_rates({.type = ScheduleType::kCosine, .warmup_epochs = 1, .min_learning_rate = 0.2},
               std::vector<double>(5, 0.5), expected);
}

TEST(Schedule, PlateauIsThatOfReduceLrOnPlateau) {
  // torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, threshold=0.1, min_lr=0.15): 0.92 is
  // not a tenth better than 1, and the counting starts anew behind each step.
  const std::vector<double> losses{1, 0.92, 0.95, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6};
  const std::vector<double> expected{0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.15, 0.15};
  ScheduleSettings settings{.type = ScheduleType::kPlateau, .patience = 1, .threshold = 0.1};
  settings.min_learning_rate = 0.15;
  expect_rates(settings, losses, expected);
  settings.monitor = Monitor::kTrainLoss;
  expect_rates(settings, losses, expected);
  // Upwards: 0.5 is better than 0.08 and than 0.05, and no later one than 0.5.
  for (const Monitor monitor : {Monitor::kValidationUar, Monitor::kValidationCcc}) {
    settings.monitor = monitor;
    expect_rates(settings, {0.92, 0.95, 0.92, 0.5, 0.52, 0.52, 0.52}, {0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2});
  }
}

TEST(Schedule, APlateauNeverRaisesTheRate) {
  ScheduleSettings settings{.type = ScheduleType::kPlateau, .patience = 0};
  settings.min_learning_rate = 2;  // above the rate to begin with
  expect_rates(settings, {1, 1, 1}, {0.8, 0.8, 0.8});
}

TEST(Schedule, ThePlateauOfTheWarmUpDoesNotCount) {
  ScheduleSettings settings{.type = ScheduleType::kPlateau, .warmup_epochs = 2, .patience = 0};
  // Without the warm-up's 0.1, the third epoch's loss is the best so far.
  expect_rates(settings, {0.1, 0.1, 0.5, 0.6, 0.6}, {0.8 / 3, 1.6 / 3, 0.8, 0.8, 0.4});
}

TEST(Schedule, WhatDoesNotFitIsRefused) {
  const auto error_of = [](const char* json) {
    std::vector<std::string> errors;
    read_settings<TrainSettings>(parse_json(json, "t.json"), errors);
    return errors.empty() ? "" : errors.front();
  };
  EXPECT_THAT(error_of(R"({"schedule": {"type": "steps"}})"), HasSubstr("schedule.epochs: names the epochs"));
  EXPECT_THAT(error_of(R"({"schedule": {"type": "steps", "epochs": [5, 5]}})"), HasSubstr("rising order"));
  EXPECT_THAT(error_of(R"({"epochs": 9, "schedule": {"type": "steps", "epochs": [5, 9]}})"),
              HasSubstr("must be below epochs"));
  EXPECT_THAT(error_of(R"({"epochs": 9, "schedule": {"warmup_epochs": 9}})"),
              HasSubstr("warmup_epochs must be below epochs"));
  EXPECT_THAT(error_of(R"({"class_weights": "balanced", "sampling": "class_balanced"})"),
              HasSubstr("would balance the classes twice"));
  EXPECT_THAT(error_of(R"({"class_weights": "balanced", "loss": {"type": "concordance"}})"),
              HasSubstr("weigh the classes of cross_entropy and focal"));
  EXPECT_THAT(error_of(R"({"loss": {"type": "mean_square", "label_smoothing": 0.1}})"),
              HasSubstr("unknown key"));
  EXPECT_THAT(error_of(R"({"loss": {"branches": [{"output": "a"}, {"output": "a"}]}})"),
              HasSubstr("names an output twice"));
  EXPECT_THAT(error_of(R"({"loss": {"center": {"layer": "a"}}, "augment_batch": {"mixup_alpha": 1}})"),
              HasSubstr("leaves recordings without one class"));
  EXPECT_THAT(error_of(R"({"epochs": 3, "averaging": {"type": "swa", "first_epoch": 4}})"),
              HasSubstr("first_epoch must not be above epochs"));
  EXPECT_EQ(
      error_of(R"({"optimizer": {"type": "adam", "learning_rate": 1e-3, "weight_decay": 1e-2}, "clip_norm": 1,
                         "class_weights": "balanced"})"),
      "");  // a file from before there were others
}

}  // namespace
}  // namespace serval::train
