#include "serval/train/augmentation.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
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

// Copies of given recordings, longer by a frame and shifted by noise of the epoch.
class NoisyCopies : public Augmentation {
 public:
  NoisyCopies(std::vector<std::int64_t> sources, std::shared_ptr<const TrainingData> data, bool redraw,
              bool segments)
      : sources_(std::move(sources)),
        data_(std::move(data)),
        values_(data_->values.to_host()),
        redraw_(redraw),
        segments_(segments) {}
  std::int64_t longest_item(std::size_t) const override { return 9; }
  bool redraws() const override { return redraw_; }
  Copies make(int epoch) override {
    Copies out;
    InputCopies& input = out.inputs.emplace_back();
    TrainingData ragged;
    ragged.offsets = {0};
    const RandomStream noise{6, 0, RandomPurpose::kTest, static_cast<std::uint32_t>(epoch), 0};
    for (const std::int64_t r : sources_) {
      const std::int64_t first = data_->offsets[static_cast<std::size_t>(r)], frames = data_->frames(r);
      for (std::int64_t i = 0; i < (frames + 1) * 3; ++i) {
        const std::int64_t from = first * 3 + std::min(i, frames * 3 - 3 + i % 3);
        input.values.push_back(values_[static_cast<std::size_t>(from)] +
                               0.3f * noise.uniform(input.values.size()));
      }
      ragged.offsets.push_back(ragged.offsets.back() + frames + 1);
    }
    input.items = segments_ ? segments_of(ragged) : whole_recordings(ragged);
    out.sources = sources_;
    return out;
  }
  void write_lineage(const std::string& path, int epochs) const override {
    std::ofstream(path) << "epochs " << epochs << "\n";
  }

 private:
  std::vector<std::int64_t> sources_;
  std::shared_ptr<const TrainingData> data_;
  std::vector<float> values_;
  bool redraw_, segments_;
};

void augment(Task& task, bool redraw, bool segments = false) {
  if (segments) task.first().items = std::make_shared<const Items>(segments_of(task.data()));
  task.augment = [=](const Task& trained, const Context&, int) {
    return std::make_unique<NoisyCopies>(trained.sides.train, trained.first().data, redraw, segments);
  };
}

// The same copies as recordings of the corpus, which the training side holds besides.
Task with_copies_as_recordings(Task task, const Device& device) {
  NoisyCopies copies(task.sides.train, task.first().data, false, false);
  const Copies made = copies.make(1);
  auto data = std::make_shared<TrainingData>();
  data->feature = task.data().feature;
  data->classes = task.data().classes;
  data->labels = task.data().labels;
  data->offsets = task.data().offsets;
  std::vector<float> values = task.data().values.to_host();
  values.insert(values.end(), made.inputs[0].values.begin(), made.inputs[0].values.end());
  for (std::size_t i = 0; i < made.sources.size(); ++i) {
    task.sides.train.push_back(static_cast<std::int64_t>(data->labels.size()));
    data->labels.push_back(data->labels[static_cast<std::size_t>(made.sources[i])]);
    data->offsets.push_back(data->offsets.back() + made.inputs[0].items.frames[i]);
  }
  data->values = Tensor::from_host(device, values, {data->offsets.back(), 3});
  task.first().data = data;
  return task;
}

class AugmentedTrainerTest : public testing_support::DeviceTest {
 protected:
  TempFolder folder_;
};

std::vector<double> losses(const Trainer& trainer) {
  std::vector<double> out;
  for (const Epoch& epoch : trainer.history()) out.push_back(epoch.train_loss);
  return out;
}

TEST_P(AugmentedTrainerTest, CopiesTrainAsRecordingsWould) {
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  const Task expected_task = with_copies_as_recordings(task, device());
  augment(task, false);
  Trainer trainer(context, task), expected(context, expected_task);
  run_to_end(trainer);
  run_to_end(expected);
  EXPECT_EQ(losses(trainer), losses(expected));
  EXPECT_EQ(trainer.predict(task.sides.test), expected.predict(task.sides.test));
}

TEST_P(AugmentedTrainerTest, EverySavedEpochContinuesWithTheSameBits) {
  const Context context(device());
  for (const bool redraw : {false, true}) {
    for (const bool segments : {false, true}) {
      Task task = small_task(device(), folder_.str());
      augment(task, redraw, segments);
      Trainer whole(context, task);
      run_to_end(whole);
      for (const int stop : {1, 5}) {
        const std::string path = folder_ / cat("checkpoint", stop, redraw, segments, ".h5");
        const auto continued = stopped_and_continued(context, task, stop, path, 3);
        Trainer& second = *continued;
        EXPECT_EQ(losses(second), losses(whole));
        EXPECT_EQ(second.predict(task.sides.test), whole.predict(task.sides.test));
      }
    }
  }
}

TEST_P(AugmentedTrainerTest, NewCopiesInEveryEpochTrainOtherwise) {
  const Context context(device());
  Task once = small_task(device(), folder_.str()), every = once, none = once;
  augment(once, false);
  augment(every, true);
  Trainer a(context, once), b(context, every), c(context, none);
  for (Trainer* trainer : {&a, &b, &c}) {
    trainer->run_epoch();
    trainer->run_epoch();
  }
  EXPECT_EQ(losses(a)[0], losses(b)[0]);
  EXPECT_NE(losses(a)[1], losses(b)[1]);
  EXPECT_NE(losses(a)[0], losses(c)[0]);
}

TEST_P(AugmentedTrainerTest, ACopyOfATestRecordingEndsTheTraining) {
  const Context context(device());
  for (const std::int64_t leak : {12, 18}) {  // of the validation side, of the test side
    Task task = small_task(device(), folder_.str());
    task.augment = [leak](const Task& trained, const Context&, int) {
      return std::make_unique<NoisyCopies>(std::vector<std::int64_t>{0, 1, leak}, trained.first().data, false,
                                           false);
    };
    Trainer trainer(context, task);
    EXPECT_EQ(message_of<AuditError>([&] { trainer.run_epoch(); }),
              cat("model m, fold 1, seed 1: an augmented copy was made from recording number ", leak,
                  ", which is not on the training side of the fold"));
  }
}

TEST_P(AugmentedTrainerTest, AnItemLongerThanAnnouncedIsCaught) {
  struct TooLong : NoisyCopies {
    using NoisyCopies::NoisyCopies;
    std::int64_t longest_item(std::size_t) const override { return 1; }
  };
  const Context context(device());
  Task task = small_task(device(), folder_.str());
  task.augment = [](const Task& trained, const Context&, int) {
    return std::make_unique<TooLong>(trained.sides.train, trained.first().data, false, false);
  };
  Trainer trainer(context, task);
  EXPECT_THROW(trainer.run_epoch(), InternalError);
}

TEST_P(AugmentedTrainerTest, ACohortLeavesTheLineageBesideTheResult) {
  std::vector<Task> tasks{small_task(device(), folder_ / "a"), small_task(device(), folder_ / "b")};
  augment(tasks[0], true);
  const std::vector<TaskResult> results = run_cohort(tasks, {device(), 4});
  EXPECT_EQ(read_text(folder_ / "a/augmentation.csv"), "epochs 9\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "b/augmentation.csv"));
  EXPECT_EQ(results.size(), 2u);
}

SERVAL_DEVICE_TESTS(AugmentedTrainerTest);

}  // namespace
}  // namespace serval::train
