#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/folds/fold.h"

#include "fold_fixtures.h"

namespace serval::folds {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Recording r has r % 4 + 1 frames of 3 values around a large offset, where single precision would lose
// digits.
struct Example {
  corpus::Manifest manifest = numbered_manifest("demo", 6);
  std::vector<Fold> folds = make_folds({.count = 3, .validation_actors = 1}, manifest);
  std::vector<float> values;
  std::vector<std::int64_t> offsets = {0};

  Example() {
    const RandomStream random{7};
    for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
      for (std::size_t i = 0; i < 3 * (r % 4 + 1); ++i) {
        const float noise = random.uniform(values.size());
        values.push_back(values.size() % 3 == 2 ? 0.1f : 1000 + noise);  // the third dimension is constant
      }
      offsets.push_back(static_cast<std::int64_t>(values.size() / 3));
    }
  }
  RaggedFeatures features() const { return {values.data(), offsets, 3}; }
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(Normaliser, MatchesTheDirectFormulaOverTrainingFrames) {
  const Example example;
  const Fold& fold = example.folds[1];
  const Normaliser fitted = fit_normaliser(example.features(), fold, example.manifest);
  EXPECT_EQ(fitted.fitted_on_actors, fold.train_actors);
  for (std::size_t d = 0; d < 2; ++d) {
    std::vector<long double> kept;
    for (const std::int64_t r : fold.train) {
      const auto i = static_cast<std::size_t>(r);
      for (auto t = static_cast<std::size_t>(example.offsets[i]);
           t < static_cast<std::size_t>(example.offsets[i + 1]); ++t) {
        kept.push_back(example.values[3 * t + d]);
      }
    }
    long double sum = 0, squares = 0;
    for (const long double value : kept) sum += value;
    const long double mean = sum / static_cast<long double>(kept.size());
    for (const long double value : kept) squares += (value - mean) * (value - mean);
    const long double deviation = std::sqrt(squares / static_cast<long double>(kept.size()));
    EXPECT_EQ(fitted.mean[d], static_cast<float>(mean));
    EXPECT_NEAR(fitted.scale[d], static_cast<double>(1 / deviation), 1e-6);
  }
  // A constant dimension becomes exactly zero; where another recording differs, by little or much, so does its number.
  EXPECT_EQ(fitted.mean[2], 0.1f);
  EXPECT_EQ(fitted.scale[2], 1.0f);
  EXPECT_EQ(fitted.constant, std::vector<std::size_t>{2});
}

TEST(Normaliser, DoesNotSeeWhatIsHeldOut) {
  Example example;
  for (const Fold& fold : example.folds) {
    const Normaliser before = fit_normaliser(example.features(), fold, example.manifest);
    Example changed = example;
    for (const std::vector<std::int64_t>* side : {&fold.test, &fold.validation}) {
      for (const std::int64_t r : *side) {
        const auto i = static_cast<std::size_t>(r);
        for (std::int64_t v = 3 * changed.offsets[i]; v < 3 * changed.offsets[i + 1]; ++v) {
          changed.values[static_cast<std::size_t>(v)] = std::numeric_limits<float>::quiet_NaN();
        }
      }
    }
    const Normaliser after = fit_normaliser(changed.features(), fold, changed.manifest);
    EXPECT_TRUE(same_bits(before.mean, after.mean));
    EXPECT_TRUE(same_bits(before.scale, after.scale));
    // And it does see a training recording.
    changed.values[static_cast<std::size_t>(3 * changed.offsets[static_cast<std::size_t>(fold.train[0])])] +=
        1;
    EXPECT_FALSE(same_bits(before.mean, fit_normaliser(changed.features(), fold, changed.manifest).mean));
  }
}

TEST(Normaliser, RefusesHeldOutActors) {
  const Example example;
  Fold fold = example.folds[0];
  fold.train.push_back(fold.test[0]);
  fold.train.push_back(fold.validation[0]);
  try {
    fit_normaliser(example.features(), fold, example.manifest);
    FAIL() << "accepted";
  } catch (const AuditError& error) {
    EXPECT_THAT(error.what(), HasSubstr(fold.test_actors[0]));
    EXPECT_THAT(error.what(), HasSubstr(fold.validation_actors[0]));
  }
}

TEST(Normaliser, RefusesWhatHasNoStatistics) {
  Example example;
  Fold fold = example.folds[0];
  const auto bad = static_cast<std::size_t>(fold.train[2]);
  example.values[static_cast<std::size_t>(3 * example.offsets[bad])] = std::numeric_limits<float>::infinity();
  try {
    fit_normaliser(example.features(), fold, example.manifest);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(example.manifest.recordings[bad].id));
  }
  fold.train.clear();
  EXPECT_THROW(fit_normaliser(example.features(), fold, example.manifest), DataError);
}

}  // namespace
}  // namespace serval::folds
