#include "serval/fitting/fit.h"

#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/philox.h"
#include "serval/core/settings_io.h"
#include "serval/learners/learner.h"

namespace serval::fitting {
namespace {

using learners::LearnerSettings;
using learners::LearnerState;
using learners::Rows;
using ::testing::AllOf;
using ::testing::HasSubstr;

LearnerSettings parse(const std::string& json) {
  std::vector<std::string> errors;
  LearnerSettings settings = read_settings<LearnerSettings>(parse_json(json, "learner.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  return settings;
}
std::unique_ptr<learners::Learner> fitted(const LearnerSettings& settings, const Rows& x,
                                          const std::vector<int>& labels, int classes, std::uint64_t seed) {
  return learners::restore(settings, fit(settings, x, labels, classes, seed));
}
std::string errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<LearnerSettings>(parse_json(json, "learner.json"), errors);
  return join(errors, "\n");
}

std::vector<float> numbers(const JsonValue& list) {
  std::vector<float> out;
  for (const JsonValue& item : list.items) out.push_back(static_cast<float>(item.real));
  return out;
}

// scikit-learn 1.x, by tests/golden/learners/make_learner_goldens.py.
TEST(Fit, ScoresAreThoseOfScikitLearn) {
  const JsonValue golden =
      parse_json_file(std::string(SERVAL_SOURCE_DIR) + "/tests/golden/learners/learners.json");
  const std::int64_t columns = golden.find("columns")->integer;
  const int classes = static_cast<int>(golden.find("classes")->integer);
  const std::vector<float> x = numbers(*golden.find("train")), z = numbers(*golden.find("test"));
  std::vector<int> labels;
  for (const JsonValue& label : golden.find("labels")->items)
    labels.push_back(static_cast<int>(label.integer));
  const Rows train{x.data(), static_cast<std::int64_t>(labels.size()), columns};
  const Rows test{z.data(), static_cast<std::int64_t>(z.size()) / columns, columns};
  ASSERT_EQ(golden.find("cases")->items.size(), 9u);
  for (const JsonValue& one : golden.find("cases")->items) {
    const std::string text = write_json(*one.find("settings"));
    SCOPED_TRACE(text);
    const std::vector<std::vector<float>> scores =
        fitted(parse(text), train, labels, classes, 1)->scores(test);
    const std::vector<float> expected = numbers(*one.find("scores"));
    ASSERT_EQ(scores.size() * static_cast<std::size_t>(classes), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(scores[i / static_cast<std::size_t>(classes)][i % static_cast<std::size_t>(classes)],
                  expected[i], 1e-3)
          << i;
  }
}

// Rings around each other: no plane parts them.
struct Rings {
  static constexpr std::int64_t kCount = 240;
  std::vector<float> values;
  std::vector<int> labels;
  explicit Rings(std::uint32_t which) {
    const RandomStream random{.seed = 5, .layer = which};
    for (std::int64_t i = 0; i < kCount; ++i) {
      const int ring = static_cast<int>(i % 3);
      const float angle = 6.2831853f * random.uniform(static_cast<std::uint64_t>(2 * i));
      const float radius =
          static_cast<float>(ring) + 1 + 0.4f * random.uniform(static_cast<std::uint64_t>(2 * i + 1));
      values.push_back(radius * std::cos(angle));
      values.push_back(radius * std::sin(angle));
      labels.push_back(ring);
    }
  }
  Rows rows() const { return {values.data(), kCount, 2}; }
};

double accuracy(const std::vector<std::vector<float>>& scores, const std::vector<int>& labels) {
  double right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    float sum = 0;
    for (const float score : scores[i]) {
      EXPECT_GE(score, 0);
      sum += score;
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    right += std::max_element(scores[i].begin(), scores[i].end()) - scores[i].begin() == labels[i];
  }
  return right / static_cast<double>(scores.size());
}

TEST(Fit, WhatBendsPartsRingsAndWhatIsStraightDoesNot) {
  const Rings train(1), test(2);
  const auto right = [&](const std::string& json) {
    return accuracy(fitted(parse(json), train.rows(), train.labels, 3, 1)->scores(test.rows()), test.labels);
  };
  EXPECT_LT(right(R"({"type": "linear_svm"})"), 0.6);
  EXPECT_LT(right(R"({"type": "logistic"})"), 0.6);
  EXPECT_GT(right(R"({"type": "rbf_svm", "c": 10})"), 0.97);
  EXPECT_GT(right(R"({"type": "random_forest", "trees": 100})"), 0.9);
  EXPECT_GT(right(R"({"type": "nearest_neighbours"})"), 0.95);
  // Distances from centres are not straight either.
  EXPECT_GT(right(R"({"type": "linear_svm", "c": 100, "steps": [{"type": "k_means", "clusters": 24}]})"),
            0.9);
  EXPECT_GT(
      right(
          R"({"type": "logistic", "c": 100, "steps": [{"type": "k_means", "clusters": 40, "values": "nearest"}]})"),
      0.8);
}

TEST(Fit, SameSeedSameScoresAtAnyTimeAndInAnyThread) {
  const Rings train(1), test(2);
  for (const char* json :
       {R"({"type": "linear_svm"})", R"({"type": "logistic"})", R"({"type": "rbf_svm"})",
        R"({"type": "random_forest", "trees": 20})",
        R"({"type": "nearest_neighbours", "steps": [{"type": "k_means", "clusters": 5}]})"}) {
    SCOPED_TRACE(json);
    const auto scores = [&](std::uint64_t seed) {
      return fitted(parse(json), train.rows(), train.labels, 3, seed)->scores(test.rows());
    };
    const auto expected = scores(4);
    std::vector<std::vector<std::vector<float>>> others(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < others.size(); ++i) {
      threads.emplace_back([&, i] {
        if (i % 2 == 1) scores(i);  // something else first
        others[i] = scores(4);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& other : others) EXPECT_EQ(other, expected);
  }
}

constexpr const char* kAll[] = {
    R"({"type": "linear_svm", "balanced": true})",
    R"({"type": "logistic", "steps": [{"type": "pca", "components": 2, "whiten": true}]})",
    R"({"type": "rbf_svm", "steps": [{"type": "pca"}, {"type": "k_means", "clusters": 7, "values": "nearest"}]})",
    R"({"type": "rbf_svm", "c": 10, "gamma": 0.7})",
    R"({"type": "random_forest", "trees": 20, "depth": 4})",
    R"({"type": "random_forest", "trees": 3})",
    R"({"type": "nearest_neighbours", "steps": [{"type": "k_means", "clusters": 5}]})"};

TEST(Fit, AStateThatIsNotWholeIsRefused) {
  const Rings train(1);
  for (const char* json : kAll) {
    SCOPED_TRACE(json);
    const LearnerState whole = fit(parse(json), train.rows(), train.labels, 3, 4);
    const auto message = [&](const LearnerState& state) -> std::string {
      try {
        learners::restore(parse(json), state);
      } catch (const DataError& error) {
        return error.what();
      }
      return "made";
    };
    const auto each = [&](auto arrays) {
      for (const auto& [name, array] : whole.*arrays) {
        LearnerState without = whole;
        (without.*arrays).erase(name);
        EXPECT_THAT(message(without), HasSubstr("has no " + name.substr(name.find('/') + 1)));
        LearnerState shorter = whole;
        (shorter.*arrays)[name].values.pop_back();
        EXPECT_THAT(message(shorter), HasSubstr("and should be")) << name;
      }
    };
    each(&LearnerState::floats);
    each(&LearnerState::doubles);
    each(&LearnerState::integers);
  }
}

TEST(Fit, ATreeThatLeadsNowhereIsRefused) {
  const Rings train(1);
  const LearnerSettings settings = parse(R"({"type": "random_forest", "trees": 3})");
  const auto with = [&](const char* array, std::int64_t value) -> std::string {
    LearnerState state = fit(settings, train.rows(), train.labels, 3, 4);
    state.integers.at(cat("model/", array)).values[0] = value;
    try {
      learners::restore(settings, state);
    } catch (const DataError& error) {
      return error.what();
    }
    return "made";
  };
  EXPECT_THAT(with("left", 0), HasSubstr("node 0 leads to 0"));
  EXPECT_THAT(with("right", 1 << 20), HasSubstr("right has a 1048576"));
  EXPECT_THAT(with("node_columns", 2), HasSubstr("node_columns has a 2 among 2"));
  EXPECT_THAT(with("labels", 3), HasSubstr("labels has a 3 among 3"));
  EXPECT_THAT(with("roots", -1), HasSubstr("roots has a -1"));
}

TEST(Fit, TheForestDependsOnItsSeed) {
  const Rings train(1), test(2);
  const LearnerSettings settings = parse(R"({"type": "random_forest", "trees": 5})");
  EXPECT_NE(fitted(settings, train.rows(), train.labels, 3, 1)->scores(test.rows()),
            fitted(settings, train.rows(), train.labels, 3, 2)->scores(test.rows()));
}

TEST(Fit, TwoClassesWork) {
  const std::vector<float> x{-2, -1, -1.5f, 1, 2, 1.5f, -1.2f, 1.2f};
  const std::vector<int> labels{1, 1, 1, 0, 0, 0, 1, 0};
  for (const char* type : {"linear_svm", "rbf_svm", "logistic", "random_forest", "nearest_neighbours"}) {
    SCOPED_TRACE(type);
    const auto learner =
        fitted(parse(std::string(R"({"type": ")") + type + "\"}"), {x.data(), 8, 1}, labels, 2, 1);
    EXPECT_EQ(accuracy(learner->scores({x.data(), 8, 1}), labels), 1);
  }
}

TEST(Fit, ConstantColumnsAreNoTrouble) {
  std::vector<float> x;
  std::vector<int> labels;
  for (int i = 0; i < 30; ++i) {
    x.insert(x.end(), {5.0f, i % 3 == 0 ? 1.0f : i % 3 == 1 ? 2.0f : 4.0f, 0.0f});
    labels.push_back(i % 3);
  }
  const Rows rows{x.data(), 30, 3};
  for (const char* json :
       {R"({"type": "rbf_svm", "steps": [{"type": "pca", "whiten": true, "variance": 1}]})",
        R"({"type": "random_forest", "trees": 10})", R"({"type": "nearest_neighbours", "neighbours": 3})"}) {
    SCOPED_TRACE(json);
    EXPECT_EQ(accuracy(fitted(parse(json), rows, labels, 3, 1)->scores(rows), labels), 1);
  }
}

// Columns of variances 60, 30, 7 and 3.
TEST(Fit, PcaKeepsTheFewestComponentsAboveTheShare) {
  std::vector<float> x;
  for (int i = 0; i < 8; ++i) {
    const double signs[] = {i & 1 ? 1.0 : -1.0, i & 2 ? 1.0 : -1.0, i & 4 ? 1.0 : -1.0,
                            (i & 1) ^ (i >> 1 & 1) ? 1.0 : -1.0};
    const double variances[] = {60, 30, 7, 3};
    for (int c = 0; c < 4; ++c) x.push_back(static_cast<float>(signs[c] * std::sqrt(variances[c])));
  }
  const std::vector<int> labels{0, 1, 0, 1, 0, 1, 0, 1};
  const auto kept = [&](const Rows& rows, const char* variance) {
    const LearnerState state =
        fit(parse(cat(R"({"type": "logistic", "steps": [{"type": "pca", "whiten": true, "variance": )",
                      variance, "}]}")),
            rows, {labels.data(), static_cast<std::size_t>(rows.count)}, 2, 1);
    return state.get_doubles("step0/variances").shape[0];
  };
  const Rows rows{x.data(), 8, 4};
  EXPECT_EQ(kept(rows, "0.5"), 1);
  EXPECT_EQ(kept(rows, "0.65"), 2);
  EXPECT_EQ(kept(rows, "0.95"), 3);
  EXPECT_EQ(kept(rows, "0.98"), 4);
  EXPECT_EQ(kept(rows, "1"), 4);
  EXPECT_EQ(kept({x.data(), 8, 1}, "0.95"), 1);
  EXPECT_EQ(kept({x.data(), 4, 8}, "1"), 3);  // four recordings span three axes
}

TEST(Fit, AskingForMoreThanThereIsIsAnErrorThatSaysHowMuchThereIs) {
  const std::vector<float> x{0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<int> labels{0, 0, 1, 1};
  const auto message = [&](const std::string& json) -> std::string {
    try {
      fit(parse(json), {x.data(), 4, 2}, labels, 2, 1);
      return "no error";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(message(R"({"type": "nearest_neighbours"})"),
              AllOf(HasSubstr("5 neighbours"), HasSubstr("4 recordings")));
  EXPECT_THAT(message(R"({"type": "logistic", "steps": [{"type": "pca", "components": 3}]})"),
              AllOf(HasSubstr("3 components"), HasSubstr("at most 2")));
  EXPECT_THAT(message(R"({"type": "logistic", "steps": [{"type": "k_means", "clusters": 5}]})"),
              AllOf(HasSubstr("5 clusters"), HasSubstr("4 recordings")));
}

TEST(Fit, MistakesInTheFileAreNamed) {
  EXPECT_THAT(errors_of(R"({"type": "svm"})"), AllOf(HasSubstr("type"), HasSubstr("linear_svm")));
  EXPECT_THAT(errors_of(R"({"type": "linear_svm", "c": 0})"), HasSubstr("c: 0 is out of range"));
  EXPECT_THAT(errors_of(R"({"type": "linear_svm", "gamma": 1})"), HasSubstr("gamma"));
  EXPECT_THAT(errors_of(R"({"type": "random_forest", "trees": 0})"), HasSubstr("trees"));
  EXPECT_THAT(errors_of(R"({"type": "logistic", "steps": [{"type": "lda"}]})"), HasSubstr("steps[0].type"));
  EXPECT_THAT(errors_of("{}"), HasSubstr("type: is missing"));
}

}  // namespace
}  // namespace serval::fitting
