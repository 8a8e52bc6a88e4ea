// Finished runs side by side: how their figures differ, and whether by more than chance.
//
// Two runs are paired when both tested the same recordings, with the same labels, in the same folds and as speech of the
// same actors. Differences and tests are of paired runs alone; docs/evaluation.md says what each test is and takes for
// granted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "serval/evaluate/bootstrap.h"
#include "serval/evaluate/cross_validation.h"
#include "serval/evaluate/paired_tests.h"
#include "serval/report/run_report.h"

namespace serval::report {

// One model of one finished run, as it comes in. What it points to outlives the call.
struct ComparisonInput {
  const RunReport* run = nullptr;
  const ModelReport* model = nullptr;
  std::string folder;                                            // of the run
  const std::map<std::string, std::string>* contents = nullptr;  // hash of each recording's file, by its id
};

struct ComparedRun {
  std::string name;  // unique: the run's, with what it takes to tell it from the others
  std::string folder, model;
  std::size_t recordings = 0, actors = 0, folds = 0, seeds = 0;
  std::int64_t configurations = 1;  // tried in this run
  evaluate::Summary summary;
  evaluate::Intervals intervals;
  evaluate::Chance chance;
  std::vector<double> fold_uar;                           // [fold], the mean over seeds
  std::vector<std::pair<std::string, double>> actor_uar;  // over all folds and seeds
  std::vector<std::string> stamps, leaks;
  std::string audit;  // its verdict
};

// A p value, and what it becomes for having made all comparisons of the table.
struct CorrectedP {
  double p = 1, holm = 1, benjamini_hochberg = 1;
};

// Of two runs, by their numbers: second minus first.
struct PairedDifference {
  std::size_t first = 0, second = 0;
  double uar = 0, wa = 0, macro_f1 = 0;  // of the means over folds and seeds
  evaluate::Intervals intervals;         // of the same
  double pooled_uar = 0;                 // over all predictions: what the permutation looks at
  CorrectedP permutation;                // over actors
  evaluate::TTest t_test;                // over folds
  CorrectedP t_test_p;
  evaluate::McNemar mcnemar;  // over recordings; only_first and only_second are those of `first` and `second`
  CorrectedP mcnemar_p;
};

struct Comparison {
  std::vector<std::string> classes;       // of the first run
  std::vector<ComparedRun> runs;          // the first one is the baseline
  std::vector<PairedDifference> pairs;    // none where some runs are not paired
  std::vector<std::string> why_unpaired;  // empty: all are paired
  std::int64_t configurations = 0;        // tried in all runs together, each run counted once
};

struct ComparisonSettings {
  bool all_pairs = false;  // false: every run with the first
  bool unpaired = false;   // runs that are not paired are shown beside each other instead of refused
};

// The first thing that keeps two runs from being paired, `a` being "there" and `b` "here"; "" where nothing does.
std::string why_unpaired(const ComparisonInput& a, const ComparisonInput& b);

// At least two. Throws DataError for runs that are not paired, naming the first recording, label or fold that differs,
// unless the settings allow it; ConfigError for the same model of the same run twice.
Comparison compare_runs(const std::vector<ComparisonInput>& inputs, const ComparisonSettings& settings = {});

std::string comparison_text(const Comparison& comparison);  // for the terminal
std::string comparison_json(const Comparison& comparison);
std::string comparison_csv(const Comparison& comparison);  // a line a run, then a line a pair
std::string comparison_markdown(const Comparison& comparison);
std::string comparison_latex(const Comparison& comparison);  // tables for \usepackage{booktabs}
std::string comparison_html(const Comparison& comparison);   // one page that needs nothing else

}  // namespace serval::report
