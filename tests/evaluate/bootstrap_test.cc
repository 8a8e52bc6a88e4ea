#include "serval/evaluate/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numbers>

#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/evaluate/cross_validation.h"

namespace serval::evaluate {
namespace {

// Studies in which people differ: an actor's chance to be understood is 1 / (1 + e^-(x + u)), where x belongs to the class
// and u, normal with deviation `spread`, to the actor. Seeds look at the same actor again.
struct World {
  int actors, folds, classes, per_class, seeds;
  double spread;
};

double normal(const RandomStream& random, std::uint64_t index) {
  const double a = static_cast<double>(random.uniform(2 * index)) + 0x1p-25;
  return std::sqrt(-2 * std::log(a)) *
         std::cos(2 * std::numbers::pi * static_cast<double>(random.uniform(2 * index + 1)));
}

ActorTable draw_study(const World& world, std::uint64_t number) {
  ActorTable table(world.classes);
  for (int actor = 0; actor < world.actors; ++actor) {
    const RandomStream random{number, static_cast<std::uint32_t>(actor), RandomPurpose::kTest};
    const double own = world.spread * normal(random, 0);
    std::uint64_t at = 4;
    for (int seed = 1; seed <= world.seeds; ++seed) {
      for (int label = 0; label < world.classes; ++label) {
        const double x = -0.5 + 2.0 * label / (world.classes - 1);
        const double right = 1 / (1 + std::exp(-(x + own)));
        for (int i = 0; i < world.per_class; ++i) {
          const bool hit = static_cast<double>(random.uniform(at++)) < right;
          const int other =
              static_cast<int>(random.below(at++, static_cast<std::uint32_t>(world.classes - 1)));
          table.add(cat("a/", actor), actor * world.folds / world.actors, static_cast<std::uint64_t>(seed),
                    label, hit ? label : (label + 1 + other) % world.classes);
        }
      }
    }
  }
  return table;
}

Headline mean_scores(const ActorTable& table) {
  std::vector<double> uar, wa, f1;
  for (const ActorTable::Part& part : table.parts()) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(table.classes() * table.classes()));
    for (const ActorTable::Cell& cell : part.cells) {
      for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += cell.counts[i];
    }
    const Headline h = headline(counts, table.classes());
    uar.push_back(h.uar);
    wa.push_back(h.wa);
    f1.push_back(h.macro_f1);
  }
  return {mean_std(uar).mean, mean_std(wa).mean, mean_std(f1).mean};
}

bool holds(const ConfidenceInterval& interval, double truth) {
  return interval.low <= truth && truth <= interval.high;
}

struct Coverage {
  double uar = 0, macro_f1 = 0, width = 0;
};
Coverage coverage_of(const World& world, int studies, int resamples) {
  // What such a study gives on average, from studies of its own.
  std::vector<double> uar, f1;
  for (int s = 0; s < std::max(2000, studies); ++s) {
    const Headline mean = mean_scores(draw_study(world, 1000000u + static_cast<std::uint64_t>(s)));
    uar.push_back(mean.uar);
    f1.push_back(mean.macro_f1);
  }
  const double true_uar = mean_std(uar).mean, true_f1 = mean_std(f1).mean;
  Coverage out;
  for (int s = 0; s < studies; ++s) {
    const Intervals intervals = bootstrap_actors(draw_study(world, static_cast<std::uint64_t>(s)),
                                                 {resamples, static_cast<std::uint64_t>(s)});
    out.uar += holds(intervals.uar, true_uar);
    out.macro_f1 += holds(intervals.macro_f1, true_f1);
    out.width += intervals.uar.high - intervals.uar.low;
  }
  return {out.uar / studies, out.macro_f1 / studies, out.width / studies};
}

// 400 studies whose intervals hold the truth with a chance of 0.95 do so in 0.95 +- 3 sqrt(0.95 * 0.05 / 400), 0.917 to
// 0.983, but for one time in 400. Plain percentiles of 12 actors, which hold it in 0.90, would be noticed.
// SERVAL_TEST_STUDIES asks for more; docs/evaluation.md has the figures of 4,000.
TEST(Bootstrap, IntervalsHoldTheTruthInNineteenOfTwenty) {
  const char* wanted = std::getenv("SERVAL_TEST_STUDIES");
  const int studies = wanted != nullptr ? std::atoi(wanted) : 400;
  const double band = 3 * std::sqrt(0.95 * 0.05 / studies);
  for (const World& world :
       {World{24, 6, 4, 8, 1, 0.8}, World{12, 4, 4, 8, 2, 0.8}, World{24, 24, 4, 6, 1, 0.5}}) {
    const Coverage coverage = coverage_of(world, studies, studies > 400 ? 2000 : 500);
    if (wanted != nullptr) {
      std::cout << world.actors << " actors, " << world.folds << " folds, " << world.seeds << " seeds: UAR "
                << coverage.uar << ", macro F1 " << coverage.macro_f1 << ", width " << coverage.width << '\n';
    }
    EXPECT_NEAR(coverage.uar, 0.95, band);
    EXPECT_NEAR(coverage.macro_f1, 0.95, band);
  }
}

