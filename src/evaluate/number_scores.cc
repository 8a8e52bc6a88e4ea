#include "serval/evaluate/number_scores.h"

#include <cmath>
#include <limits>

#include "serval/core/error.h"

namespace serval::evaluate {

NumberScores score_numbers(const std::vector<double>& truths, const std::vector<double>& predictions) {
  SERVAL_CHECK(!truths.empty() && truths.size() == predictions.size(), truths.size(), " truths and ",
               predictions.size(), " predictions");
  const auto n = static_cast<double>(truths.size());
  double mean_t = 0, mean_y = 0;
  for (std::size_t i = 0; i < truths.size(); ++i) {
    mean_t += truths[i] / n;
    mean_y += predictions[i] / n;
  }
  double squares = 0, variances = 0, covariance = 0;
  for (std::size_t i = 0; i < truths.size(); ++i) {
    const double error = predictions[i] - truths[i];
    const double from_t = truths[i] - mean_t, from_y = predictions[i] - mean_y;
    squares += error * error / n;
    variances += (from_t * from_t + from_y * from_y) / n;
    covariance += from_t * from_y / n;
  }
  const double below = variances + (mean_y - mean_t) * (mean_y - mean_t);
  const double ccc = below > 0 ? 2 * covariance / below : std::numeric_limits<double>::quiet_NaN();
  return {static_cast<std::int64_t>(truths.size()), ccc, squares, std::sqrt(squares)};
}

NumberSummary summarise(const std::vector<FoldNumberScores>& folds) {
  SERVAL_CHECK(!folds.empty(), "nothing to summarise");
  const auto spread_of = [&](double NumberScores::*measure) {
    std::vector<FoldValue> values;
    for (const FoldNumberScores& fold : folds) values.push_back({fold.fold, fold.seed, fold.scores.*measure});
    return spread(values);
  };
  return {spread_of(&NumberScores::ccc), spread_of(&NumberScores::mse), spread_of(&NumberScores::rmse)};
}

}  // namespace serval::evaluate
