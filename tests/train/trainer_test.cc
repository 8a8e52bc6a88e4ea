#include "serval/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/store/hdf5.h"
#include "serval/train/cohort.h"
#include "serval/train/task_result.h"

#include "tests/corpus/corpus_fixtures.h"
#include "tests/support/devices.h"
#include "tests/train/continued.h"
#include "tests/train/training_task.h"

namespace serval::train {
namespace {

using corpus::TempFolder;
using testing::HasSubstr;

class TrainerTest : public testing_support::DeviceTest {
 protected:
  TempFolder folder_;
};

TEST_P(TrainerTest, LearnsAndKeepsTheBestEpoch) {
  const Task task = small_task(device(), folder_.str());
  const Context context(device());
  Trainer trainer(context, task);
  run_to_end(trainer);
  ASSERT_EQ(trainer.history().size(), 9u);
  EXPECT_LT(trainer.history().back().train_loss, 0.5 * trainer.history().front().train_loss);
  double best = 0;
  for (const Epoch& epoch : trainer.history()) best = std::max(best, epoch.validation_uar);
  EXPECT_EQ(trainer.history()[static_cast<std::size_t>(trainer.selected_epoch() - 1)].validation_uar, best);
}

TEST_P(TrainerTest, EverySavedEpochContinuesWithTheSameBits) {
  const Task task = small_task(device(), folder_.str());
  const Context context(device());
  Trainer whole(context, task);
  run_to_end(whole);
  const auto expected = whole.predict(task.sides.test);
  for (int stop = 1; stop < task.settings.epochs; ++stop) {
    const std::string path = folder_ / ("checkpoint" + std::to_string(stop) + ".h5");
    const auto continued = stopped_and_continued(context, task, stop, path);
    Trainer& second = *continued;
    EXPECT_EQ(second.predict(task.sides.test), expected) << "stopped after epoch " << stop;
    EXPECT_EQ(second.history().back().train_loss, whole.history().back().train_loss);
    EXPECT_EQ(second.selected_epoch(), whole.selected_epoch());
  }
}

TEST_P(TrainerTest, SegmentsContinueWithTheSameBits) {
  Task task = small_task(device(), folder_.str());
  task.first().items = std::make_shared<const Items>(segments_of(task.data()));
  const Context context(device());
  Trainer whole(context, task);
  run_to_end(whole);
  EXPECT_LT(whole.history().back().train_loss, 0.7 * whole.history().front().train_loss);
  const auto expected = whole.predict(task.sides.test);
  ASSERT_EQ(expected.size(), task.sides.test.size());
  for (const int stop : {1, 4, 8}) {
    const std::string path = folder_ / ("checkpoint" + std::to_string(stop) + ".h5");
    const auto continued = stopped_and_continued(context, task, stop, path);
    Trainer& second = *continued;
    EXPECT_EQ(second.predict(task.sides.test), expected) << "stopped after epoch " << stop;
    EXPECT_EQ(second.selected_epoch(), whole.selected_epoch());
  }
}

// Segments train as recordings of their own would, and are scored together.
TEST_P(TrainerTest, ARecordingsScoreIsTheMeanOfItsSegments) {
  Task task = small_task(device(), folder_.str());
  const Items items = segments_of(task.data());
  task.first().items = std::make_shared<const Items>(items);
  task.settings.select = Select::kLast;
  task.settings.class_weights = ClassWeights::kBalanced;
  // The same segments as recordings: those of one behind those of another, each a copy of its frames.
  auto apart = std::make_shared<TrainingData>();
  apart->feature = 3;
  apart->classes = 3;
  apart->offsets = {0};
  const std::vector<float> frames = task.data().values.to_host();
  std::vector<float> values;
  for (std::size_t i = 0; i < items.starts.size(); ++i) {
    const auto begin = frames.begin() + items.starts[i] * 3;
    values.insert(values.end(), begin, begin + items.frames[i] * 3);
    apart->offsets.push_back(apart->offsets.back() + items.frames[i]);
  }
  apart->values = Tensor::from_host(device(), values, {apart->offsets.back(), 3});
  Task single = task;
  single.first().items = nullptr;
  single.sides = {};
  for (std::int64_t r = 0; r < 24; ++r) {
    for (std::int64_t i = items.offsets[static_cast<std::size_t>(r)];
         i < items.offsets[static_cast<std::size_t>(r) + 1]; ++i) {
      apart->labels.push_back(task.data().labels[static_cast<std::size_t>(r)]);
      (r < 12 ? single.sides.train : r < 18 ? single.sides.validation : single.sides.test).push_back(i);
    }
  }
  single.first().data = apart;

  const Context context(device());
  Trainer together(context, task), alone(context, single);
  while (!together.finished()) {
    EXPECT_EQ(together.run_epoch().train_loss, alone.run_epoch().train_loss);
    EXPECT_EQ(together.history().back().validation_loss, alone.history().back().validation_loss);
  }
  const auto pooled = together.predict({20, 18});
  const auto scores = alone.predict(single.sides.test);
  for (std::size_t k = 0; k < 2; ++k) {
    const std::size_t r = k == 0 ? 20 : 18;
    for (std::size_t c = 0; c < 3; ++c) {
      double sum = 0;
      for (std::int64_t i = items.offsets[r]; i < items.offsets[r + 1]; ++i)
        sum += static_cast<double>(scores[static_cast<std::size_t>(i - items.offsets[18])][c]);
      EXPECT_NEAR(pooled[k][c], sum / static_cast<double>(items.offsets[r + 1] - items.offsets[r]), 1e-7);
    }
  }
}

TEST_P(TrainerTest, PredictingDoesNotDisturbTraining) {
  const Task task = small_task(device(), folder_.str());
  const Context context(device());
  Trainer quiet(context, task), asked(context, task);
  for (int e = 0; e < 4; ++e) {
    quiet.run_epoch();
    asked.run_epoch();
    asked.predict(task.sides.test);
  }
  EXPECT_EQ(asked.history().back().train_loss, quiet.history().back().train_loss);
}

TEST_P(TrainerTest, SeedsAndFoldsDrawDifferentNumbers) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  const double first = Trainer(context, task).run_epoch().train_loss;
  task.seed = 2;
  const double other_seed = Trainer(context, task).run_epoch().train_loss;
  task.seed = 1;
  task.fold = 1;
  const double other_fold = Trainer(context, task).run_epoch().train_loss;
  EXPECT_NE(first, other_seed);
  EXPECT_NE(first, other_fold);
}

TEST_P(TrainerTest, PatienceStopsAndLastKeepsTheLast) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  task.settings.epochs = 1000;
  task.settings.patience = 3;
  Trainer patient(context, task);
  run_to_end(patient);
  EXPECT_EQ(static_cast<int>(patient.history().size()), patient.selected_epoch() + 3);
  task.settings.epochs = 7;
  task.settings.select = Select::kLast;
  Trainer last(context, task);
  run_to_end(last);
  EXPECT_EQ(last.selected_epoch(), 7);
}

