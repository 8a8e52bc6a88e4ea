// SVM with a radial basis function, all pairs of classes. The sums are LIBSVM's, in its order.
#include <cmath>
#include <numeric>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

class RbfSvm : public Learner {
 public:
  explicit RbfSvm(const LearnerState& state) {
    const StateArray<std::int64_t>& labels = state.get_integers("labels");
    classes_ = static_cast<std::int64_t>(labels.values.size());
    places_ = class_places(of_shape(labels, {classes_}, "labels"));
    const StateArray<float>& vectors = state.get_floats("vectors");
    count_ = vectors.shape[0];
    columns_ = vectors.shape[1];
    vectors_ = of_shape(vectors, {count_, columns_}, "vectors");
    if (classes_ < 2 || columns_ < 1)
      throw DataError(cat("the fitted model has ", classes_, " classes and ", columns_, " columns"));
    counts_ = of_shape(state.get_integers("vectors_of_class"), {classes_}, "vectors_of_class");
    coefficients_ = of_shape(state.get_doubles("coefficients"), {classes_ - 1, count_}, "coefficients");
    offsets_ = of_shape(state.get_doubles("offsets"), {classes_ * (classes_ - 1) / 2}, "offsets");
    gamma_ = of_shape(state.get_doubles("gamma"), {1}, "gamma").front();
    std::int64_t sum = 0;
    for (const std::int64_t count : counts_) {
      starts_.push_back(sum);
      if (count < 0 || count > count_ - sum)
        throw DataError("the fitted model's vectors_of_class are not those of its vectors");
      sum += count;
    }
    if (sum != count_) throw DataError("the fitted model's vectors_of_class do not add up to its vectors");
  }

  std::int64_t columns() const override { return columns_; }
  std::int64_t classes() const override { return classes_; }
  std::vector<std::vector<float>> scores(const Rows& x) const override {
    std::vector<std::vector<float>> out;
    for (std::int64_t r = 0; r < x.count; ++r) out.push_back(scores_of(x.row(r)));
    return out;
  }

 private:
  std::vector<double> kernel(std::span<const float> row) const {
    std::vector<double> out;
    const Rows vectors{vectors_.data(), count_, columns_};
    for (std::int64_t v = 0; v < count_; ++v) {
      const std::span<const float> vector = vectors.row(v);
      double sum = 0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const double distance = static_cast<double>(row[i]) - static_cast<double>(vector[i]);
        sum += distance * distance;
      }
      out.push_back(std::exp(-gamma_ * sum));
    }
    return out;
  }
  // What the vectors of class `from` say of the pair that it makes with `other`.
  double add_up(double sum, const std::vector<double>& kernel, std::size_t from, std::size_t other) const {
    const std::size_t row = other > from ? other - 1 : other;
    const double* const coefficients = coefficients_.data() + static_cast<std::int64_t>(row) * count_;
    for (std::int64_t v = starts_[from]; v < starts_[from] + counts_[from]; ++v)
      sum += coefficients[v] * kernel[static_cast<std::size_t>(v)];
    return sum;
  }
  std::vector<float> scores_of(std::span<const float> row) const {
    const auto classes = static_cast<std::size_t>(classes_);
    const std::vector<double> similar = kernel(row);
    std::vector<double> votes(classes, 0.0), margins(classes, 0.0);
    std::size_t pair = 0;
    for (std::size_t a = 0; a < classes; ++a) {
      for (std::size_t b = a + 1; b < classes; ++b, ++pair) {
        const double margin = add_up(add_up(0, similar, a, b), similar, b, a) - offsets_[pair];
        votes[margin > 0 ? a : b] += 1;
        margins[a] += margin;
        margins[b] -= margin;
      }
    }
    for (std::size_t c = 0; c < classes; ++c) votes[c] += margins[c] / (3 * (std::abs(margins[c]) + 1));
    softmax(votes);
    std::vector<float> out;
    for (const std::size_t place : places_) out.push_back(static_cast<float>(votes[place]));
    return out;
  }

  std::vector<float> vectors_;        // [vector, column], by class as `labels` has them
  std::vector<double> coefficients_;  // [class - 1, vector]
  std::vector<double> offsets_;       // [pair]
  std::vector<std::int64_t> counts_, starts_;
  std::vector<std::size_t> places_;
  std::int64_t classes_ = 0, count_ = 0, columns_ = 0;
  double gamma_ = 0;
};

}  // namespace

std::unique_ptr<Learner> restore_rbf_svm(const LearnerState& state) {
  return std::make_unique<RbfSvm>(state);
}

}  // namespace serval::learners