// Taking recordings for independent, as a bootstrap over recordings does, claims far too much where people differ.
TEST(Bootstrap, KnowsThatRecordingsOfOneActorAreNoIndependentOnes) {
  const Coverage alike = coverage_of({24, 6, 4, 8, 1, 0}, 30, 300);
  const Coverage different = coverage_of({24, 6, 4, 8, 1, 1.5}, 30, 300);
  EXPECT_GT(different.width, 2 * alike.width);
  // More seeds of the same actors make the interval no narrower than the actors allow.
  const Coverage more_seeds = coverage_of({24, 6, 4, 8, 4, 1.5}, 30, 300);
  EXPECT_NEAR(more_seeds.width, different.width, 0.15 * different.width);
}

// Two runs on the same people: how well a person is understood differs more than the runs do, and belongs to both.
std::pair<ActorTable, ActorTable> draw_pair(const World& world, std::uint64_t number) {
  ActorTable first(world.classes), second(world.classes);
  for (int actor = 0; actor < world.actors; ++actor) {
    const RandomStream random{number, static_cast<std::uint32_t>(actor), RandomPurpose::kTest, 1};
    const double own = world.spread * normal(random, 0), gain = 0.4 + 0.5 * normal(random, 1);
    std::uint64_t at = 8;
    for (const bool of_second : {false, true}) {
      const double right = 1 / (1 + std::exp(-(own + (of_second ? gain : 0))));
      for (int label = 0; label < world.classes; ++label) {
        for (int i = 0; i < world.per_class; ++i) {
          const bool hit = static_cast<double>(random.uniform(at++)) < right;
          (of_second ? second : first)
              .add(cat("a/", actor), actor * world.folds / world.actors, 1, label,
                   hit ? label : (label + 1) % world.classes);
        }
      }
    }
  }
  return {std::move(first), std::move(second)};
}

TEST(Bootstrap, IntervalsOfDifferencesHoldTheTruthInNineteenOfTwenty) {
  const World world{24, 6, 4, 8, 1, 1.2};
  const char* wanted = std::getenv("SERVAL_TEST_STUDIES");
  const int studies = wanted != nullptr ? std::atoi(wanted) : 400;
  std::vector<double> differences;
  for (std::uint64_t s = 0; s < 4000; ++s) {
    const auto [first, second] = draw_pair(world, 1000000 + s);
    differences.push_back(mean_scores(second).uar - mean_scores(first).uar);
  }
  const double truth = mean_std(differences).mean;
  double inside = 0, width = 0, width_alone = 0;
  for (std::uint64_t s = 0; s < static_cast<std::uint64_t>(studies); ++s) {
    const auto [first, second] = draw_pair(world, s);
    const Intervals difference = bootstrap_difference(second, first, {500, s});
    inside += holds(difference.uar, truth);
    width += difference.uar.high - difference.uar.low;
    const Intervals alone = bootstrap_actors(second, {500, s});
    width_alone += alone.uar.high - alone.uar.low;
  }
  if (wanted != nullptr) {
    std::cout << "differences inside " << inside / studies << ", width " << width / width_alone
              << " of that of one run\n";
  }
  EXPECT_NEAR(inside / studies, 0.95, 3 * std::sqrt(0.95 * 0.05 / studies));
  EXPECT_LT(width, 0.8 * width_alone);  // what people differ in cancels out
}

