// Every file of experiments/ says something that can be run, in both its sizes, without a recording at hand.
#include "serval/core/files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/experiment/resolve.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;

// Those that are not only there to be extended.
std::vector<std::string> experiment_files() {
  const fs::path folder = fs::path(SERVAL_SOURCE_DIR) / "experiments";
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".json" || name == "base.json" || name == "quick.json") continue;
    if (fs::relative(entry.path(), folder).begin()->string() == "networks") continue;
    out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class ExperimentFilesTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const char* name : {"SERVAL_CORPORA", "SERVAL_DEMO", "FEATURES"}) setenv(name, "/nowhere", 0);
  }
};

TEST_P(ExperimentFilesTest, IsReadInBothSizes) {
  const ExperimentSettings full = load_experiment(GetParam(), {});
  const ExperimentSettings quick = load_experiment(GetParam(), {}, ExperimentSize::kQuick);
  EXPECT_EQ(quick.name, full.name + "-quick");
  EXPECT_NE(full.description, "");
  for (const corpus::CorpusUse& use : quick.corpora) EXPECT_EQ(use.use, "demo");
  EXPECT_EQ(quick.seeds.size(), 1u);
  // The quick size is of the same experiment.
  ASSERT_EQ(quick.models.size(), full.models.size());
  for (std::size_t i = 0; i < full.models.size(); ++i) EXPECT_EQ(quick.models[i].first, full.models[i].first);
}

TEST(ExperimentFiles, HaveNamesOfTheirOwn) {
  for (const char* name : {"SERVAL_CORPORA", "SERVAL_DEMO", "FEATURES"}) setenv(name, "/nowhere", 0);
  std::vector<std::string> names;
  for (const std::string& file : experiment_files()) names.push_back(load_experiment(file, {}).name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

INSTANTIATE_TEST_SUITE_P(All, ExperimentFilesTest, testing::ValuesIn(experiment_files()),
                         [](const auto& test) {
                           std::string name =
                               fs::relative(test.param, fs::path(SERVAL_SOURCE_DIR) / "experiments").string();
                           std::replace_if(
                               name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; },
                               '_');
                           return name;
                         });

}  // namespace
}  // namespace serval::experiment
