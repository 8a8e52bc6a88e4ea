// Every optimiser, schedule, loss and change of batches: learns, and continues with the same bits.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/train/cohort.h"
#include "serval/train/trainer.h"

#include "tests/corpus/corpus_fixtures.h"
#include "tests/support/devices.h"
#include "tests/train/continued.h"
#include "tests/train/training_task.h"

namespace serval::train {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::HasSubstr;

TrainSettings settings_of(const std::string& json) {
  std::vector<std::string> errors;
  auto settings = read_settings<TrainSettings>(parse_json(json, "train.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>()) << json;
  settings.batch_size = 5;
  settings.epochs = 8;
  return settings;
}

class TrainingOptionsTest : public testing_support::DeviceTest {
 protected:
  Task task_of(const std::string& json) {
    Task task = small_task(device(), folder_.str());
    task.network = testing_support::network_of(R"({"layers": [
        {"type": "lstm", "hidden": 5}, {"type": "mean_pool", "name": "pooled"}, {"type": "dropout", "rate": 0.1},
        {"type": "dense", "name": "one"}, {"type": "dense", "name": "two", "input": "pooled"}],
        "outputs": ["one"]})");
    task.settings = settings_of(json);
    return task;
  }
  TempFolder folder_;
};

// Each learns something in eight epochs, or at least moves; `least` is the share of the first loss that may be left.
struct Option {
  const char* json;
  double left;
};
const Option kOptions[] = {
    {R"({"optimizer": {"type": "sgd", "learning_rate": 0.5}})", 0.9},
    {R"({"optimizer": {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": true}})", 0.9},
    {R"({"optimizer": {"type": "adamw", "learning_rate": 0.05, "weight_decay": 0.01}})", 0.7},
    {R"({"optimizer": {"type": "rmsprop", "learning_rate": 0.02, "momentum": 0.5, "centered": true}})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "schedule": {"type": "steps", "epochs": [3, 6]}})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "schedule": {"type": "cosine", "warmup_epochs": 2}})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "schedule": {"type": "plateau", "patience": 0}})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "averaging": {"type": "ema", "decay": 0.8}})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "averaging": {"type": "swa", "first_epoch": 4}})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "sampling": "class_balanced"})", 0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "loss": {"type": "focal", "label_smoothing": 0.05}})", 0.8},
    {R"({"optimizer": {"learning_rate": 0.05}, "loss": {"type": "mean_square"}})", 0.8},
    {R"({"optimizer": {"learning_rate": 0.05}, "class_weights": "balanced",
         "loss": {"label_smoothing": 0.05, "center": {"layer": "pooled", "factor": 0.5, "rate": 0.2}}})",
     0.8},
    {R"({"optimizer": {"learning_rate": 0.05},
         "loss": {"branches": [{"output": "one", "weight": 0.25}, {"output": "two", "weight": 0.75}]}})",
     0.7},
    {R"({"optimizer": {"learning_rate": 0.05}, "augment_batch": {"time_stretch": 0.5, "frequency_stretch": 0.2}})",
     0.9},
    {R"({"optimizer": {"learning_rate": 0.05}, "augment_batch": {"time_stretch": 0.5, "noise": 0.1, "mixup_alpha": 0.2,
         "time_masks": 1, "time_width": 2, "frequency_masks": 1, "frequency_width": 1, "fill": "mean"}})",
     0.95},
};

TEST_P(TrainingOptionsTest, EachLearnsAndContinuesWithTheSameBits) {
  const Context context(device());
  for (const Option& option : kOptions) {
    SCOPED_TRACE(option.json);
    const Task task = task_of(option.json);
    Trainer whole(context, task);
    run_to_end(whole);
    EXPECT_LT(whole.history().back().train_loss, option.left * whole.history().front().train_loss);
    const auto expected = whole.predict(task.sides.test);
    for (const int stop : {1, 3, 5, 7}) {
      const std::string path = folder_ / "checkpoint.h5";
      const auto continued = stopped_and_continued(context, task, stop, path);
      Trainer& second = *continued;
      EXPECT_EQ(second.predict(task.sides.test), expected) << "stopped after epoch " << stop;
      for (std::size_t e = 0; e < 8; ++e) {
        EXPECT_EQ(second.history()[e].train_loss, whole.history()[e].train_loss);
        EXPECT_EQ(second.history()[e].validation_loss, whole.history()[e].validation_loss);
        EXPECT_EQ(second.history()[e].learning_rate, whole.history()[e].learning_rate);
      }
    }
  }
}