TEST_P(TrainerTest, BalancedWeightsCountTheTrainingSideOnly) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  task.settings.class_weights = ClassWeights::kBalanced;
  const double balanced = Trainer(context, task).run_epoch().train_loss;
  task.settings.class_weights = ClassWeights::kNone;
  // Four recordings of each class train: every weight is 1.
  EXPECT_EQ(balanced, Trainer(context, task).run_epoch().train_loss);
  task.sides.train.pop_back();
  const double plain = Trainer(context, task).run_epoch().train_loss;
  task.settings.class_weights = ClassWeights::kBalanced;
  EXPECT_NE(Trainer(context, task).run_epoch().train_loss, plain);
}

TEST_P(TrainerTest, DivergenceIsNamedWithItsCure) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  task.first().normaliser.scale = {1e38f, 1e38f, 1e38f};
  task.network->layers.erase(task.network->layers.begin());  // no LSTM to squash it: the pool's sum overflows
  Trainer trainer(context, task);
  try {
    for (int e = 0; e < 9; ++e) trainer.run_epoch();
    FAIL() << "converged";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model m, fold 1, seed 1: the loss is not finite"));
    EXPECT_THAT(error.what(), HasSubstr("lower train.optimizer.learning_rate"));
  }
}

TEST_P(TrainerTest, ACheckpointOfAnotherTaskIsRefused) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  const std::string path = folder_ / "checkpoint.h5";
  EXPECT_FALSE(Trainer(context, task).restore(path));
  Trainer trainer(context, task);
  trainer.run_epoch();
  trainer.save(path);
  task.key = "another";
  Trainer other(context, task);
  EXPECT_THROW(other.restore(path), DataError);
}

