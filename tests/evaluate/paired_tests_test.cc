#include "serval/evaluate/paired_tests.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/philox.h"

namespace serval::evaluate {
namespace {

// scipy and statsmodels, by tests/golden/evaluate/make_statistics_goldens.py.
const JsonValue& golden() {
  static const JsonValue value =
      parse_json_file(std::string(SERVAL_SOURCE_DIR) + "/tests/golden/evaluate/statistics.json");
  return value;
}

std::vector<double> numbers(const JsonValue& list) {
  std::vector<double> out;
  for (const JsonValue& item : list.items) out.push_back(item.real);
  return out;
}

TEST(PairedTests, SignFlipsAreThoseOfScipy) {
  ASSERT_EQ(golden().find("sign_flips")->items.size(), 7u);
  EXPECT_EQ(sign_flip_p({0.5}), 1);  // one actor proves nothing
  for (const JsonValue& one : golden().find("sign_flips")->items) {
    SCOPED_TRACE(write_json(one));
    EXPECT_NEAR(sign_flip_p(numbers(*one.find("differences"))), one.find("p")->real, 1e-9);
  }
}

// More actors than all ways can be tried of: a drawn share, near that of the normal distribution of the sum.
TEST(PairedTests, DrawnSignFlipsComeNearTheExactShare) {
  for (const double shift : {0.0, 0.2, 0.4}) {
    std::vector<double> differences;
    double sum = 0, squares = 0;
    for (int i = 0; i < 200; ++i) {
      differences.push_back(shift / 2 + std::sin(3.0 * i));
      sum += differences.back();
      squares += differences.back() * differences.back();
    }
    const double normal = std::erfc(std::abs(sum) / std::sqrt(2 * squares));
    EXPECT_NEAR(sign_flip_p(differences), normal, 0.02) << shift;
    EXPECT_EQ(sign_flip_p(differences), sign_flip_p(differences));
  }
  const std::vector<double> clear(40, 1.0);
  EXPECT_DOUBLE_EQ(sign_flip_p(clear, {.resamples = 999}), 1.0 / 1000);
}

// Where nothing differs, p below 0.05 comes up in no more than about 5 of 100 trials.
TEST(PairedTests, SignFlipsKeepTheirLevel) {
  int small = 0;
  constexpr int kTrials = 1000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const RandomStream random{static_cast<std::uint64_t>(trial), 0, RandomPurpose::kTest};
    std::vector<double> differences;
    for (std::uint64_t i = 0; i < 9; ++i) differences.push_back(static_cast<double>(random.uniform(i)) - 0.5);
    small += sign_flip_p(differences) < 0.05;
  }
  // Three deviations of a share of 0.05 in a thousand trials.
  EXPECT_NEAR(small, 0.05 * kTrials, 3 * std::sqrt(0.05 * 0.95 * kTrials));
}

TEST(PairedTests, CorrectedTTestsAreThoseOfScipy) {
  ASSERT_EQ(golden().find("t_tests")->items.size(), 5u);
  for (const JsonValue& one : golden().find("t_tests")->items) {
    const TTest test = corrected_t_test(numbers(*one.find("differences")), one.find("test_to_train")->real);
    EXPECT_NEAR(test.t, one.find("t")->real, 1e-9);
    EXPECT_NEAR(test.p, one.find("p")->real, 1e-9);
    EXPECT_EQ(test.degrees, one.find("degrees")->integer);
  }
}

TEST(PairedTests, WithoutVariationThereIsNoT) {
  EXPECT_TRUE(std::isnan(corrected_t_test({0.5}, 0.2).p));
  EXPECT_TRUE(std::isnan(corrected_t_test({0.5, 0.5, 0.5}, 0.2).p));
  EXPECT_TRUE(std::isnan(corrected_t_test({}, 0.2).p));
}

TEST(PairedTests, McNemarIsThatOfStatsmodels) {
  ASSERT_EQ(golden().find("mcnemars")->items.size(), 10u);
  for (const JsonValue& one : golden().find("mcnemars")->items) {
    const std::int64_t b = one.find("only_first")->integer, c = one.find("only_second")->integer;
    SCOPED_TRACE(cat(b, " and ", c));
    std::vector<bool> first(7, true), second(7, true);
    first.insert(first.end(), static_cast<std::size_t>(b), true);
    second.insert(second.end(), static_cast<std::size_t>(b), false);
    first.insert(first.end(), static_cast<std::size_t>(c), false);
    second.insert(second.end(), static_cast<std::size_t>(c), true);
    const McNemar test = mcnemar(first, second);
    EXPECT_EQ(test.only_first, b);
    EXPECT_EQ(test.only_second, c);
    EXPECT_NEAR(test.p, one.find("p")->real, 1e-9);
  }
  // statsmodels has 0.84 here: its correction goes past 0.
  std::vector<bool> first(30), second(30);
  for (std::size_t i = 0; i < 30; ++i) (i < 15 ? first : second)[i] = true;
  EXPECT_EQ(mcnemar(first, second).p, 1);
  EXPECT_THROW(mcnemar({true}, {}), InternalError);
}

TEST(PairedTests, CorrectionsAreThoseOfStatsmodels) {
  ASSERT_EQ(golden().find("corrections")->items.size(), 6u);
  for (const JsonValue& one : golden().find("corrections")->items) {
    const std::vector<double> p = numbers(*one.find("p"));
    const std::vector<double> by_holm = numbers(*one.find("holm"));
    const std::vector<double> by_bh = numbers(*one.find("benjamini_hochberg"));
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_NEAR(holm(p)[i], by_holm[i], 1e-12);
      EXPECT_NEAR(benjamini_hochberg(p)[i], by_bh[i], 1e-12);
    }
  }
}