// How long the tested recordings are must change nothing that is trained.
TEST_P(TrainingOptionsTest, NothingThatIsDrawnDependsOnTheTestSide) {
  const Context context(device());
  for (const char* json : {R"({"augment_batch": {"noise": 0.3, "mixup_alpha": 0.2}})",
                           R"({"augment_batch": {"time_stretch": 0.5, "frequency_stretch": 0.2}})",
                           R"({"augment_batch": {"time_masks": 1, "time_width": 2, "noise": 0.1}})"}) {
    SCOPED_TRACE(json);
    Task task = task_of(json);
    const auto losses = [&] {
      Trainer trainer(context, task);
      run_to_end(trainer);
      std::vector<double> out;
      for (const Epoch& epoch : trainer.history()) out.push_back(epoch.train_loss);
      return out;
    };
    // One recording is longer than all others, and it is tested; then it is not.
    constexpr std::int64_t kLongest = 19;
    const auto as_long = [&](std::int64_t r) {
      return r != kLongest && task.data().frames(r) >= task.data().frames(kLongest);
    };
    for (auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test})
      std::erase_if(*side, as_long);
    const std::vector<double> expected = losses();
    ASSERT_EQ(std::erase(task.sides.test, kLongest), 1u);
    EXPECT_EQ(losses(), expected);
  }
}

TEST(TrainSettingsTest, SurviveJson) {
  for (const Option& option : kOptions) {
    const std::string text = write_json(settings_to_json(settings_of(option.json)));
    std::vector<std::string> errors;
    const auto again = read_settings<TrainSettings>(parse_json(text, "again.json"), errors);
    EXPECT_EQ(errors, std::vector<std::string>()) << text;
    EXPECT_EQ(write_json(settings_to_json(again)), text);
  }
}

TEST_P(TrainingOptionsTest, ACohortGivesEachTheBitsItHasAlone) {
  std::vector<Task> tasks;
  for (const Option& option : kOptions) {
    tasks.push_back(task_of(option.json));
    tasks.back().settings.epochs = tasks.back().settings.schedule.epochs.empty() ? 4 : 7;
    tasks.back().folder = folder_ / ("together" + std::to_string(tasks.size()));
  }
  const std::vector<TaskResult> together = run_cohort(tasks, {device(), 3});
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task alone = tasks[i];
    alone.folder = folder_ / ("alone" + std::to_string(i));
    EXPECT_EQ(run_cohort({alone}, {device(), 1}).front().probabilities, together[i].probabilities)
        << kOptions[i].json;
  }
}

TEST_P(TrainingOptionsTest, TheHistoryHasTheRateOfEachEpoch) {
  const Context context(device());
  const Task task = task_of(
      R"({"optimizer": {"learning_rate": 0.04}, "schedule": {"type": "steps", "epochs": [2], "factor": 0.25}})");
  Trainer trainer(context, task);
  for (int e = 0; e < 4; ++e) trainer.run_epoch();
  EXPECT_EQ(trainer.history()[1].learning_rate, 0.04);
  EXPECT_EQ(trainer.history()[2].learning_rate, 0.01);
}

