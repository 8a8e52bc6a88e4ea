// Late fusion in a run: what it is made of, what it was fitted on, and that it cannot leak unseen.
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/finished_run.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::TempFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A network that learns, one that cannot, and a classical model.
std::string experiment(const std::string& folder, const std::string& more) {
  const auto net = [](const char* rate) {
    return std::string(R"({"input": {"features": "logmel"}, "network": {"layers": [
      {"type": "lstm", "hidden": 6}, {"type": "mean_pool"}, {"type": "dropout", "rate": )") +
           rate + R"(}, {"type": "dense"}]}})";
  };
  return R"({
  "name": "fused",
  "corpora": [{"use": "ravdess", "path": ")" +
         folder + R"(/corpus"}],
  "audio": {"sample_rate_hz": 8000},
  "features": {
    "logmel": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16},
    "vector": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16, "statistics": ["mean"]}
  },
  "folds": {"count": 3, "validation_actors": 1},
  "models": {"net": )" +
         net("0.1") + R"(, "deaf": )" + net("0.95") + R"(,
    "near": {"input": {"features": "vector"}, "learner": {"type": "nearest_neighbours", "neighbours": 3}}},
  "train": {"optimizer": {"learning_rate": 0.03}, "batch_size": 8, "epochs": 8},
  "seeds": [1, 2],
  "store": ")" +
         folder + "/stores\"" + more + "}";
}

using Row = std::pair<std::string, std::string>;  // recording, "fold/seed"
struct Table {
  std::map<std::string, std::map<Row, std::vector<double>>> models;
};

class FusionTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
  }
  ExperimentSettings load(const std::string& more, const std::vector<std::string>& overrides = {}) const {
    return load_experiment(folder_.write("x.json", experiment(folder_ / "", more)), overrides);
  }
  JsonValue run(const std::string& fusion, const std::string& out,
                const std::vector<std::string>& overrides = {}) const {
    return parse_json(
        run_experiment(load(", \"fusion\": " + fusion, overrides), {Device{}, 2, folder_ / out}).results_json,
        "results.json");
  }
  std::string error_of(const std::string& fusion, const std::vector<std::string>& overrides = {}) const {
    try {
      run_experiment(load(", \"fusion\": " + fusion, overrides), {Device{}, 2, folder_ / "bad"});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  // predictions.csv or validation_predictions.csv: probabilities by model and row.
  Table table(const std::string& path) const {
    const CsvTable csv = parse_csv(read_text(folder_ / path), path);
    const auto column = [&](const std::string& name) {
      return static_cast<std::size_t>(std::find(csv.columns.begin(), csv.columns.end(), name) -
                                      csv.columns.begin());
    };
    Table out;
    for (const auto& row : csv.rows) {
      std::vector<double> p;
      for (std::size_t c = 0; c < csv.columns.size(); ++c) {
        if (csv.columns[c].rfind("p_", 0) == 0) p.push_back(std::stod(row.fields[c]));
      }
      out.models[row.fields[column("model")]]
                [{row.fields[0], row.fields[column("fold")] + "/" + row.fields[column("seed")]}] = p;
    }
    return out;
  }
  TempFolder folder_;
};

TEST_F(FusionTest, TheMeanIsTheMeanOfWhatTheModelsSay) {
  const JsonValue results = run(R"({"rule": "mean", "models": ["net", "near"]})", "out");
  Table t = table("out/predictions.csv");
  ASSERT_EQ(t.models["fusion"].size(), 2u * 48u);
  for (const auto& [row, p] : t.models["fusion"]) {
    for (std::size_t c = 0; c < p.size(); ++c)
      EXPECT_NEAR(p[c], (t.models["net"][row][c] + t.models["near"][row][c]) / 2, 1e-6);
  }
  const JsonValue& fusion = *results.find("fusion");
  EXPECT_EQ(fusion.find("rule")->text, "mean");
  EXPECT_EQ(fusion.find("weights"), nullptr);
  // The headline is the fusion, and it stands among the models too.
  EXPECT_EQ(write_json(*results.find("summary")), write_json(*fusion.find("summary")));
  EXPECT_EQ(write_json(*results.find("summary")),
            write_json(*results.find("models")->find("fusion")->find("summary")));
  EXPECT_EQ(results.find("models")->members.front().first, "fusion");
  EXPECT_EQ(results.find("configurations")->integer, 3);
  EXPECT_THAT(read_text(folder_ / "out/results.txt"), HasSubstr("fused by mean: net, near\n"));
  EXPECT_THAT(read_text(folder_ / "out/report.html"), HasSubstr("How they were fused"));
}

TEST_F(FusionTest, WeightsAreFittedOnValidationAndSayWho) {
  const JsonValue results = run(R"({"rule": "weighted"})", "out");
  const JsonValue& weights = *results.find("fusion")->find("weights");
  EXPECT_LT(weights.find("deaf")->real, 0.3);
  double sum = 0;
  for (const auto& [model, weight] : weights.members) sum += weight.real;
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_EQ(results.find("fusion")->find("folds")->items.size(), 6u);
  const std::string audit = read_text(folder_ / "out/audit.json");
  EXPECT_THAT(audit, AllOf(HasSubstr("fusion, fold 1, seed 1"), HasSubstr("fusion, fold 3, seed 2")));
  EXPECT_EQ(parse_json(audit, "audit").find("verdict")->text, "passed");
  // A validation side was scored by each model with each seed.
  Table v = table("out/validation_predictions.csv");
  for (const char* model : {"net", "deaf", "near"}) EXPECT_EQ(v.models[model].size(), 2u * 3u * 8u) << model;
  EXPECT_EQ(v.models.count("fusion"), 0u);
  // Read back and drawn again, nothing changes.
  EXPECT_EQ(report::results_html(read_finished_run(folder_ / "out").report).find("How they were fused") ==
                std::string::npos,
            false);
}

TEST_F(FusionTest, TheBestModelIsChosenAgainForEachFold) {
  const JsonValue results = run(R"({"rule": "best", "models": ["deaf", "near"]})", "out");
  Table t = table("out/predictions.csv");
  for (const JsonValue& fold : results.find("fusion")->find("folds")->items) {
    EXPECT_EQ(fold.find("weights")->find("near")->real, 1) << "fold " << fold.find("fold")->integer;
    EXPECT_EQ(fold.find("weights")->find("deaf")->real, 0);
  }
  EXPECT_EQ(t.models["fusion"], t.models["near"]);
}

TEST_F(FusionTest, SeedsTogetherAreOneRowAFold) {
  const JsonValue results = run(R"({"rule": "mean", "models": ["net"], "seeds": "together"})", "out");
  EXPECT_EQ(results.find("folds")->items.size(), 3u);
  EXPECT_EQ(results.find("folds")->items[0].find("seed")->integer, 0);
  EXPECT_EQ(results.find("models")->find("net")->find("folds")->items.size(), 6u);
  EXPECT_EQ(results.find("models")->find("fusion")->find("parameters")->integer,
            2 * results.find("models")->find("net")->find("parameters")->integer);
  Table t = table("out/predictions.csv");
  for (const auto& [row, p] : t.models["fusion"]) {
    const std::string fold = row.second.substr(0, row.second.find('/'));
    for (std::size_t c = 0; c < p.size(); ++c) {
      EXPECT_NEAR(
          p[c],
          (t.models["net"][{row.first, fold + "/1"}][c] + t.models["net"][{row.first, fold + "/2"}][c]) / 2,
          1e-6);
    }
  }
}

TEST_F(FusionTest, InnerFoldsFitOnEveryTrainingActorOnce) {
  for (const char* rule : {"weighted", "stacking"}) {
    const std::string out = std::string("nested_") + rule;
    const JsonValue results = run(std::string(R"({"rule": ")") + rule + R"(", "models": ["net", "near"]})",
                                  out, {"folds.inner_folds=2", "folds.validation_actors=0", "seeds=[1]"});
    EXPECT_GT(results.find("summary")->find("uar")->find("mean")->real, 0.6) << rule;
    const JsonValue audit = parse_json_file(folder_ / (out + "/audit.json"));
    EXPECT_EQ(audit.find("verdict")->text, "passed");
    int fitted = 0;
    for (const JsonValue& statistic : audit.find("statistics")->items) {
      if (statistic.find("name")->text.rfind("fusion, ", 0) != 0) continue;
      ++fitted;
      EXPECT_EQ(statistic.find("fitted_on_actors")->items.size(), 4u);  // all but the two of the test
    }
    EXPECT_EQ(fitted, 3);
    EXPECT_EQ(results.find("models")->find("fusion")->find("folds")->items.size(), 3u);
  }
}

TEST_F(FusionTest, FittedOnTheTestSideOnlyByNameAndStamped) {
  const JsonValue results = run(R"({"rule": "weighted", "models": ["net", "deaf"]})", "leaks",
                                {"protocol.leaks=[\"fusion_on_test\"]"});
  EXPECT_EQ(results.find("audit")->text, "leaks");
  EXPECT_THAT(write_json(*results.find("stamps")), HasSubstr("fusion_on_test"));
  EXPECT_THAT(read_text(folder_ / "leaks/audit.json"),
              HasSubstr("fusion, fold 1, seed 1: fitted on ravdess/01, a test actor of fold 1"));
  EXPECT_THAT(error_of(R"({"rule": "mean"})", {"protocol.leaks=[\"fusion_on_test\"]"}),
              HasSubstr("fusion_on_test is named, but no fusion is fitted"));
  // With the test side for validation, what is fitted on validation scores is fitted on test scores.
  EXPECT_THAT(
      error_of(R"({"rule": "weighted", "models": ["net", "deaf"]})", {"protocol.leaks=[\"test_selection\"]"}),
      AllOf(HasSubstr("protocol"), HasSubstr("name \"fusion_on_test\" too")));
}

TEST_F(FusionTest, AClassThatStackingCannotLearnIsToldBeforeAnythingTrains) {
  // Actor 4 validates in fold 1.
  for (int repetition = 0; repetition < 2; ++repetition) {
    std::filesystem::remove(folder_ / ("corpus/" + testing_support::tone_name(4, repetition, 4) + ".wav"));
  }
  EXPECT_THAT(error_of(R"({"rule": "stacking", "models": ["net", "near"]})"),
              HasSubstr("fold 1 has no validation recording of: sad"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "bad/models"));
}

TEST_F(FusionTest, MistakesAreNamed) {
  EXPECT_THAT(error_of(R"({"rule": "average"})"), HasSubstr("fusion.rule"));
  EXPECT_THAT(error_of(R"({"models": ["net", "ned"]})"),
              HasSubstr("\"ned\" is not one of {net, deaf, near}"));
  EXPECT_THAT(error_of(R"({"models": ["net", "net"]})"), HasSubstr("a model is named twice"));
  EXPECT_THAT(error_of(R"({"models": ["net"]})"), HasSubstr("needs two models"));
  EXPECT_THAT(error_of(R"({"models": ["net"], "seeds": "together"})", {"seeds=[1]"}),
              HasSubstr("needs two models"));
  EXPECT_THAT(error_of(R"({"rule": "weighted"})", {"folds.validation_actors=0", "train.select=last"}),
              AllOf(HasSubstr("weighted"), HasSubstr("validation_actors")));
  EXPECT_THAT(
      error_of(R"({"rule": "mean"})",
               {R"(models.fusion={"input": {"features": "vector"}, "learner": {"type": "logistic"}})"}),
      HasSubstr("is that of the fused scores"));
}

}  // namespace
}  // namespace serval::experiment