TEST(PairedTests, CorrectionsLeaveOutWhatIsNoNumber) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> corrected = holm({0.02, none, 0.03});
  EXPECT_DOUBLE_EQ(corrected[0], 0.04);
  EXPECT_TRUE(std::isnan(corrected[1]));
  EXPECT_DOUBLE_EQ(corrected[2], 0.04);
  EXPECT_TRUE(std::isnan(benjamini_hochberg({none})[0]));
  EXPECT_TRUE(holm({}).empty());
}

// Two runs over 4 actors and 3 classes, one with two seeds: the actors' parts add up to the difference of UAR.
TEST(PairedTests, ActorsPartsAddUpToTheDifference) {
  ActorTable a(3), b(3);
  std::vector<std::int64_t> all_a(9), all_b(9);
  const RandomStream random{5, 0, RandomPurpose::kTest};
  std::uint64_t at = 0;
  for (int actor = 0; actor < 4; ++actor) {
    for (int i = 0; i < 11; ++i) {
      const int label = (actor + i) % 3;
      const auto add = [&](ActorTable& table, std::vector<std::int64_t>& all, std::uint64_t seed) {
        const int predicted = static_cast<int>(random.below(at++, 3));
        table.add(cat("a/", actor), actor / 2, seed, label, predicted);
        ++all[static_cast<std::size_t>(label * 3 + predicted)];
      };
      add(a, all_a, 1);
      add(a, all_a, 2);
      add(b, all_b, 1);
    }
  }
  const std::vector<double> parts = uar_differences(a, b);
  EXPECT_EQ(parts.size(), 4u);
  EXPECT_NEAR(std::accumulate(parts.begin(), parts.end(), 0.0),
              headline(all_a, 3).uar - headline(all_b, 3).uar, 1e-12);
}

TEST(PairedTests, RunsOnOtherActorsAreRefused) {
  ActorTable a(2), b(2), c(2);
  a.add("x", 0, 1, 0, 0);
  a.add("y", 0, 1, 0, 0);
  b.add("x", 0, 1, 0, 0);
  b.add("z", 0, 1, 0, 0);
  c.add("x", 0, 1, 0, 0);
  c.add("x", 0, 1, 0, 0);
  c.add("y", 0, 1, 0, 0);
  EXPECT_THROW(uar_differences(a, b), InternalError);
  EXPECT_THROW(uar_differences(a, c), InternalError);
  EXPECT_THROW(uar_differences(a, ActorTable(3)), InternalError);
}

}  // namespace
}  // namespace serval::evaluate