// A mean of one epoch's weights is those weights; averaging changes validation and test, and nothing of training.
TEST_P(TrainingOptionsTest, AveragingLeavesTrainingAsItIs) {
  const Context context(device());
  Task task = task_of(R"({"optimizer": {"learning_rate": 0.05}, "select": "last"})");
  Trainer plain(context, task);
  Task averaged_task = task;
  averaged_task.settings.averaging = {.type = Averaging::kSwa, .first_epoch = 8};
  Trainer last(context, averaged_task);
  Task ema_task = task;
  ema_task.settings.averaging = {.type = Averaging::kEma, .decay = 0.9};
  Trainer ema(context, ema_task);
  while (!plain.finished()) {
    plain.run_epoch();
    EXPECT_EQ(last.run_epoch().train_loss, plain.history().back().train_loss);
    EXPECT_EQ(ema.run_epoch().train_loss, plain.history().back().train_loss);
  }
  EXPECT_EQ(last.predict(task.sides.test), plain.predict(task.sides.test));
  EXPECT_NE(ema.predict(task.sides.test), plain.predict(task.sides.test));
  EXPECT_NE(ema.history().back().validation_loss, plain.history().back().validation_loss);
}

// With equal branches and weights, the scores are those of one of them.
TEST_P(TrainingOptionsTest, ScoresOfBranchesAreTheSoftmaxOfTheirMean) {
  const Context context(device());
  Task task = task_of(
      R"({"optimizer": {"learning_rate": 0.05}, "select": "last",
          "loss": {"branches": [{"output": "one", "weight": 3}, {"output": "again", "weight": 1}]}})");
  task.network = testing_support::network_of(R"({"layers": [{"type": "mean_pool", "name": "pooled"},
      {"type": "dense", "name": "one"}, {"type": "dense", "name": "again", "input": "pooled", "weights_of": "one"}]})");
  Task single = task;
  single.settings.loss.branches = {{"one", 4}};
  Trainer both(context, task), alone(context, single);
  for (int e = 0; e < 3; ++e) EXPECT_NEAR(both.run_epoch().train_loss, alone.run_epoch().train_loss, 1e-4);
  const auto scores = both.predict(task.sides.test), expected = alone.predict(task.sides.test);
  for (std::size_t r = 0; r < scores.size(); ++r) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(scores[r][c], expected[r][c], 1e-4);
  }
}

TEST_P(TrainingOptionsTest, WhatDoesNotFitTheNetworkOrTheDataIsNamed) {
  const Context context(device());
  const auto error_of = [&](const char* json, bool validated = true) {
    Task task = task_of(json);
    if (!validated) task.sides.validation.clear();
    return message_of<ConfigError>([&] { Trainer trainer(context, task); });
  };
  EXPECT_THAT(
      error_of(R"({"loss": {"branches": [{"output": "pooled"}]}})"),
      HasSubstr("model m: train.loss.branches: outputs[0] (pooled) gives [5], but there are 3 classes"));
  EXPECT_THAT(error_of(R"({"loss": {"branches": [{"output": "three"}]}})"), HasSubstr("reads \"three\""));
  EXPECT_THAT(error_of(R"({"loss": {"center": {"layer": "layer0"}}})"),
              HasSubstr("train.loss.center.layer \"layer0\" gives [time, 5]; it needs one vector"));
  EXPECT_THAT(error_of(R"({"schedule": {"type": "plateau"}})", false), HasSubstr("nobody validates"));
  Task unseen = task_of(R"({"schedule": {"type": "plateau", "monitor": "train_loss"}, "select": "last"})");
  unseen.sides.validation.clear();
  Trainer trainer(context, unseen);
  const Epoch epoch = trainer.run_epoch();
  EXPECT_GT(epoch.train_loss, 0);
  EXPECT_TRUE(std::isnan(epoch.validation_loss) &&
              std::isnan(epoch.validation_uar));  // not 0, which is a score
  EXPECT_THAT(error_of(R"({"augment_batch": {"frequency_masks": 1, "frequency_bands": 2}})"),
              HasSubstr("frequency_bands is 2, which does not divide the 3 features"));
}

SERVAL_DEVICE_TESTS(TrainingOptionsTest);

}  // namespace
}  // namespace serval::train
