#include "serval/report/comparison.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/csv.h"
#include "serval/core/json.h"
#include "serval/core/text.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::report {
namespace {

using corpus::message_of;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

// Actors in two folds, each with two recordings of each of two classes. `right` says which recordings are understood.
template <class Right>
RunReport run_of(const std::string& name, Right right, int seeds = 1, int actors = 4) {
  RunReport report;
  report.name = name;
  report.classes = {"angry", "sad"};
  report.chance = {0.5, 0.5};
  report.fold_sizes = {{0, 2 * actors, 0, 2 * actors}, {1, 2 * actors, 0, 2 * actors}};
  report.audit.checks = {{"actors_on_one_side", true, {}}};
  ModelReport model;
  model.name = "m";
  for (int seed = 1; seed <= seeds; ++seed) {
    for (int actor = 0; actor < actors; ++actor) {
      for (int i = 0; i < 4; ++i) {
        const int label = i / 2, predicted = right(actor, i, seed) ? label : 1 - label;
        const float sure = predicted == 0 ? 0.75f : 0.25f;
        model.predictions.push_back({cat("c/", actor, "-", i),
                                     "c",
                                     cat("c/", actor),
                                     label,
                                     predicted,
                                     actor * 2 / actors,
                                     static_cast<std::uint64_t>(seed),
                                     {sure, 1 - sure}});
      }
    }
  }
  score_predictions(model, 2);
  report.models = {model};
  return report;
}

// Runs whose recordings are the same files.
class ComparisonTest : public testing::Test {
 protected:
  ComparisonTest() {
    for (int actor = 0; actor < 6; ++actor) {
      for (int i = 0; i < 4; ++i) contents_[cat("c/", actor, "-", i)] = "hash";
    }
  }
  ComparisonInput input(const RunReport& run, const std::string& folder = "runs/x") const {
    return {&run, &run.models.front(), folder, &contents_};
  }
  std::string refusal(const RunReport& a, const RunReport& b) const {
    return message_of<DataError>([&] { compare_runs({input(a, "runs/a"), input(b, "runs/b")}); });
  }

