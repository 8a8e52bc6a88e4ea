// What can be seen of a training while it is under way.
#include <filesystem>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/csv.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/train/cohort.h"

#include "tests/corpus/corpus_fixtures.h"
#include "tests/support/devices.h"
#include "training_task.h"

namespace serval::train {
namespace {

using testing::ElementsAre;

class FollowerTest : public testing_support::DeviceTest {
 protected:
  void SetUp() override { set_quiet(true); }

  std::vector<std::string> epochs_in_history() const {
    const std::string path = folder_ / "task/history.csv";
    std::vector<std::string> out;
    for (const CsvRow& row : parse_csv(read_text(path), path).rows) out.push_back(row.fields[0]);
    return out;
  }

  corpus::TempFolder folder_;
};

TEST_P(FollowerTest, HearsOfEveryEpochOnceAndOfThoseBeforeAContinuation) {
  Task task = small_task(device(), folder_ / "task");
  task.settings.epochs = 5;
  task.settings.checkpoint_every_s = 0;
  std::vector<int> before, heard;
  int stop_at = 3;
  const MakeFollower follow = [&](const Task& followed, const std::vector<Epoch>& history) {
    EXPECT_EQ(followed.folder, task.folder);
    for (const Epoch& epoch : history) before.push_back(epoch.epoch);
    return [&](const Epoch& epoch) {
      heard.push_back(epoch.epoch);
      if (epoch.epoch == stop_at) throw std::runtime_error("stopped");
    };
  };
  EXPECT_THROW(run_cohort({task}, {device(), 1, 0, follow}), std::runtime_error);
  EXPECT_THAT(before, ElementsAre());
  EXPECT_THAT(heard, ElementsAre(1, 2, 3));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "task/history.csv"));  // though nothing is finished
  EXPECT_FALSE(std::filesystem::exists(folder_ / "task/result.json"));

  // The checkpoint is that of epoch 2, so the third comes again.
  heard.clear();
  stop_at = 0;
  const std::vector<TaskResult> results = run_cohort({task}, {device(), 1, 0, follow});
  EXPECT_THAT(before, ElementsAre(1, 2));
  EXPECT_THAT(heard, ElementsAre(3, 4, 5));
  EXPECT_THAT(epochs_in_history(), ElementsAre("1", "2", "3", "4", "5"));

  before.clear();
  heard.clear();
  run_cohort({task}, {device(), 1, 0, follow});
  EXPECT_THAT(before, ElementsAre());  // finished: nothing to follow
  EXPECT_THAT(heard, ElementsAre());
}

SERVAL_DEVICE_TESTS(FollowerTest);

}  // namespace
}  // namespace serval::train