TEST(Bootstrap, DifferencesAreOfTheSameActorsInBothRuns) {
  const World world{10, 5, 3, 5, 1, 0.7};
  const auto [first, second] = draw_pair(world, 5);
  const Intervals there = bootstrap_difference(second, first), back = bootstrap_difference(first, second);
  EXPECT_NEAR(there.uar.low, -back.uar.high, 1e-12);
  EXPECT_NEAR(there.macro_f1.high, -back.macro_f1.low, 1e-12);
  EXPECT_EQ(bootstrap_difference(first, first).wa.low, 0);
  EXPECT_EQ(bootstrap_difference(first, first).wa.high, 0);
  // The same table, its actors in another order.
  ActorTable turned(world.classes);
  const std::vector<ActorTable::Part> parts = first.parts();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    for (auto cell = part->cells.rbegin(); cell != part->cells.rend(); ++cell) {
      for (std::size_t i = 0; i < cell->counts.size(); ++i) {
        for (std::int64_t k = 0; k < cell->counts[i]; ++k) {
          turned.add(first.actors()[static_cast<std::size_t>(cell->actor)], part->fold, part->seed,
                     static_cast<int>(i) / world.classes, static_cast<int>(i) % world.classes);
        }
      }
    }
  }
  ASSERT_NE(turned.actors(), first.actors());
  EXPECT_EQ(bootstrap_difference(first, turned).uar.high, 0);
  EXPECT_EQ(bootstrap_difference(first, turned).uar.low, 0);
  ActorTable others(world.classes);
  for (int i = 0; i < 10; ++i) others.add(cat("b/", i), 0, 1, 0, 0);
  EXPECT_THROW(bootstrap_difference(first, others), InternalError);
}

TEST(Bootstrap, TheSameSeedGivesTheSameIntervals) {
  const ActorTable table = draw_study({10, 5, 3, 5, 2, 0.7}, 3);
  const Intervals a = bootstrap_actors(table, {300, 7}), b = bootstrap_actors(table, {300, 7});
  EXPECT_EQ(a.uar.low, b.uar.low);
  EXPECT_EQ(a.macro_f1.high, b.macro_f1.high);
  EXPECT_NE(a.uar.low, bootstrap_actors(table, {300, 8}).uar.low);
}

// Where all actors are alike to the last recording, nothing varies, and the interval is the summary's mean.
TEST(Bootstrap, OfEqualActorsTheIntervalIsAPoint) {
  ActorTable table(3);
  std::vector<FoldScores> folds;
  for (int fold = 0; fold < 3; ++fold) {
    std::vector<int> labels, predictions;
    for (int actor = 0; actor < 2; ++actor) {
      for (int label = 0; label < 3; ++label) {
        const int predicted = label == 2 ? 0 : label;
        table.add(cat(fold, "/", actor), fold, 1, label, predicted);
        labels.push_back(label);
        predictions.push_back(predicted);
      }
    }
    folds.push_back({fold, 1, {}, score(labels, predictions, 3)});
  }
  const Summary summary = summarise(folds);
  const Intervals intervals = bootstrap_actors(table);
  EXPECT_NEAR(intervals.uar.low, summary.uar.mean, 1e-12);
  EXPECT_NEAR(intervals.uar.high, summary.uar.mean, 1e-12);
  EXPECT_NEAR(intervals.wa.low, summary.wa.mean, 1e-12);
  EXPECT_NEAR(intervals.macro_f1.high, summary.macro_f1.mean, 1e-12);
}

TEST(Bootstrap, OfFewerThanSixActorsThereIsNoInterval) {
  ActorTable table(2);
  for (int actor = 0; actor < 6; ++actor) {
    EXPECT_TRUE(std::isnan(bootstrap_actors(table).uar.low)) << actor << " actors";
    table.add(cat(actor), 0, 1, 0, actor % 2);
  }
  EXPECT_LT(bootstrap_actors(table).uar.low, bootstrap_actors(table).uar.high);
  EXPECT_TRUE(std::isnan(bootstrap_actors(ActorTable(2)).wa.high));
  EXPECT_THROW(table.add("a", 0, 1, 2, 0), InternalError);
}

TEST(Bootstrap, ItsQuickScoresAreTheOnesOfTheTables) {
  const RandomStream random{11, 0, RandomPurpose::kTest};
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    const std::size_t classes = 2 + trial % 6;
    Confusion confusion(classes, std::vector<std::int64_t>(classes));
    std::vector<std::int64_t> counts;
    for (std::size_t i = 0; i < classes * classes; ++i) {
      const std::int64_t count = random.below(trial * 64 + i, 5) < 2 ? 0 : random.below(trial * 64 + i, 17);
      confusion[i / classes][i % classes] = count;
      counts.push_back(count);
    }
    confusion[0][0] = ++counts[0];  // never none at all
    const Scores slow = score(confusion);
    const Headline quick = headline(counts, static_cast<int>(classes));
    EXPECT_DOUBLE_EQ(quick.uar, slow.uar);
    EXPECT_DOUBLE_EQ(quick.wa, slow.wa);
    EXPECT_DOUBLE_EQ(quick.macro_f1, slow.macro_f1);
  }
}

}  // namespace
}  // namespace serval::evaluate
