// Statistics over time: one vector per recording from the columns of all its frames.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serval::features {

// With x_1 ... x_n a column, m its mean and s^2 = sum (x - m)^2 / n:
//   mean, variance = s^2, std = s, skewness = sum (x - m)^3 / (n s^3), kurtosis = sum (x - m)^4 / (n s^4) - 3
//   (population moments, as scipy.stats; 0 where s = 0), min, max, range = max - min, median,
//   percentile p between 0 and 100: linear between the sorted values, as numpy.percentile.
//   all_mean: one value, the mean over all columns and frames.
enum class StatisticKind {
  kMean,
  kVariance,
  kStd,
  kSkewness,
  kKurtosis,
  kMin,
  kMax,
  kRange,
  kPercentile,
  kAllMean
};

struct Statistic {
  StatisticKind kind = StatisticKind::kMean;
  double percent = 0;  // of kPercentile
  friend bool operator==(const Statistic&, const Statistic&) = default;
};

// "mean", "p5", "p99.5", ...; false for another word.
bool parse_statistic(std::string_view word, Statistic& out);
std::vector<std::string> statistic_words();  // for messages; "p<percent>" stands for the percentiles

}  // namespace serval::features
