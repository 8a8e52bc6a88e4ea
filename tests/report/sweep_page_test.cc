#include "serval/report/sweep_page.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serval::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AxisImportanceTest, IsTheShareOfVarianceBetweenTheGroups) {
  // Means 2 and 5, of all 3.5: between the groups 4 x 1.5^2, in all 2.5^2 + 0.5^2 + 0.5^2 + 2.5^2.
  const AxisImportance half = axis_importance({"1", "1", "2", "2"}, {1, 3, 4, 6});
  EXPECT_EQ(half.groups, 2);
  EXPECT_DOUBLE_EQ(half.share, 9.0 / 13.0);
  EXPECT_DOUBLE_EQ(half.by_chance, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(axis_importance({"\"a\"", "\"b\"", "\"a\"", "\"b\""}, {1, 1, 3, 3}).share, 0);
  EXPECT_TRUE(std::isnan(axis_importance({"1", "2"}, {0.5, 0.5}).share));
}

TEST(AxisImportanceTest, ManyNumbersAreGroupedByQuarters) {
  std::vector<std::string> values;
  std::vector<double> scores;
  for (int i = 0; i < 16; ++i) {
    values.push_back(std::to_string(i));
    scores.push_back(i / 4);
  }
  const AxisImportance all = axis_importance(values, scores);
  EXPECT_EQ(all.groups, 4);
  EXPECT_DOUBLE_EQ(all.share, 1);
}

TEST(SweepPageTest, DrawsALineATrialAndEscapesWhatItIsTold) {
  SweepPage sweep;
  sweep.name = "a<b";
  sweep.score = "uar";
  sweep.axes = {"train.optimizer.type", "train.optimizer.momentum"};
  sweep.trials = {{2, 0.6, 0.5, 0.7, {"\"sgd\"", "0.9"}}, {1, 0.4, 0.3, 0.5, {"\"adam\"", ""}}};
  sweep.test = "Selected trial: test UAR 55.0";
  sweep.failed = {"failed: trial 3: <no>"};
  const std::string html = sweep_html(sweep);
  EXPECT_THAT(html, HasSubstr("a&lt;b"));
  EXPECT_THAT(html, HasSubstr("&lt;no&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<no>")));
  std::size_t lines = 0;
  for (std::size_t at = html.find("<path"); at != std::string::npos; at = html.find("<path", at + 1)) ++lines;
  EXPECT_EQ(lines, 2u);
  EXPECT_THAT(html, HasSubstr("share of variance"));
}

}  // namespace
}  // namespace serval::report
