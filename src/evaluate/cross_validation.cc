#include "serval/evaluate/cross_validation.h"

#include <map>

#include "serval/core/error.h"

namespace serval::evaluate {

namespace {

double mean_of(const std::vector<double>& values) { return mean_std(values).mean; }

Spread spread(const std::vector<FoldScores>& folds, double Scores::*metric) {
  std::vector<FoldValue> values;
  for (const FoldScores& fold : folds) values.push_back({fold.fold, fold.seed, fold.scores.*metric});
  return spread(values);
}

}  // namespace

Spread spread(const std::vector<FoldValue>& values) {
  std::vector<double> all;
  std::map<int, std::vector<double>> by_fold;
  std::map<std::uint64_t, std::vector<double>> by_seed;
  for (const FoldValue& value : values) {
    all.push_back(value.value);
    by_fold[value.fold].push_back(value.value);
    by_seed[value.seed].push_back(value.value);
  }
  SERVAL_CHECK(all.size() == by_fold.size() * by_seed.size(), all.size(), " results for ", by_fold.size(),
               " folds and ", by_seed.size(), " seeds");
  std::vector<double> fold_means, seed_means;
  for (const auto& [fold, of_fold] : by_fold) fold_means.push_back(mean_of(of_fold));
  for (const auto& [seed, of_seed] : by_seed) seed_means.push_back(mean_of(of_seed));
  return {mean_of(all), mean_std(fold_means).std, mean_std(seed_means).std};
}

Summary summarise(const std::vector<FoldScores>& folds) {
  SERVAL_CHECK(!folds.empty(), "nothing to summarise");
  Summary summary;
  summary.uar = spread(folds, &Scores::uar);
  summary.wa = spread(folds, &Scores::wa);
  summary.macro_f1 = spread(folds, &Scores::macro_f1);

  Confusion pooled = folds.front().scores.confusion;
  for (std::size_t i = 1; i < folds.size(); ++i) {
    for (std::size_t truth = 0; truth < pooled.size(); ++truth) {
      for (std::size_t predicted = 0; predicted < pooled.size(); ++predicted)
        pooled[truth][predicted] += folds[i].scores.confusion[truth][predicted];
    }
  }
  summary.pooled = score(pooled);
  return summary;
}

}  // namespace serval::evaluate
