#include "serval/evaluate/fusion_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "serval/core/error.h"

namespace serval::evaluate {

namespace {

using Weights = std::vector<double>;

// What each model gives to the true class: all that the log loss of their mixture needs. [recording][model]
std::vector<Weights> true_class(const std::vector<Probabilities>& models, const std::vector<int>& labels) {
  SERVAL_CHECK(!models.empty() && !labels.empty(), "weights are fitted to models and recordings");
  std::vector<Weights> out;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Weights& row = out.emplace_back();
    for (const Probabilities& model : models) {
      SERVAL_CHECK(model.size() == labels.size(), "as many rows as labels");
      row.push_back(static_cast<double>(model[i].at(static_cast<std::size_t>(labels[i]))));
    }
  }
  return out;
}

double mixture(const Weights& p, const Weights& weights) {
  double sum = 0;
  for (std::size_t m = 0; m < p.size(); ++m) sum += weights[m] * p[m];
  constexpr double kSmall = std::numeric_limits<double>::epsilon();
  return std::clamp(sum, kSmall, 1 - kSmall);
}

double log_loss(const std::vector<Weights>& p, const Weights& weights) {
  double sum = 0;
  for (const Weights& row : p) sum -= std::log(mixture(row, weights));
  return sum / static_cast<double>(p.size());
}

double sum_of_squares(const Weights& weights) {
  double sum = 0;
  for (const double w : weights) sum += w * w;
  return sum;
}

// Every way to share kWeightSteps among the models, more on the first ones first.
class Grid {
 public:
  explicit Grid(const std::vector<Weights>& p) : p_(p), weights_(p.front().size()) {}

  Weights best() {
    share(0, kWeightSteps);
    return best_;
  }

 private:
  void share(std::size_t model, int left) {
    if (model + 1 == weights_.size()) {
      weights_[model] = static_cast<double>(left) / kWeightSteps;
      return compare();
    }
    for (int own = left; own >= 0; --own) {
      weights_[model] = static_cast<double>(own) / kWeightSteps;
      share(model + 1, left - own);
    }
  }

  void compare() {
    constexpr double kEqual = 1e-12;
    const double loss = log_loss(p_, weights_);
    const bool better = best_.empty() || loss < best_loss_ - kEqual;
    const bool as_good = !better && loss <= best_loss_ + kEqual;
    if (better || (as_good && sum_of_squares(weights_) < sum_of_squares(best_) - kEqual)) {
      best_ = weights_;
      best_loss_ = loss;
    }
  }

  const std::vector<Weights>& p_;
  Weights weights_, best_;
  double best_loss_ = 0;
};

Weights gradient(const std::vector<Weights>& p, const Weights& weights) {
  Weights out(weights.size(), 0.0);
  for (const Weights& row : p) {
    const double sum = mixture(row, weights) * static_cast<double>(p.size());
    for (std::size_t m = 0; m < out.size(); ++m) out[m] -= row[m] / sum;
  }
  return out;
}

// weights_m exp(-step g_m), normalised. Gradients are not positive; the largest exponent is taken out.
Weights stepped(const Weights& weights, const Weights& g, double step) {
  const double lowest = *std::min_element(g.begin(), g.end());
  Weights out;
  double sum = 0;
  for (std::size_t m = 0; m < weights.size(); ++m) {
    out.push_back(weights[m] * std::exp(step * (lowest - g[m])));
    sum += out.back();
  }
  for (double& w : out) w /= sum;
  return out;
}

Weights descend(const std::vector<Weights>& p) {
  constexpr int kSteps = 1000, kHalvings = 40;
  constexpr double kGain = 1e-10;
  const std::size_t models = p.front().size();
  Weights weights(models, 1 / static_cast<double>(models));
  double loss = log_loss(p, weights);
  double step = 1;  // in units of the largest gradient
  for (int i = 0; i < kSteps; ++i) {
    const Weights g = gradient(p, weights);
    const double largest = -*std::min_element(g.begin(), g.end());
    if (!(largest > 0)) return weights;  // nobody gives the true classes anything
    Weights next;
    double lower = loss;
    for (int halving = 0; halving < kHalvings; ++halving, step /= 2) {
      next = stepped(weights, g, step / largest);
      lower = log_loss(p, next);
      if (lower < loss) break;
    }
    if (!(lower < loss - kGain)) break;
    weights = std::move(next);
    loss = lower;
    step *= 2;  // a step that worked may grow again
  }
  return weights;
}

}  // namespace

std::vector<double> fit_weights(const std::vector<Probabilities>& models, const std::vector<int>& labels) {
  const std::vector<Weights> p = true_class(models, labels);
  return models.size() <= kMostGridModels ? Grid(p).best() : descend(p);
}

std::size_t best_model(const std::vector<Probabilities>& models, const std::vector<int>& labels,
                       int classes) {
  SERVAL_CHECK(!models.empty(), "the best of no model");
  std::size_t best = 0;
  double best_uar = 0, best_loss = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    const double uar = score(labels, most_probable(models[m]), classes).uar;
    const double loss = score_probabilities(labels, models[m]).log_loss;
    if (m > 0 && (uar < best_uar || (uar == best_uar && loss >= best_loss))) continue;
    best = m;
    best_uar = uar;
    best_loss = loss;
  }
  return best;
}

}  // namespace serval::evaluate
