#include "serval/features/statistics.h"

#include <array>
#include <charconv>
#include <utility>

namespace serval::features {

namespace {

constexpr std::array<std::pair<std::string_view, Statistic>, 10> kWords{{
    {"mean", {StatisticKind::kMean, 0}},
    {"variance", {StatisticKind::kVariance, 0}},
    {"std", {StatisticKind::kStd, 0}},
    {"skewness", {StatisticKind::kSkewness, 0}},
    {"kurtosis", {StatisticKind::kKurtosis, 0}},
    {"min", {StatisticKind::kMin, 0}},
    {"max", {StatisticKind::kMax, 0}},
    {"range", {StatisticKind::kRange, 0}},
    {"median", {StatisticKind::kPercentile, 50}},
    {"all_mean", {StatisticKind::kAllMean, 0}},
}};

}  // namespace

bool parse_statistic(std::string_view word, Statistic& out) {
  for (const auto& [name, statistic] : kWords) {
    if (name != word) continue;
    out = statistic;
    return true;
  }
  if (word.size() < 2 || word.front() != 'p') return false;
  double percent = -1;
  const char* const end = word.data() + word.size();
  const auto result = std::from_chars(word.data() + 1, end, percent, std::chars_format::fixed);
  if (result.ec != std::errc() || result.ptr != end || !(percent >= 0 && percent <= 100)) return false;
  out = {StatisticKind::kPercentile, percent};
  return true;
}

std::vector<std::string> statistic_words() {
  std::vector<std::string> words;
  for (const auto& [name, statistic] : kWords) words.emplace_back(name);
  words.emplace_back("p<percent from 0 to 100>");
  return words;
}

}  // namespace serval::features
