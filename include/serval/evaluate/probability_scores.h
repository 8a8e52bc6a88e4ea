// How good the probabilities of the classes are, beside which class is the largest. p[i][c] is that of recording i, y[i] its
// true class. Computed in double; logarithms are natural.
//   log_loss            -mean ln p[i][y[i]], p clipped to [eps, 1 - eps] with eps = 2^-52, as scikit-learn does with
//                       64-bit numbers, such as one reads from predictions.csv. A sure mistake costs 36.04.
//   calibration_error   expected calibration error (Guo et al., 2017): recordings fall by their largest probability into
//                       15 bins of equal width, bin b holding (b / 15, (b + 1) / 15]; the sum over bins of
//                       |share that is right - mean largest probability| * recordings of the bin / recordings
//   top2                share whose true class is among the two most probable
// Of equal probabilities, the class with the lower number comes first, in top2 as in the predicted class. (scikit-learn's
// top_k_accuracy_score puts the higher number first.)
#pragma once

#include <cstdint>
#include <vector>

#include "serval/evaluate/scores.h"

namespace serval::evaluate {

inline constexpr int kReliabilityBins = 15;

// What a reliability diagram draws: confidence against accuracy.
struct ReliabilityBin {
  std::int64_t count = 0;
  double confidence = 0;  // mean largest probability; NaN in an empty bin, as is the next
  double accuracy = 0;    // share that is right
};

struct ProbabilityScores {
  double log_loss = 0;
  double calibration_error = 0;
  double top2 = 0;
  std::vector<ReliabilityBin> bins;  // [kReliabilityBins]
};

using Probabilities = std::vector<std::vector<float>>;  // [recording][class]

// The class of the largest probability; of equal ones the lower number.
int most_probable(const std::vector<float>& probabilities);
std::vector<int> most_probable(const Probabilities& probabilities);

// One row a label, each with as many classes, at least one row; throws InternalError otherwise.
ProbabilityScores score_probabilities(const std::vector<int>& labels, const Probabilities& probabilities);

// Everything at once: what labels say against the most probable classes, and against the probabilities.
struct FullScores {
  Scores scores;
  ProbabilityScores probabilities;
};
FullScores full_scores(const std::vector<int>& labels, const Probabilities& probabilities);

}  // namespace serval::evaluate
