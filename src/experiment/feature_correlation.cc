#include "feature_correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "serval/core/context.h"
#include "serval/features/extractor.h"

namespace serval::experiment {

namespace {

bool one_row_each(const FeatureSet& set) {
  for (std::size_t r = 0; r + 1 < set.offsets.size(); ++r) {
    if (set.offsets[r + 1] - set.offsets[r] != 1) return false;
  }
  return set.offsets.size() > 2 && set.dimension > 1;
}

std::vector<std::string> column_names(const features::FeatureSettings& settings, int sample_rate_hz,
                                      const FeatureSet& set) {
  if (features::from_audio(settings.type)) {
    const Context context;
    return features::Extractor(settings, sample_rate_hz, context).names();
  }
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < set.dimension; ++c) names.push_back(cat(set.name, "_", c));
  return names;
}

// A column less its mean, over its deviation; NaN where it does not vary.
std::vector<double> standardised(const FeatureSet& set, std::int64_t column) {
  std::vector<double> values;
  double mean = 0;
  for (auto i = static_cast<std::size_t>(column); i < set.values.size();
       i += static_cast<std::size_t>(set.dimension)) {
    values.push_back(static_cast<double>(set.values[i]));
    mean += values.back();
  }
  mean /= static_cast<double>(values.size());
  double squares = 0, largest = 0;
  for (double& value : values) {
    largest = std::max(largest, std::abs(value));
    value -= mean;
    squares += value * value;
  }
  const double length = std::sqrt(squares);
  // What rounding alone makes vary does not.
  const bool varies = length > 1e-7 * largest * std::sqrt(static_cast<double>(values.size()));
  for (double& value : values) value = varies ? value / length : std::numeric_limits<double>::quiet_NaN();
  return values;
}

}  // namespace

std::vector<report::FeatureCorrelation> feature_correlations(const ExperimentSettings& settings,
                                                             const Dataset& dataset) {
  std::vector<report::FeatureCorrelation> out;
  for (std::size_t f = 0; f < dataset.features.size(); ++f) {
    const FeatureSet& set = dataset.features[f];
    if (!one_row_each(set)) continue;
    report::FeatureCorrelation& c = out.emplace_back();
    c.features = set.name;
    c.columns = set.dimension;
    const std::vector<std::string> names =
        column_names(settings.features[f].second, settings.audio.sample_rate_hz, set);
    const std::size_t n = std::min(names.size(), report::kMostCorrelated);
    std::vector<std::vector<double>> columns;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t column = n == 1 ? 0 : i * (names.size() - 1) / (n - 1);
      c.names.push_back(names[column]);
      columns.push_back(standardised(set, static_cast<std::int64_t>(column)));
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < n; ++k) {
        double r = 0;
        for (std::size_t t = 0; t < columns[i].size(); ++t) r += columns[i][t] * columns[k][t];
        c.values.push_back(static_cast<float>(std::round(1000 * r) / 1000));
      }
    }
  }
  return out;
}

}  // namespace serval::experiment
