#include "serval/evaluate/fusion.h"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/evaluate/fusion_weights.h"

namespace serval::evaluate {
namespace {

using testing::ElementsAre;

// Two models, two recordings, three classes.
const Probabilities kA = {{0.7f, 0.2f, 0.1f}, {0.1f, 0.5f, 0.4f}};
const Probabilities kB = {{0.2f, 0.5f, 0.3f}, {0.0f, 0.2f, 0.8f}};

void expect_rows(const Probabilities& actual, const std::vector<std::vector<double>>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    for (std::size_t c = 0; c < expected[i].size(); ++c)
      EXPECT_NEAR(static_cast<double>(actual[i][c]), expected[i][c], 1e-6) << i << ", " << c;
  }
}

TEST(Fusion, RulesAreWhatTheirFormulasSay) {
  expect_rows(fuse_mean({kA, kB}), {{0.45, 0.35, 0.2}, {0.05, 0.35, 0.6}});
  expect_rows(fuse_weighted({kA, kB}, {0.2, 0.8}), {{0.3, 0.44, 0.26}, {0.02, 0.26, 0.72}});
  // 0.14, 0.10, 0.03 and (0), 0.10, 0.32
  expect_rows(fuse_product({kA, kB}), {{14. / 27, 10. / 27, 3. / 27}, {0, 10. / 42, 32. / 42}});
  const double a = std::sqrt(0.14), b = std::sqrt(0.10), c = std::sqrt(0.03);
  expect_rows({fuse_logit_average({kA, kB})[0]}, {{a / (a + b + c), b / (a + b + c), c / (a + b + c)}});
  expect_rows(fuse_maximum({kA, kB}), {{0.7 / 1.5, 0.5 / 1.5, 0.3 / 1.5}, {0.1 / 1.4, 0.5 / 1.4, 0.8 / 1.4}});
  // One vote each: the larger mean decides, 0.45 over 0.35.
  expect_rows(fuse_vote({kA, kB}),
              {{1.225 / 2.5, 1.175 / 2.5, 0.1 / 2.5}, {0.025 / 2.5, 1.175 / 2.5, 1.3 / 2.5}});
}

TEST(Fusion, AMajorityOutvotesASureModel) {
  const Probabilities sure = {{0.98f, 0.02f}}, doubtful = {{0.49f, 0.51f}};
  EXPECT_EQ(most_probable(fuse_vote({sure, doubtful, doubtful})), std::vector<int>{1});
  EXPECT_EQ(most_probable(fuse_mean({sure, doubtful, doubtful})), std::vector<int>{0});
}

TEST(Fusion, OneModelsCertainErrorIsNoVetoAndNothingIsNotANumber) {
  const Probabilities zero = {{0.0f, 1.0f}}, other = {{1.0f, 0.0f}};
  for (const auto& fused : {fuse_product({zero, other}), fuse_logit_average({zero, other})})
    expect_rows(fused, {{0.5, 0.5}});
  expect_rows(fuse_maximum({{{0.0f, 0.0f}}, {{0.0f, 0.0f}}}), {{0.5, 0.5}});
}

TEST(Fusion, ShapesThatDifferAreRefused) {
  EXPECT_THROW(fuse_mean({}), InternalError);
  EXPECT_THROW(fuse_mean({kA, {kB[0]}}), InternalError);
  EXPECT_THROW(fuse_maximum({kA, {{0.5f, 0.5f}, {0.5f, 0.5f}}}), InternalError);
  EXPECT_THROW(fuse_weighted({kA, kB}, {1.0}), InternalError);
  EXPECT_THROW(fit_weights({kA}, {0}), InternalError);
  EXPECT_THROW(fit_weights({kA}, {}), InternalError);
}

// Models of known skill: of `recordings` in four classes, model m is right with probability skill[m].
struct Study {
  std::vector<Probabilities> models;
  std::vector<int> labels;
};
Study study(const std::vector<double>& skills, int recordings, std::uint32_t number) {
  Study out;
  for (int i = 0; i < recordings; ++i) out.labels.push_back(i % 4);
  for (std::size_t m = 0; m < skills.size(); ++m) {
    const RandomStream draw{5, number, RandomPurpose::kTest, static_cast<std::uint32_t>(m), 0};
    Probabilities& rows = out.models.emplace_back();
    for (int i = 0; i < recordings; ++i) {
      const auto at = static_cast<std::uint64_t>(3 * i);
      const bool right = static_cast<double>(draw.uniform(at)) < skills[m];
      const int said =
          right ? out.labels[static_cast<std::size_t>(i)] : static_cast<int>(4 * draw.uniform(at + 1)) % 4;
      const float sure = 0.4f + 0.5f * draw.uniform(at + 2);
      std::vector<float>& row = rows.emplace_back(4, (1 - sure) / 3);
      row[static_cast<std::size_t>(said)] = sure;
    }
  }
  return out;
}

double loss(const Study& s, const std::vector<double>& weights) {
  return score_probabilities(s.labels, fuse_weighted(s.models, weights)).log_loss;
}

// Every multiple of 1 / steps that adds up to 1, by brute force.
void all_weights(std::size_t models, int left, int steps, std::vector<double>& now,
                 std::vector<std::vector<double>>& out) {
  if (now.size() + 1 == models) {
    out.push_back(now);
    out.back().push_back(static_cast<double>(left) / steps);
    return;
  }
  for (int own = 0; own <= left; ++own) {
    now.push_back(static_cast<double>(own) / steps);
    all_weights(models, left - own, steps, now, out);
    now.pop_back();
  }
}

TEST(FusionWeights, OfAFewModelsAreTheBestOfTheGrid) {
  const Study s = study({0.8, 0.55, 0.3}, 200, 1);
  const std::vector<double> fitted = fit_weights(s.models, s.labels);
  std::vector<std::vector<double>> grid;
  std::vector<double> now;
  all_weights(3, kWeightSteps, kWeightSteps, now, grid);
  EXPECT_EQ(grid.size(), 231u);
  for (const auto& weights : grid) EXPECT_LE(loss(s, fitted), loss(s, weights) + 1e-6);
  EXPECT_GT(fitted[0], fitted[1]);
  EXPECT_GT(fitted[1], fitted[2]);
}

TEST(FusionWeights, OfManyModelsAreAtTheMinimumOfAConvexLoss) {
  const Study s = study({0.8, 0.55, 0.3, 0.6, 0.2, 0.75, 0.1}, 300, 2);
  const std::vector<double> fitted = fit_weights(s.models, s.labels);
  EXPECT_NEAR(std::accumulate(fitted.begin(), fitted.end(), 0.0), 1, 1e-12);
  // At the minimum over the simplex no weight gains by a small move to any other model.
  const double least = loss(s, fitted);
  for (std::size_t from = 0; from < fitted.size(); ++from) {
    for (std::size_t to = 0; to < fitted.size(); ++to) {
      const double moved = std::min(0.01, fitted[from]);
      if (from == to || moved < 1e-6) continue;
      std::vector<double> other = fitted;
      other[from] -= moved;
      other[to] += moved;
      EXPECT_GE(loss(s, other), least - 1e-6) << from << " to " << to;
    }
  }
  EXPECT_LT(least, loss(s, std::vector<double>(7, 1.0 / 7)));
}

TEST(FusionWeights, OfEquallyGoodOnesTheMostEvenAreTaken) {
  const Study s = study({0.7}, 60, 3);
  EXPECT_THAT(fit_weights({s.models[0], s.models[0]}, s.labels), ElementsAre(0.5, 0.5));
  EXPECT_THAT(fit_weights({s.models[0]}, s.labels), ElementsAre(1.0));
}

TEST(FusionWeights, TheBestModelIsTheOneWithTheLargestUarThenTheSmallestLoss) {
  const Study s = study({0.4, 0.9, 0.6}, 200, 4);
  EXPECT_EQ(best_model(s.models, s.labels, 4), 1u);
  const std::vector<int> labels = {0, 1};
  const Probabilities timid = {{0.6f, 0.4f}, {0.4f, 0.6f}}, bold = {{0.9f, 0.1f}, {0.1f, 0.9f}};
  EXPECT_EQ(best_model({timid, bold, bold}, labels, 2), 1u);
}

}  // namespace
}  // namespace serval::evaluate
