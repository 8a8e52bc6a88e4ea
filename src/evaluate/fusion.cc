#include "serval/evaluate/fusion.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "serval/core/error.h"

namespace serval::evaluate {

namespace {

using Row = std::vector<double>;  // [class]

void check_shapes(const std::vector<Probabilities>& models) {
  SERVAL_CHECK(!models.empty(), "a fusion of no model");
  for (const Probabilities& model : models) {
    SERVAL_CHECK(model.size() == models.front().size(), "models score ", models.front().size(), " and ",
                 model.size(), " recordings");
    for (std::size_t i = 0; i < model.size(); ++i)
      SERVAL_CHECK(!model[i].empty() && model[i].size() == models.front()[i].size(),
                   "models differ in their classes");
  }
}

std::vector<float> normalised(const Row& row) {
  double sum = 0;
  for (const double value : row) sum += value;
  std::vector<float> out;
  // Rows of nothing but zeros say nothing.
  for (const double value : row)
    out.push_back(static_cast<float>(sum > 0 ? value / sum : 1 / static_cast<double>(row.size())));
  return out;
}

std::vector<float> softmax(Row row) {
  const double most = *std::max_element(row.begin(), row.end());
  for (double& value : row) value = std::exp(value - most);
  return normalised(row);
}

double log_of(float p) {
  return std::log(std::max(static_cast<double>(p), std::numeric_limits<double>::epsilon()));
}

// Rows of sum_m weights[m] f(p_m), before anything is normalised.
template <class Function>
std::vector<Row> weighted_sums(const std::vector<Probabilities>& models, const Row& weights, Function f) {
  check_shapes(models);
  SERVAL_CHECK(weights.size() == models.size(), weights.size(), " weights of ", models.size(), " models");
  std::vector<Row> out;
  for (std::size_t i = 0; i < models.front().size(); ++i) {
    Row& row = out.emplace_back(models.front()[i].size(), 0.0);
    for (std::size_t m = 0; m < models.size(); ++m) {
      for (std::size_t c = 0; c < row.size(); ++c) row[c] += weights[m] * f(models[m][i][c]);
    }
  }
  return out;
}

double itself(float p) { return static_cast<double>(p); }

Row even_weights(const std::vector<Probabilities>& models) {
  return Row(models.size(), 1 / static_cast<double>(models.size()));
}

Probabilities softmax_of(const std::vector<Row>& rows) {
  Probabilities out;
  for (const Row& row : rows) out.push_back(softmax(row));
  return out;
}

}  // namespace

Probabilities fuse_weighted(const std::vector<Probabilities>& models, const std::vector<double>& weights) {
  Probabilities out;
  for (const Row& row : weighted_sums(models, weights, itself)) out.push_back(normalised(row));
  return out;
}

Probabilities fuse_mean(const std::vector<Probabilities>& models) {
  return fuse_weighted(models, even_weights(models));
}

Probabilities fuse_product(const std::vector<Probabilities>& models) {
  return softmax_of(weighted_sums(models, Row(models.size(), 1.0), log_of));
}

Probabilities fuse_logit_average(const std::vector<Probabilities>& models) {
  return softmax_of(weighted_sums(models, even_weights(models), log_of));
}

Probabilities fuse_maximum(const std::vector<Probabilities>& models) {
  check_shapes(models);
  Probabilities out;
  for (std::size_t i = 0; i < models.front().size(); ++i) {
    Row row(models.front()[i].size(), 0.0);
    for (const Probabilities& model : models) {
      for (std::size_t c = 0; c < row.size(); ++c) row[c] = std::max(row[c], itself(model[i][c]));
    }
    out.push_back(normalised(row));
  }
  return out;
}

Probabilities fuse_vote(const std::vector<Probabilities>& models) {
  std::vector<Row> rows = weighted_sums(models, even_weights(models), itself);
  Probabilities out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (double& mean : rows[i]) mean /= 2;
    for (const Probabilities& model : models) rows[i][static_cast<std::size_t>(most_probable(model[i]))] += 1;
    out.push_back(normalised(rows[i]));
  }
  return out;
}

std::vector<std::vector<float>> stacking_rows(const std::vector<Probabilities>& models) {
  constexpr float kSmall = 1e-4f;
  check_shapes(models);
  std::vector<std::vector<float>> out(models.front().size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const Probabilities& model : models) {
      for (const float p : model[i]) out[i].push_back(std::log(std::max(p, kSmall)));
    }
  }
  return out;
}

}  // namespace serval::evaluate
