#include "serval/evaluate/probability_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "serval/core/error.h"

namespace serval::evaluate {

namespace {

constexpr double kSmallest = std::numeric_limits<double>::epsilon();

// How many classes are more probable than `label`.
int rank_of(int label, const std::vector<float>& p) {
  const float own = p[static_cast<std::size_t>(label)];
  int rank = 0;
  for (int c = 0; c < static_cast<int>(p.size()); ++c) {
    const float other = p[static_cast<std::size_t>(c)];
    if (other > own || (other == own && c < label)) ++rank;
  }
  return rank;
}

std::size_t bin_of(double confidence) {
  const double bin = std::ceil(confidence * kReliabilityBins) - 1;
  return static_cast<std::size_t>(std::clamp(bin, 0.0, kReliabilityBins - 1.0));
}

}  // namespace

int most_probable(const std::vector<float>& p) {
  return static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
}

std::vector<int> most_probable(const Probabilities& probabilities) {
  std::vector<int> out;
  for (const std::vector<float>& p : probabilities) out.push_back(most_probable(p));
  return out;
}

ProbabilityScores score_probabilities(const std::vector<int>& labels, const Probabilities& probabilities) {
  SERVAL_CHECK(!labels.empty() && labels.size() == probabilities.size(), labels.size(), " labels, ",
               probabilities.size(), " rows of probabilities");
  const std::size_t classes = probabilities.front().size();
  ProbabilityScores out;
  out.bins.resize(kReliabilityBins);
  std::int64_t among_two = 0;
  std::vector<double> confidence(kReliabilityBins);
  std::vector<std::int64_t> right(kReliabilityBins);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::vector<float>& p = probabilities[i];
    SERVAL_CHECK(p.size() == classes && labels[i] >= 0 && labels[i] < static_cast<int>(classes), "label ",
                 labels[i], " and ", p.size(), " probabilities of ", classes, " classes");
    const double of_label = static_cast<double>(p[static_cast<std::size_t>(labels[i])]);
    out.log_loss -= std::log(std::clamp(of_label, kSmallest, 1 - kSmallest));
    const int rank = rank_of(labels[i], p);
    among_two += rank < 2;
    const double largest = static_cast<double>(*std::max_element(p.begin(), p.end()));
    const std::size_t bin = bin_of(largest);
    ++out.bins[bin].count;
    confidence[bin] += largest;
    right[bin] += rank == 0;
  }
  const auto n = static_cast<double>(labels.size());
  out.log_loss /= n;
  out.top2 = static_cast<double>(among_two) / n;
  for (std::size_t b = 0; b < out.bins.size(); ++b) {
    const auto count = static_cast<double>(out.bins[b].count);
    out.bins[b].confidence = confidence[b] / count;
    out.bins[b].accuracy = static_cast<double>(right[b]) / count;
    out.calibration_error += std::abs(static_cast<double>(right[b]) - confidence[b]) / n;
  }
  return out;
}

FullScores full_scores(const std::vector<int>& labels, const Probabilities& probabilities) {
  SERVAL_CHECK(!probabilities.empty(), "scores of no predictions");
  return {score(labels, most_probable(probabilities), static_cast<int>(probabilities.front().size())),
          score_probabilities(labels, probabilities)};
}

}  // namespace serval::evaluate
