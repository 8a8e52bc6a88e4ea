#include "src/experiment/feature_correlation.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/experiment/resolve.h"

namespace serval::experiment {
namespace {

using testing::ElementsAre;

FeatureSet set_of(std::int64_t dimension, const std::vector<std::int64_t>& offsets,
                  const std::vector<float>& values) {
  FeatureSet set;
  set.name = "v";
  set.dimension = dimension;
  set.offsets = offsets;
  set.values = values;
  return set;
}

// Sets made elsewhere, whose values are these.
std::vector<report::FeatureCorrelation> correlate(FeatureSet set) {
  ExperimentSettings settings;
  features::FeatureSettings external;
  external.type = features::FeatureType::kExternal;
  settings.features.emplace_back(set.name, external);
  Dataset dataset;
  dataset.features.push_back(std::move(set));
  return feature_correlations(settings, dataset);
}

TEST(FeatureCorrelation, IsPearsonsOverRecordings) {
  // x, -2x, something at right angles to x, nothing but rounding, and x with a far larger mean.
  const std::vector<float> x = {-1, 0, 1}, other = {1, -2, 1}, still = {0.1f, 0.1f, 0.1f};
  FeatureSet set = set_of(5, {0, 1, 2, 3}, {});
  for (std::size_t i = 0; i < 3; ++i) {
    for (const float value : {x[i], -2 * x[i], other[i], still[i], 1000 + x[i]}) set.values.push_back(value);
  }
  const auto all = correlate(set);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0].names, ElementsAre("v_0", "v_1", "v_2", "v_3", "v_4"));
  const auto r = [&](std::size_t i, std::size_t k) { return all[0].values[5 * i + k]; };
  EXPECT_EQ(r(0, 0), 1);
  EXPECT_EQ(r(0, 1), -1);
  EXPECT_EQ(r(1, 0), -1);
  EXPECT_EQ(r(0, 2), 0);
  EXPECT_EQ(r(0, 4), 1);
  EXPECT_TRUE(std::isnan(r(3, 3)));
  EXPECT_TRUE(std::isnan(r(0, 3)));
}

TEST(FeatureCorrelation, WideSetsShowColumnsAtEvenDistances) {
  const auto all = correlate(set_of(391, {0, 1, 2}, std::vector<float>(2 * 391)));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].columns, 391);
  ASSERT_EQ(all[0].names.size(), 40u);
  EXPECT_EQ(all[0].names[1], "v_10");
  EXPECT_EQ(all[0].names.back(), "v_390");
}

TEST(FeatureCorrelation, SequencesHaveNone) {
  EXPECT_TRUE(correlate(set_of(2, {0, 1, 3}, std::vector<float>(6))).empty());
}

}  // namespace
}  // namespace serval::experiment
