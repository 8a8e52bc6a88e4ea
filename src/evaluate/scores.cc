#include "serval/evaluate/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "serval/core/error.h"

namespace serval::evaluate {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

// NaN marks a class that the figure is not defined for.
double mean_of_defined(const std::vector<double>& values) {
  double sum = 0;
  std::int64_t count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return sum / static_cast<double>(count);
}

std::size_t class_index(int value, int classes) {
  SERVAL_CHECK(value >= 0 && value < classes, "class ", value, " of ", classes);
  return static_cast<std::size_t>(value);
}

std::vector<std::int64_t> count_classes(const std::vector<int>& labels, int classes) {
  SERVAL_CHECK(classes > 0 && !labels.empty(), labels.size(), " labels of ", classes, " classes");
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const int label : labels) ++counts[class_index(label, classes)];
  return counts;
}

}  // namespace

Scores score(const std::vector<int>& labels, const std::vector<int>& predictions, int classes) {
  SERVAL_CHECK(!labels.empty() && labels.size() == predictions.size(), labels.size(), " labels, ",
               predictions.size(), " predictions");
  const auto n = static_cast<std::size_t>(classes);
  Confusion confusion(n, std::vector<std::int64_t>(n));
  for (std::size_t i = 0; i < labels.size(); ++i)
    ++confusion[class_index(labels[i], classes)][class_index(predictions[i], classes)];
  return score(confusion);
}

Scores score(const Confusion& confusion) {
  const std::size_t n = confusion.size();
  std::vector<std::int64_t> occurs(n), predicted(n);
  Scores out;
  out.confusion = confusion;
  std::int64_t right = 0;
  for (std::size_t c = 0; c < n; ++c) {
    SERVAL_CHECK(confusion[c].size() == n, n, " rows, ", confusion[c].size(), " columns");
    for (std::size_t k = 0; k < n; ++k) {
      occurs[c] += confusion[c][k];
      predicted[k] += confusion[c][k];
    }
    out.count += occurs[c];
    right += confusion[c][c];
  }
  SERVAL_CHECK(out.count > 0, "scores of no predictions");
  double weighted = 0;
  for (std::size_t c = 0; c < n; ++c) {
    const std::int64_t hits = confusion[c][c];
    out.recall.push_back(ratio(hits, occurs[c]));
    out.precision.push_back(ratio(hits, predicted[c]));
    out.f1.push_back(ratio(2 * hits, occurs[c] + predicted[c]));
    if (occurs[c] > 0) weighted += static_cast<double>(occurs[c]) * out.f1.back();
  }
  out.uar = mean_of_defined(out.recall);
  out.wa = ratio(right, out.count);
  out.macro_f1 = mean_of_defined(out.f1);
  out.weighted_f1 = weighted / static_cast<double>(out.count);
  return out;
}

std::vector<std::vector<double>> row_shares(const Confusion& confusion) {
  std::vector<std::vector<double>> out;
  for (const std::vector<std::int64_t>& row : confusion) {
    const std::int64_t total = std::accumulate(row.begin(), row.end(), std::int64_t{0});
    std::vector<double>& shares = out.emplace_back();
    for (const std::int64_t count : row) shares.push_back(ratio(count, total));
  }
  return out;
}

Chance chance(const std::vector<int>& labels, int classes) {
  const std::vector<std::int64_t> counts = count_classes(labels, classes);
  const auto occurring =
      std::count_if(counts.begin(), counts.end(), [](std::int64_t count) { return count > 0; });
  return {1.0 / static_cast<double>(occurring),
          ratio(*std::max_element(counts.begin(), counts.end()), static_cast<std::int64_t>(labels.size()))};
}

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

MeanStd mean_std(const std::vector<double>& values) {
  SERVAL_CHECK(!values.empty(), "the mean of no values");
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  if (values.size() == 1) return {mean, std::numeric_limits<double>::quiet_NaN()};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1))};
}

}  // namespace serval::evaluate
