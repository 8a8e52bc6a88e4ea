// What every form of a comparison says: tables of plain text, and the notes below them.
#pragma once

#include <string>
#include <vector>

#include "serval/report/comparison.h"

namespace serval::report {

struct PlainTable {
  std::string title;
  std::vector<std::string> columns;  // the first one is words, the others are figures
  std::vector<std::vector<std::string>> rows;
  std::string caption;  // what the figures are
};

struct ComparisonTables {
  std::vector<PlainTable> tables;
  // Stamps, numbered as the marks [1], [2] behind the names of runs have them; then all that a reader must know.
  std::vector<std::string> stamps;
  std::vector<std::string> remarks;
};
ComparisonTables comparison_tables(const Comparison& comparison);

// Names of runs with the marks of their stamps, [run].
std::vector<std::string> marked_names(const Comparison& comparison);
bool only_baseline(const Comparison& comparison);  // every run is held against the first
// "second - first", or the second alone where the first is always the baseline.
std::string pair_name(const Comparison& comparison, const std::vector<std::string>& names,
                      const PairedDifference& pair);

// A plus-minus sign for a "+-" at the start, where more than ASCII is at hand.
std::string with_plus_minus(std::string text);
// "61.2" of a fraction, "-" for NaN.
std::string points(double fraction);
std::string points_interval(const evaluate::ConfidenceInterval& interval);  // "[58.0, 64.1]"
std::string p_text(double p);                                               // "0.031", "<0.001", "-"

}  // namespace serval::report