TEST_P(TrainerTest, ACheckpointOfAnotherShapeSaysWhatDiffers) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  const std::string path = folder_ / "checkpoint.h5";
  Trainer trainer(context, task);
  trainer.run_epoch();
  trainer.save(path);
  task.network = testing_support::network_of(R"({"layers": [
      {"type": "lstm", "hidden": 6}, {"type": "mean_pool"}, {"type": "dense", "name": "more"}]})");
  Trainer other(context, task);
  try {
    other.restore(path);
    FAIL() << "restored";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds the weights of another network"));
    EXPECT_THAT(error.what(), HasSubstr("layer0.forward.w_h is [20, 5], the network has [24, 6]"));
    EXPECT_THAT(error.what(), HasSubstr("more.w [3, 6] is missing"));
    EXPECT_THAT(error.what(), HasSubstr("layer3.w [3, 5] is none of the network's"));
  }
}

// Three kinds of network, two folds, two seeds: twelve models, down to the optimiser's state.
TEST_P(TrainerTest, TwelveModelsHaveTheBitsOfOneAtAnyNumberOfThreads) {
  const char* networks[] = {
      R"({"layers": [{"type": "gru", "hidden": 4, "bidirectional": true}, {"type": "lstm", "hidden": 5},
                     {"type": "last_pool"}, {"type": "dense"}]})",
      R"({"layers": [{"type": "conv1d", "channels": 5, "kernel": 3, "padding": "same"}, {"type": "batch_norm"},
                     {"type": "activation"}, {"type": "dropout", "rate": 0.3}, {"type": "attention_pool", "units": 3},
                     {"type": "dense"}]})",
      R"({"layers": [{"type": "dense", "units": 4}, {"type": "transformer_block", "heads": 2, "dropout": 0.2},
                     {"type": "mean_pool"}, {"type": "dense"}]})"};
  const auto cohort = [&](const std::string& folder) {
    std::vector<Task> tasks;
    for (int n = 0; n < 3; ++n) {
      for (const int fold : {0, 1}) {
        for (const std::uint64_t seed : {1u, 2u}) {
          Task& task = tasks.emplace_back(small_task(device(), folder_ / cat(folder, n, fold, seed)));
          task.network = testing_support::network_of(networks[n]);
          task.fold = fold;
          task.seed = seed;
          task.settings.epochs = 3;
          // The folds train on different halves.
          if (fold == 1) std::swap(task.sides.validation, task.sides.test);
        }
      }
    }
    return tasks;
  };
  // The optimiser's state: whatever differed anywhere would show in it.
  const auto weights = [](const Task& task) {
    return store::Hdf5File::open(task.folder + "/checkpoint.h5").read_floats("optimiser");
  };
  const std::vector<Task> first = cohort("one");
  const std::vector<TaskResult> expected = run_cohort(first, {device(), 1});
  ASSERT_EQ(expected.size(), 12u);
  for (const int threads : {2, 3}) {
    const std::vector<Task> tasks = cohort(cat("threads", threads, "-"));
    const std::vector<TaskResult> results = run_cohort(tasks, {device(), threads});
    for (std::size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i].probabilities, expected[i].probabilities) << i;
      EXPECT_EQ(weights(tasks[i]), weights(first[i])) << i;
    }
  }
  // Where memory is for one model at a time, they follow each other.
  const std::vector<Task> tight = cohort("tight");
  const std::vector<TaskResult> one_by_one =
      run_cohort(tight, {.device = device(), .threads = 3, .memory_bytes = 1});
  for (std::size_t i = 0; i < tight.size(); ++i)
    EXPECT_EQ(one_by_one[i].probabilities, expected[i].probabilities) << i;
  const std::vector<Task> alone = cohort("alone");
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(run_cohort({alone[i]}, {device(), 1}).front().probabilities, expected[i].probabilities) << i;
    EXPECT_EQ(weights(alone[i]), weights(first[i])) << i;
  }
}

TEST_P(TrainerTest, ACohortGivesEachModelTheBitsItHasAlone) {
  std::vector<Task> tasks;
  for (int fold = 0; fold < 3; ++fold) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      tasks.push_back(
          small_task(device(), folder_ / ("together" + std::to_string(fold) + std::to_string(seed))));
      tasks.back().fold = fold;
      tasks.back().seed = seed;
    }
  }
  const std::vector<TaskResult> together = run_cohort(tasks, {device(), 3});
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task alone = tasks[i];
    alone.folder = folder_ / ("alone" + std::to_string(i));
    EXPECT_EQ(run_cohort({alone}, {device(), 1}).front().probabilities, together[i].probabilities);
  }
  // A second call reads the results and trains nothing.
  const std::vector<TaskResult> again = run_cohort(tasks, {device(), 3});
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    EXPECT_EQ(again[i].probabilities, together[i].probabilities);
    EXPECT_EQ(again[i].history.back().train_loss, together[i].history.back().train_loss);
  }
}

SERVAL_DEVICE_TESTS(TrainerTest);

}  // namespace
}  // namespace serval::train
