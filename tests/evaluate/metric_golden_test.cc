// scikit-learn's scores, by tests/golden/evaluate/make_metric_goldens.py.
#include <cmath>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/evaluate/probability_scores.h"

namespace serval::evaluate {
namespace {

constexpr double kTolerance = 1e-9;

// null is NaN.
void expect_near(double actual, const JsonValue& expected, const std::string& what) {
  if (expected.kind == JsonValue::Kind::kNull) {
    EXPECT_TRUE(std::isnan(actual)) << what << " is " << actual;
  } else {
    EXPECT_NEAR(actual, expected.real, kTolerance) << what;
  }
}

void expect_near(const std::vector<double>& actual, const JsonValue& expected, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.items.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) expect_near(actual[i], expected.items[i], what);
}

TEST(MetricGolden, ScoresAreThoseOfScikitLearn) {
  const JsonValue golden =
      parse_json_file(std::string(SERVAL_SOURCE_DIR) + "/tests/golden/evaluate/metrics.json");
  const std::vector<JsonValue>& cases = golden.find("cases")->items;
  ASSERT_EQ(cases.size(), 20u);
  for (const JsonValue& one : cases) {
    SCOPED_TRACE(one.find("name")->text);
    std::vector<int> labels;
    for (const JsonValue& label : one.find("labels")->items)
      labels.push_back(static_cast<int>(label.integer));
    Probabilities probabilities;
    for (const JsonValue& row : one.find("probabilities")->items) {
      std::vector<float>& p = probabilities.emplace_back();
      for (const JsonValue& value : row.items) p.push_back(static_cast<float>(value.real));
    }
    const auto [scores, of_probabilities] = full_scores(labels, probabilities);
    EXPECT_EQ(scores.count, static_cast<std::int64_t>(labels.size()));
    const auto expect = [&](const char* name, double value) { expect_near(value, *one.find(name), name); };
    expect("uar", scores.uar);
    expect("wa", scores.wa);
    expect("macro_f1", scores.macro_f1);
    expect("weighted_f1", scores.weighted_f1);
    expect("log_loss", of_probabilities.log_loss);
    expect("calibration_error", of_probabilities.calibration_error);
    expect("top2", of_probabilities.top2);
    expect_near(scores.recall, *one.find("recall"), "recall");
    expect_near(scores.precision, *one.find("precision"), "precision");
    expect_near(scores.f1, *one.find("f1"), "f1");
    const std::vector<std::vector<double>> shares = row_shares(scores.confusion);
    for (std::size_t c = 0; c < shares.size(); ++c) {
      expect_near({scores.confusion[c].begin(), scores.confusion[c].end()}, one.find("confusion")->items[c],
                  "confusion");
      expect_near(shares[c], one.find("shares")->items[c], "shares");
    }
    ASSERT_EQ(of_probabilities.bins.size(), one.find("bins")->items.size());
    for (std::size_t b = 0; b < of_probabilities.bins.size(); ++b) {
      const ReliabilityBin& bin = of_probabilities.bins[b];
      expect_near({static_cast<double>(bin.count), bin.confidence, bin.accuracy}, one.find("bins")->items[b],
                  "bin");
    }
  }
}

}  // namespace
}  // namespace serval::evaluate
