// Points of sweeps: which, in what order, and that they are the same each time.
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "serval/core/settings_io.h"

#include "src/experiment/sweep/sampler.h"
#include "src/experiment/sweep/trial.h"

namespace serval::experiment {
namespace {

SweepSettings settings(const std::string& json) {
  std::vector<std::string> errors;
  SweepSettings out = read_settings<SweepSettings>(
      parse_json(R"({"name": "s", "experiment": "x.json", )" + json + "}", "s.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>{});
  return out;
}

std::vector<std::string> texts(const std::vector<Point>& points) {
  std::vector<std::string> out;
  for (const Point& point : points) out.push_back(point_text(point));
  return out;
}

const char* kTwoRanges =
    R"("axes": {"a": {"low": 0, "high": 1}, "b": {"low": 1e-4, "high": 1, "scale": "log"}})";

TEST(SweepSampler, AGridHasEveryCombinationAndConditionsPrune) {
  const SweepSettings s = settings(R"("axes": {
    "a": {"values": ["x", "y"]},
    "b": {"values": [1, 2], "when": {"axis": "a", "in": ["y"]}},
    "c": {"values": [true, false]}})");
  EXPECT_EQ(
      texts(make_sampler(s)->ask({})),
      (std::vector<std::string>{R"(a="x" c=true)", R"(a="x" c=false)", R"(a="y" b=1 c=true)",
                                R"(a="y" b=1 c=false)", R"(a="y" b=2 c=true)", R"(a="y" b=2 c=false)"}));
  EXPECT_TRUE(make_sampler(s)->ask({{}}).empty());
}

TEST(SweepSampler, ALargerBudgetOnlyAddsPoints) {
  for (const char* strategy : {"random", "sobol"}) {
    const std::string rest =
        std::string(kTwoRanges) + R"(, "strategy": ")" + strategy + R"(", "budget": {"trials": )";
    const std::vector<std::string> few = texts(make_sampler(settings(rest + "5}"))->ask({}));
    std::vector<std::string> many = texts(make_sampler(settings(rest + "9}"))->ask({}));
    ASSERT_EQ(many.size(), 9u);
    many.resize(5);
    EXPECT_EQ(few, many) << strategy;
  }
}

TEST(SweepSampler, SeedsGiveOtherPoints) {
  for (const char* strategy : {"random", "sobol", "tpe"}) {
    const std::string rest =
        std::string(kTwoRanges) + R"(, "strategy": ")" + strategy + R"(", "budget": {"trials": 6}, "seed": )";
    const std::vector<std::string> one = texts(make_sampler(settings(rest + "1"))->ask({}));
    EXPECT_EQ(one, texts(make_sampler(settings(rest + "1"))->ask({}))) << strategy;
    EXPECT_NE(one, texts(make_sampler(settings(rest + "2"))->ask({}))) << strategy;
  }
}

// Of 2^k points, one lies in each of 2^k equal stretches of every axis; random points do not do that.
TEST(SweepSampler, SobolPointsCoverEveryAxisEvenly) {
  const SweepSettings s =
      settings(std::string(kTwoRanges) + R"(, "strategy": "sobol", "budget": {"trials": 64}, "seed": 3)");
  const std::vector<Point> points = make_sampler(s)->ask({});
  for (std::size_t k = 0; k < 2; ++k) {
    std::set<int> stretches;
    for (const Point& point : points)
      stretches.insert(static_cast<int>(64 * place_of(s.axes[k].second, point[k].second)));
    EXPECT_GE(stretches.size(), 62u) << k;  // six digits may move a point over an edge
  }
}

TEST(SweepSampler, ValuesHaveEqualSharesAndEndsAreReached) {
  const SweepSettings s =
      settings(R"("axes": {"n": {"low": 1, "high": 3, "integer": true}, "v": {"values": [5, 6]}},
    "strategy": "random", "budget": {"trials": 1})");
  const AxisSettings &n = s.axes[0].second, &v = s.axes[1].second;
  EXPECT_EQ(value_at(n, 0.0).integer, 1);
  EXPECT_EQ(value_at(n, 0.34).integer, 2);
  EXPECT_EQ(value_at(n, 0.9999).integer, 3);
  EXPECT_EQ(value_at(v, 0.49).integer, 5);
  EXPECT_EQ(value_at(v, 0.5).integer, 6);
  for (const double u : {0.1, 0.5, 0.9}) {
    EXPECT_EQ(value_at(n, place_of(n, value_at(n, u))).integer, value_at(n, u).integer);
    EXPECT_EQ(value_at(v, place_of(v, value_at(v, u))).integer, value_at(v, u).integer);
  }
}

TEST(SweepSampler, HalvingContinuesTheBestOfEachRung) {
  const SweepSettings s = settings(std::string(kTwoRanges) + R"(, "strategy": "halving",
    "resource": {"path": "train.epochs", "low": 2, "high": 10, "factor": 3}, "budget": {"trials": 9})");
  const auto sampler = make_sampler(s);
  const auto tell = [](const std::vector<Point>& points) {
    std::vector<Told> out;
    for (const Point& point : points) out.push_back({point, point[0].second.real});
    return out;
  };
  std::vector<std::vector<Told>> told;
  std::vector<std::size_t> sizes;
  std::vector<std::int64_t> epochs;
  for (std::vector<Point> points = sampler->ask(told); !points.empty(); points = sampler->ask(told)) {
    sizes.push_back(points.size());
    epochs.push_back(points.front().back().second.integer);
    if (!told.empty()) {
      // Those of this rung are better than all that did not get here.
      std::set<std::string> here;
      double worst = 1;
      for (const Point& point : points) {
        here.insert(write_json(point[0].second));
        worst = std::min(worst, point[0].second.real);
      }
      for (const Told& before : told.back()) {
        if (here.count(write_json(before.point[0].second)) == 0) EXPECT_LE(before.score, worst);
      }
    }
    told.push_back(tell(points));
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{9, 3, 1}));
  EXPECT_EQ(epochs, (std::vector<std::int64_t>{2, 6, 10}));
}

TEST(SweepSampler, HalvingDropsFailedTrials) {
  const SweepSettings s =
      settings(std::string(kTwoRanges) + R"(, "strategy": "halving", "budget": {"trials": 3})");
  const auto sampler = make_sampler(s);
  std::vector<Told> rung;
  for (const Point& point : sampler->ask({})) rung.push_back({point, std::nan("")});
  rung[1].score = 0.1;
  const std::vector<Point> next = sampler->ask({rung});
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(write_json(next[0][0].second), write_json(rung[1].point[0].second));
}

// A valley in two numbers and a choice: after as many trials, TPE's best lies much nearer to its bottom than that of random
// points, in the mean over seeds.
TEST(SweepSampler, TpeFindsAValleySoonerThanChance) {
  const auto score = [](const Point& point) {
    const double a = point[0].second.real - 0.7, b = std::log10(point[1].second.real) + 3;
    return -a * a - 0.2 * b * b - (point[2].second.integer == 4 ? 0.0 : 0.3);
  };
  const std::string axes =
      R"("axes": {"a": {"low": 0, "high": 1}, "b": {"low": 1e-4, "high": 1, "scale": "log"},
    "c": {"values": [1, 2, 3, 4, 5]}}, "budget": {"trials": 96}, "seed": )";
  double missed[2] = {0, 0};
  for (int seed = 1; seed <= 20; ++seed) {
    int which = 0;
    for (const char* strategy : {R"(, "strategy": "tpe")", R"(, "strategy": "random")"}) {
      const auto sampler = make_sampler(settings(axes + std::to_string(seed) + strategy));
      double best = -100;
      std::vector<std::vector<Told>> told;
      for (std::vector<Point> points = sampler->ask(told); !points.empty(); points = sampler->ask(told)) {
        std::vector<Told>& batch = told.emplace_back();
        for (const Point& point : points) {
          batch.push_back({point, score(point)});
          best = std::max(best, batch.back().score);
        }
      }
      missed[which++] -= best;
    }
  }
  EXPECT_LT(missed[0], 0.6 * missed[1]);
}

TEST(SweepSampler, TpeAsksInBatchesUpToTheBudgetAndKeepsConditions) {
  const SweepSettings s = settings(R"("axes": {"a": {"values": ["x", "y"]},
    "b": {"low": 0, "high": 1, "when": {"axis": "a", "in": ["y"]}}},
    "strategy": "tpe", "startup": 5, "batch": 4, "budget": {"trials": 11})");
  const auto sampler = make_sampler(s);
  std::vector<std::vector<Told>> told;
  std::vector<std::size_t> sizes;
  for (std::vector<Point> points = sampler->ask(told); !points.empty(); points = sampler->ask(told)) {
    sizes.push_back(points.size());
    std::vector<Told>& batch = told.emplace_back();
    for (const Point& point : points) {
      EXPECT_EQ(point.size(), point[0].second.text == "y" ? 2u : 1u);
      batch.push_back({point, batch.size() % 2 == 0 ? std::nan("") : 0.5});
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{5, 4, 2}));
}

}  // namespace
}  // namespace serval::experiment
