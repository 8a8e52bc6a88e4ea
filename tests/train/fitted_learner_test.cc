// Classical models of a cohort, written beside their results and read again.
#include "serval/train/fitted_learner.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/train/cohort.h"

#include "tests/corpus/corpus_fixtures.h"
#include "tests/train/training_task.h"

namespace serval::train {
namespace {

using corpus::TempFolder;
using ::testing::HasSubstr;

// The first frame of each recording of small_task().
Task vector_task(const std::string& folder, const char* learner) {
  Task task = small_task({}, folder);
  auto data = std::make_shared<TrainingData>();
  data->feature = data->classes = 3;
  data->labels = task.data().labels;
  const std::vector<float> all = task.data().values.to_host();
  std::vector<float> first;
  for (std::int64_t r = 0; r < 24; ++r) {
    const auto row = all.begin() + task.data().offsets[static_cast<std::size_t>(r)] * 3;
    first.insert(first.end(), row, row + 3);
    data->offsets.push_back(r);
  }
  data->offsets.push_back(24);
  data->values = Tensor::from_host({}, first, {24, 3});
  task.first().data = data;
  task.first().normaliser.fitted_on_actors = {"a/1", "a/2"};
  task.network.reset();
  std::vector<std::string> errors;
  task.learner = read_settings<learners::LearnerSettings>(parse_json(learner, "learner.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  return task;
}

TEST(FittedLearner, ReadAgainItGivesTheProbabilitiesOfTheResult) {
  set_quiet(true);
  for (
      const char* json :
      {R"({"type": "linear_svm"})",
       R"({"type": "logistic", "c": 3, "steps": [{"type": "pca", "components": 2}]})",
       R"({"type": "rbf_svm"})", R"({"type": "random_forest", "trees": 9})",
       R"({"type": "nearest_neighbours", "neighbours": 2, "steps": [{"type": "k_means", "clusters": 4}]})"}) {
    SCOPED_TRACE(json);
    const TempFolder folder;
    const Task task = vector_task(folder / "task", json);
    const std::vector<TaskResult> results = run_cohort({task}, {.device = {}, .threads = 1});
    const std::vector<float> x = task.data().values.to_host();

    const FittedLearner again = read_learner(folder / "task/learner.h5");
    EXPECT_EQ(write_json(settings_to_json(again.settings)), write_json(settings_to_json(*task.learner)));
    EXPECT_EQ(again.normaliser.mean, task.first().normaliser.mean);
    EXPECT_EQ(again.normaliser.scale, task.first().normaliser.scale);
    EXPECT_EQ(again.normaliser.fitted_on_actors, task.first().normaliser.fitted_on_actors);
    EXPECT_EQ(again.scores({x.data() + 18 * 3, 6, 3}), results[0].probabilities);
    // Done: not fitted again, and the file stays as it is.
    const auto written = std::filesystem::last_write_time(folder / "task/learner.h5");
    EXPECT_EQ(run_cohort({task}, {.device = {}, .threads = 1})[0].probabilities, results[0].probabilities);
    EXPECT_EQ(std::filesystem::last_write_time(folder / "task/learner.h5"), written);
  }
}

TEST(FittedLearner, AFileThatIsNoneIsRefusedByItsName) {
  set_quiet(true);
  const TempFolder folder;
  const auto message = [](const std::string& path) -> std::string {
    try {
      read_learner(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "read";
  };
  run_cohort({vector_task(folder / "task", R"({"type": "rbf_svm"})")}, {.device = {}, .threads = 1});
  const std::string path = folder / "task/learner.h5";
  EXPECT_EQ(message(path), "read");
  std::string bytes = read_text(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const std::string bent = folder.write("bent.h5", bytes);
  EXPECT_THAT(message(bent), HasSubstr("bent.h5"));

  Task network = small_task({}, folder / "network");
  network.settings.epochs = 1;
  run_cohort({network}, {.device = {}, .threads = 1});
  EXPECT_THAT(message(folder / "network/checkpoint.h5"), HasSubstr("checkpoint.h5: holds no learner"));
}

}  // namespace
}  // namespace serval::train