  // Right in the first half of an actor's recordings of each class.
  static bool first_half(int, int i, int) { return i % 2 == 0; }
  static bool always(int, int, int) { return true; }
  const RunReport half_ = run_of("half", first_half), all_ = run_of("all", always);
  // Of enough actors for intervals.
  const RunReport half_of_six_ = run_of("half", first_half, 1, 6), all_of_six_ = run_of("all", always, 1, 6);
  std::map<std::string, std::string> contents_;
};

TEST_F(ComparisonTest, DifferencesAreSecondMinusFirst) {
  EXPECT_TRUE(std::isnan(compare_runs({input(half_), input(all_)}).pairs[0].intervals.uar.low))
      << "four actors";
  const Comparison c = compare_runs({input(half_of_six_), input(all_of_six_)});
  ASSERT_EQ(c.pairs.size(), 1u);
  const PairedDifference& pair = c.pairs[0];
  EXPECT_DOUBLE_EQ(pair.uar, 0.5);
  EXPECT_DOUBLE_EQ(pair.wa, 0.5);
  EXPECT_DOUBLE_EQ(pair.pooled_uar, 0.5);
  // Every actor gains the same: the interval is a point, and of 2^6 ways to swap only none and all are as far.
  EXPECT_DOUBLE_EQ(pair.intervals.uar.low, 0.5);
  EXPECT_DOUBLE_EQ(pair.intervals.uar.high, 0.5);
  EXPECT_DOUBLE_EQ(pair.permutation.p, 2.0 / 64);
  EXPECT_TRUE(std::isnan(pair.t_test.p));  // both folds gain the same
  EXPECT_EQ(pair.mcnemar.only_first, 0);
  EXPECT_EQ(pair.mcnemar.only_second, 12);
  EXPECT_DOUBLE_EQ(pair.mcnemar.p, 2.0 / 4096);
  const Comparison turned = compare_runs({input(all_), input(half_)});
  EXPECT_DOUBLE_EQ(turned.pairs[0].uar, -0.5);
  EXPECT_EQ(turned.pairs[0].mcnemar.only_first, 8);
}

TEST_F(ComparisonTest, TheTTestTakesFoldsAndTheirSizes) {
  // Fold 1 gains 1/2, fold 2 gains 1/4: d = {0.5, 0.25}, mean 3/8, variance 1/32, and test/training 2.
  RunReport better = run_of("better", [](int actor, int i, int) { return actor < 3 || i % 2 == 0; });
  better.fold_sizes = {{0, 4, 4, 8}, {1, 4, 4, 8}};
  const PairedDifference pair = compare_runs({input(half_), input(better)}).pairs[0];
  EXPECT_NEAR(pair.t_test.t, 0.375 / (std::sqrt(0.5 + 2) * std::sqrt(1.0 / 32)), 1e-12);
  EXPECT_EQ(pair.t_test.degrees, 1);
}

// Seeds are repeated looks at a recording: their probabilities are averaged, and they make no further recordings.
TEST_F(ComparisonTest, SeedsAreAveragedFirst) {
  const RunReport two = run_of(
      "two", [](int, int, int) { return true; }, 2);
  const PairedDifference pair = compare_runs({input(half_), input(two)}).pairs[0];
  EXPECT_EQ(pair.mcnemar.only_second, 8);
  EXPECT_DOUBLE_EQ(pair.permutation.p, 2.0 / 16);
  RunReport torn = two;
  torn.models[0].predictions.pop_back();
  score_predictions(torn.models[0], 2);
  EXPECT_THAT(refusal(half_, torn), HasSubstr("with 1 of 2 seeds"));
}

TEST_F(ComparisonTest, SeveralComparisonsAreCorrectedTogether) {
  const RunReport some = run_of("some", [](int actor, int i, int) { return actor == 0 || i % 2 == 0; });
  const std::vector<ComparisonInput> inputs = {input(half_, "a"), input(some, "b"), input(all_, "c")};
  const Comparison with_first = compare_runs(inputs);
  ASSERT_EQ(with_first.pairs.size(), 2u);
  EXPECT_DOUBLE_EQ(with_first.pairs[0].permutation.p, 1);  // one actor's gain
  EXPECT_DOUBLE_EQ(with_first.pairs[1].permutation.p, 0.125);
  EXPECT_DOUBLE_EQ(with_first.pairs[1].permutation.holm, 0.25);
  EXPECT_DOUBLE_EQ(with_first.pairs[1].permutation.benjamini_hochberg, 0.25);
  const Comparison all = compare_runs(inputs, {.all_pairs = true});
  ASSERT_EQ(all.pairs.size(), 3u);
  EXPECT_EQ(all.pairs[2].first, 1u);
  EXPECT_EQ(all.pairs[2].second, 2u);
  EXPECT_DOUBLE_EQ(all.pairs[1].permutation.holm, 0.375);
  EXPECT_THAT(comparison_text(all), HasSubstr("all - some"));
  EXPECT_THAT(comparison_text(with_first),
              AllOf(HasSubstr("Differences from half\n"), Not(HasSubstr(" - some"))));
}

TEST_F(ComparisonTest, WhatWasNotTestedAlikeIsRefused) {
  RunReport other = all_;
  other.classes = {"angry", "happy"};
  EXPECT_THAT(refusal(half_, other), HasSubstr("the classes are angry sad there and angry happy here"));
  other = all_;
  other.models[0].predictions[0].recording = "c/new";
  EXPECT_THAT(refusal(half_, other), HasSubstr("recording c/0-0 is tested there alone"));
  other = all_;
  for (int i = 0; i < 4; ++i) other.models[0].predictions.erase(other.models[0].predictions.begin());
  EXPECT_THAT(refusal(other, half_), HasSubstr("recording c/0-0 is tested here alone"));
  other = all_;
  other.models[0].predictions[0].label = 1;
  EXPECT_THAT(refusal(half_, other), HasSubstr("recording c/0-0 is angry there and sad here"));
  other = all_;
  other.models[0].predictions[0].actor = "c/9";
  EXPECT_THAT(refusal(half_, other), HasSubstr("recording c/0-0 is of actor c/0 there and of c/9 here"));
  other = all_;
  other.models[0].predictions[0].fold = 1;
  EXPECT_THAT(
      refusal(half_, other),
      AllOf(HasSubstr(
                "all is not paired with half: recording c/0-0 is tested in fold 1 there and in fold 2 here"),
            HasSubstr("--unpaired")));
  std::map<std::string, std::string> changed = contents_;
  changed["c/1-1"] = "another";
  EXPECT_THAT(message_of<DataError>([&] {
                compare_runs({input(half_), {&all_, &all_.models[0], "runs/b", &changed}});
              }),
              HasSubstr("recording c/1-1 is another file in each"));
}

TEST_F(ComparisonTest, WhatIsUnpairedIsMarkedInEveryForm) {
  RunReport other = all_;
  other.classes = {"angry", "happy"};
  const Comparison c = compare_runs({input(half_), input(other)}, {.unpaired = true});
  EXPECT_TRUE(c.pairs.empty());
  for (const std::string& text :
       {comparison_text(c), comparison_markdown(c), comparison_latex(c), comparison_html(c)})
    EXPECT_THAT(text, AllOf(HasSubstr("UNPAIRED"), HasSubstr("happy here"), Not(HasSubstr("McNemar"))));
  EXPECT_FALSE(parse_json(comparison_json(c), "json").find("paired")->boolean);
  const CsvTable csv = parse_csv(comparison_csv(c), "csv");
  ASSERT_EQ(csv.rows.size(), 2u);
  EXPECT_EQ(csv.rows[0].fields[static_cast<std::size_t>(csv.column("paired"))], "false");
}

TEST_F(ComparisonTest, StampsOfLeakingRunsGoEverywhere) {
  RunReport leaking = all_;
  leaking.stamps = {"leaking protocol, shared_actors"};
  leaking.leaks = {"shared_actors"};
  leaking.configurations = 7;
  const Comparison c = compare_runs({input(half_), input(leaking, "runs/b")});
  EXPECT_EQ(c.configurations, 8);
  for (const std::string& text :
       {comparison_text(c), comparison_markdown(c), comparison_latex(c), comparison_html(c)})
    EXPECT_THAT(text, AllOf(HasSubstr("leaking protocol, shared"), HasSubstr("LEAKS"),
                            HasSubstr("8 configurations")));
  EXPECT_THAT(comparison_text(c),
              AllOf(HasSubstr("Differences from half\n"), HasSubstr("[1] leaking protocol")));
  const CsvTable csv = parse_csv(comparison_csv(c), "csv");
  const auto column = [&](const char* name) { return static_cast<std::size_t>(csv.column(name)); };
  EXPECT_EQ(csv.rows[0].fields[column("stamps")], "");
  for (const std::size_t row : {1, 2}) EXPECT_EQ(csv.rows[row].fields[column("stamps")], leaking.stamps[0]);
  EXPECT_EQ(csv.rows[2].fields[column("kind")], "difference");
  EXPECT_EQ(csv.rows[2].fields[column("permutation_p")], "0.125");
  EXPECT_EQ(csv.rows[2].fields[column("mcnemar_p")], json_number(2.0 / 256));
  EXPECT_EQ(csv.rows[2].fields[column("configurations")], "8");
  const JsonValue json = parse_json(comparison_json(c), "json");
  EXPECT_EQ(json.find("runs")->items[1].find("leaks")->items[0].text, "shared_actors");
  EXPECT_DOUBLE_EQ(json.find("comparisons")->items[0].find("permutation")->find("p")->real, 0.125);
  EXPECT_EQ(json.find("comparisons")->items[0].find("t_test")->find("t")->kind, JsonValue::Kind::kNull);
}

TEST_F(ComparisonTest, RunsAreNamedByWhatTellsThemApart) {
  RunReport two = all_;
  two.name = "half";
  two.models.push_back(two.models[0]);
  two.models[1].name = "n";
  const auto names = [](const Comparison& c) {
    std::vector<std::string> out;
    for (const ComparedRun& run : c.runs) out.push_back(run.name);
    return out;
  };
  using testing::ElementsAre;
  EXPECT_THAT(names(compare_runs({input(half_), input(all_)})), ElementsAre("half", "all"));
  EXPECT_THAT(names(compare_runs({input(two), {&two, &two.models[1], "runs/x", &contents_}})),
              ElementsAre("half:m", "half:n"));
  EXPECT_THAT(names(compare_runs({input(half_, "runs/a/"), input(two, "runs/b")})),
              ElementsAre("a:m", "b:m"));
  EXPECT_THAT(names(compare_runs({input(half_, "1/a"), input(two, "2/a")})), ElementsAre("1/a:m", "2/a:m"));
  EXPECT_THAT(message_of<ConfigError>([&] {
                compare_runs({input(two), input(two)});
              }),
              HasSubstr("named twice"));
}

TEST_F(ComparisonTest, DeviationsHaveTheirSign) {
  const Comparison c = compare_runs({input(half_), input(all_)});
  EXPECT_THAT(comparison_text(c), HasSubstr("  +- folds  "));
  EXPECT_THAT(comparison_markdown(c), HasSubstr("| \u00b1 folds |"));
  EXPECT_THAT(comparison_html(c), HasSubstr("<th>\u00b1 seeds</th>"));
  EXPECT_THAT(comparison_latex(c), HasSubstr("& $\\pm$ folds &"));
}

// Names are the user's; no form of the tables may take them for its own words.
TEST_F(ComparisonTest, NamesAreEscaped) {
  RunReport odd = all_of_six_;
  odd.name = "<b>|a_b 50% & {c}\\~";
  const Comparison c = compare_runs({input(half_of_six_), input(odd)});
  EXPECT_THAT(comparison_html(c), AllOf(HasSubstr("&lt;b&gt;|a_b 50% &amp; {c}"), Not(HasSubstr("<b>"))));
  EXPECT_THAT(comparison_latex(c),
              HasSubstr("$<$b$>$|a\\_b 50\\% \\& \\{c\\}\\textbackslash{}\\~{} & 100.0 & [100.0, 100.0]"));
  EXPECT_THAT(comparison_markdown(c), HasSubstr("| \\<b\\>\\|a\\_b 50% & {c}\\\\~ | 100.0 |"));
  EXPECT_THAT(comparison_latex(compare_runs({input(all_of_six_), input(half_of_six_)})),
              HasSubstr("& $-$50.0 & [$-$50.0, $-$50.0] &"));
}

TEST_F(ComparisonTest, ThePageShowsRunsDifferencesFoldsAndActors) {
  const std::string page = comparison_html(compare_runs({input(half_), input(all_)}));
  for (const char* part :
       {"<title>all against half</title>", "UAR with 95 % intervals", "<h2>Differences from half</h2>",
        "<td>all</td><td>50.0</td>", "<td>2</td><td>50.0</td><td>100.0</td>",
        "<td>c/3</td><td>50.0</td><td>100.0</td>", "<td>sad</td><td>50.0</td><td>100.0</td>", "Chart.js v3"})
    EXPECT_THAT(page, HasSubstr(part));
}

}  // namespace
}  // namespace serval::report
