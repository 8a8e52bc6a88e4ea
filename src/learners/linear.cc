// Planes of one class against the rest: linear SVM and logistic regression. The sums are LIBLINEAR's, in its order.
#include <cmath>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

class Linear : public Learner {
 public:
  Linear(const LearnerState& state, bool logistic) : logistic_(logistic) {
    const StateArray<std::int64_t>& labels = state.get_integers("labels");
    const auto classes = static_cast<std::int64_t>(labels.values.size());
    places_ = class_places(of_shape(labels, {classes}, "labels"));
    count_ = classes == 2 ? 1 : classes;
    const StateArray<double>& planes = state.get_doubles("planes");
    planes_ = of_shape(planes, {planes.shape[0], count_}, "planes");
    columns_ = planes.shape[0] - 1;
    if (classes < 2 || columns_ < 1)
      throw DataError(cat("the fitted model has ", classes, " classes and ", columns_, " columns"));
  }

  std::int64_t columns() const override { return columns_; }
  std::int64_t classes() const override { return static_cast<std::int64_t>(places_.size()); }
  std::vector<std::vector<float>> scores(const Rows& x) const override {
    std::vector<std::vector<float>> out;
    const auto planes = static_cast<std::size_t>(count_);
    for (std::int64_t r = 0; r < x.count; ++r) {
      std::vector<double> values(places_.size(), 0.0);
      const double* weights = planes_.data();
      for (const float value : x.row(r)) {
        for (std::size_t p = 0; p < planes; ++p) values[p] += weights[p] * static_cast<double>(value);
        weights += planes;
      }
      for (std::size_t p = 0; p < planes; ++p) values[p] += weights[p];  // the bias, which reads a 1
      if (planes == 1) values[1] = -values[0];
      if (logistic_) {
        double sum = 0;
        for (double& value : values) sum += value = 1 / (1 + std::exp(-value));
        for (double& value : values) value /= sum;
      } else {
        softmax(values);
      }
      std::vector<float>& row = out.emplace_back();
      for (const std::size_t place : places_) row.push_back(static_cast<float>(values[place]));
    }
    return out;
  }

 private:
  std::vector<double> planes_;  // [column, then the bias][plane]; of two classes there is one plane
  std::vector<std::size_t> places_;
  std::int64_t columns_ = 0, count_ = 0;
  bool logistic_;
};

}  // namespace

std::unique_ptr<Learner> restore_linear(const LearnerSettings& settings, const LearnerState& state) {
  return std::make_unique<Linear>(state, settings.type == LearnerType::kLogistic);
}

}  // namespace serval::learners
