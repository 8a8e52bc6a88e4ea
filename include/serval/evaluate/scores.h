// Scores of a set of predictions. All figures are fractions in [0, 1].
#pragma once

#include <cstdint>
#include <vector>

namespace serval::evaluate {

// For class c with counts TP, FP (predicted c, is another), FN (is c, predicted another):
//   recall = TP / (TP + FN)   precision = TP / (TP + FP)   F1 = 2 TP / (2 TP + FP + FN)
struct Scores {
  std::int64_t count = 0;
  std::vector<std::vector<std::int64_t>> confusion;  // [true class][predicted class]
  double uar = 0;          // unweighted average recall: mean of recall over the classes that occur
  double wa = 0;           // weighted accuracy: share of recordings that are right
  double macro_f1 = 0;     // mean of F1 over the classes that occur or are predicted
  double weighted_f1 = 0;  // mean of F1 over the recordings: each counts with the F1 of its true class
  // Per class; NaN where undefined: recall of a class that does not occur, precision of one that is never
  // predicted, F1 of one that is neither.
  std::vector<double> recall, precision, f1;
};

// labels and predictions hold class numbers in [0, classes), one of each per recording, at least one.
// Throws InternalError otherwise: the scores of nothing are not a number that a table could hold.
Scores score(const std::vector<int>& labels, const std::vector<int>& predictions, int classes);
// The same from counts, [true class][predicted class], square and not all zero.
using Confusion = std::vector<std::vector<std::int64_t>>;
Scores score(const Confusion& confusion);

// Each row divided by its sum: how often each class is taken for which. NaN in the row of a class that does not occur.
std::vector<std::vector<double>> row_shares(const Confusion& confusion);

struct Chance {
  double uar = 0;          // 1 / classes that occur
  double majority_wa = 0;  // always the most frequent class
};
Chance chance(const std::vector<int>& labels, int classes);

struct MeanStd {
  double mean = 0;
  double std = 0;  // sample deviation (n - 1); NaN for one value
};
MeanStd mean_std(const std::vector<double>& values);
// Of values in ascending order, at least one: between the two nearest, as numpy.quantile has it by default.
double quantile(const std::vector<double>& sorted, double share);

}  // namespace serval::evaluate
