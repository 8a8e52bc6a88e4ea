// Models made of states that were worked out by hand.
#include "serval/learners/learner.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::learners {
namespace {

using corpus::message_of;
using testing::HasSubstr;

LearnerSettings settings_of(LearnerType type, std::vector<StepSettings> steps = {}) {
  LearnerSettings out;
  out.type = type;
  out.steps = std::move(steps);
  return out;
}

// Class 1 came first in training. Plane of class 1: x + 1, of class 0: -2 x.
LearnerState planes() {
  LearnerState out;
  out.doubles["model/planes"] = {{2, 3}, {1, -2, 0, 1, 0, 0.5}};
  out.integers["model/labels"] = {{3}, {1, 0, 2}};
  return out;
}

TEST(Learner, PlanesBelongToTheirLabels) {
  const float x = 0.75f;
  const auto svm = restore(settings_of(LearnerType::kLinearSvm), planes());
  EXPECT_EQ(svm->columns(), 1);
  EXPECT_EQ(svm->classes(), 3);
  const double e[] = {std::exp(-1.5), std::exp(1.75), std::exp(0.5)};
  const std::vector<float> scores = svm->scores({&x, 1, 1}).front();
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(scores[c], e[c] / (e[0] + e[1] + e[2]), 1e-6);
  const auto logistic = restore(settings_of(LearnerType::kLogistic), planes());
  const double s[] = {1 / (1 + std::exp(1.5)), 1 / (1 + std::exp(-1.75)), 1 / (1 + std::exp(-0.5))};
  const std::vector<float> shares = logistic->scores({&x, 1, 1}).front();
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(shares[c], s[c] / (s[0] + s[1] + s[2]), 1e-6);
}

TEST(Learner, OfTwoClassesThereIsOnePlane) {
  LearnerState state;
  state.doubles["model/planes"] = {{2, 1}, {1, 0}};
  state.integers["model/labels"] = {{2}, {1, 0}};
  const float x = 2;
  const auto svm = restore(settings_of(LearnerType::kLinearSvm), state);
  EXPECT_NEAR(svm->scores({&x, 1, 1}).front()[1], 1 / (1 + std::exp(-4.0)), 1e-6);
}

TEST(Learner, OfNeighboursAsNearTheFirstLearnedCounts) {
  LearnerState state;
  state.floats["model/samples"] = {{4, 1}, {1, -1, 3, 1}};
  state.integers["model/labels"] = {{4}, {2, 0, 1, 1}};
  state.set("model/classes", 3);
  state.set("model/neighbours", 2);
  const auto near = restore(settings_of(LearnerType::kNearestNeighbours), state);
  const float x[] = {0, 2.1f};
  const auto scores = near->scores({x, 2, 1});
  EXPECT_THAT(scores[0], testing::ElementsAre(0.5f, 0.0f, 0.5f));
  EXPECT_THAT(scores[1], testing::ElementsAre(0.0f, 0.5f, 0.5f));
}

TEST(Learner, StepsAreDoneInTheirOrder) {
  // Both columns fall on (x + y) / 2 - 1, then the nearer of the centres -1 and 2 is 1.
  LearnerState state = planes();
  state.doubles["step0/axes"] = {{1, 2}, {0.5, 0.5}};
  state.doubles["step0/variances"] = {{1, 1}, {4}};
  state.doubles["step0/mean"] = {{1, 2}, {1, 1}};
  state.doubles["step0/correction"] = {{1}, {1}};
  state.floats["step1/centres"] = {{2, 1}, {-1, 2}};
  state.doubles["model/planes"] = {{3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 0}};
  StepSettings pca, clusters;
  clusters.type = StepType::kKMeans;
  clusters.values = ClusterValue::kNearest;
  const LearnerSettings settings = settings_of(LearnerType::kLogistic, {pca, clusters});
  const auto learner = restore(settings, state);
  EXPECT_EQ(learner->columns(), 2);
  const float x[] = {0, 0, 3, 2};  // -1, 1.5
  const auto scores = learner->scores({x, 2, 2});
  EXPECT_GT(scores[0][1], scores[0][0]);
  EXPECT_GT(scores[1][0], scores[1][1]);
  // Whitened by the deviation 2 they are -0.5 and 0.75, and the second is nearer to -1 than before.
  LearnerSettings white = settings;
  white.steps[0].whiten = true;
  state.floats["step1/centres"] = {{2, 1}, {0, 2}};
  EXPECT_EQ(restore(white, state)->scores({x, 2, 2})[1], restore(white, state)->scores({x, 2, 2})[0]);
}

TEST(Learner, WhatDoesNotFitTogetherIsRefused) {
  const auto refusal = [](LearnerType type, const std::function<void(LearnerState&)>& change,
                          std::vector<StepSettings> steps = {}) {
    LearnerState state = planes();
    state.floats["model/samples"] = {{3, 1}, {0, 1, 2}};
    state.floats["model/vectors"] = {{3, 1}, {0, 1, 2}};
    state.integers["model/vectors_of_class"] = {{3}, {1, 1, 1}};
    state.doubles["model/coefficients"] = {{2, 3}, {1, 1, 1, 1, 1, 1}};
    state.doubles["model/offsets"] = {{3}, {0, 0, 0}};
    state.doubles["model/gamma"] = {{1}, {1}};
    state.floats["step0/centres"] = {{2, 1}, {0, 1}};
    state.set("model/classes", 3);
    state.set("model/neighbours", 2);
    change(state);
    return message_of<DataError>([&] { restore(settings_of(type, std::move(steps)), state); });
  };
  using enum LearnerType;
  StepSettings clusters;
  clusters.type = StepType::kKMeans;
  EXPECT_THAT(refusal(kLinearSvm,
                      [](LearnerState& s) {
                        s.integers["model/labels"].values = {1, 1, 2};
                      }),
              HasSubstr("labels have no class 0"));
  EXPECT_THAT(refusal(kLinearSvm,
                      [](LearnerState& s) {
                        s.integers["model/labels"] = {{1}, {0}};
                      }),
              HasSubstr("planes is [2, 3] and should be [2, 1]"));
  EXPECT_THAT(refusal(kLinearSvm,
                      [](LearnerState& s) {
                        s.doubles["model/planes"] = {{1, 3}, {1, 2, 3}};
                      }),
              HasSubstr("3 classes and 0 columns"));
  EXPECT_THAT(refusal(kLinearSvm, [](LearnerState&) {}, {clusters}),
              HasSubstr("step 0 gives 2 columns to 1"));
  EXPECT_THAT(refusal(kRbfSvm,
                      [](LearnerState& s) {
                        s.integers["model/vectors_of_class"].values = {1, 5, -3};
                      }),
              HasSubstr("vectors_of_class are not those of its vectors"));
  EXPECT_THAT(refusal(kRbfSvm,
                      [](LearnerState& s) {
                        s.integers["model/vectors_of_class"].values = {1, 1, 0};
                      }),
              HasSubstr("do not add up"));
  EXPECT_THAT(refusal(kNearestNeighbours, [](LearnerState& s) { s.set("model/neighbours", 4); }),
              HasSubstr("asks 4 neighbours of 3"));
  EXPECT_THAT(refusal(kRandomForest,
                      [](LearnerState& s) {
                        for (const char* name : {"node_columns", "left", "right", "labels"})
                          s.integers[cat("model/", name)] = {{1}, {-1}};
                        s.integers["model/labels"] = {{1}, {0}};
                        s.floats["model/thresholds"] = {{1}, {0}};
                        s.integers["model/roots"] = {{0}, {}};
                        s.set("model/columns", 1);
                      }),
              HasSubstr("has no tree"));
}

}  // namespace
}  // namespace serval::learners
