#include <cmath>

#include "models.h"

namespace serval::learners {

namespace {

// Whitening leaves alone what does not vary: of the first component's deviation, less than float32 inputs can tell.
constexpr double kLeastDeviation = 1e-7;

class Pca : public Step {
 public:
  Pca(const StepSettings& settings, const LearnerState& state) {
    const StateArray<double>& axes = state.get_doubles("axes");
    components_ = axes.shape[0];
    inputs_ = axes.shape[1];
    axes_ = of_shape(axes, {components_, inputs_}, "axes");
    mean_ = of_shape(state.get_doubles("mean"), {1, inputs_}, "mean");
    const double correction = of_shape(state.get_doubles("correction"), {1}, "correction").front();
    const std::vector<double> variances =
        of_shape(state.get_doubles("variances"), {components_, 1}, "variances");
    const double least = kLeastDeviation * std::sqrt(variances.front()) * correction;
    for (const double variance : variances) {
      const double deviation = std::sqrt(variance) * correction;
      divisors_.push_back(settings.whiten && deviation > least ? deviation : 1);
    }
  }

  std::int64_t inputs() const override { return inputs_; }
  std::int64_t columns() const override { return components_; }
  std::vector<float> apply(const Rows& x) const override {
    std::vector<float> out;
    std::vector<double> centred(mean_.size());
    for (std::int64_t r = 0; r < x.count; ++r) {
      const std::span<const float> row = x.row(r);
      for (std::size_t i = 0; i < row.size(); ++i) centred[i] = static_cast<double>(row[i]) - mean_[i];
      const double* axis = axes_.data();
      for (const double divisor : divisors_) {
        double sum = 0;
        for (const double value : centred) sum += value * *axis++;
        out.push_back(static_cast<float>(sum / divisor));
      }
    }
    return out;
  }

 private:
  std::vector<double> axes_;  // [component, input]
  std::vector<double> mean_, divisors_;
  std::int64_t components_ = 0, inputs_ = 0;
};

}  // namespace

std::unique_ptr<Step> restore_pca(const StepSettings& settings, const LearnerState& state) {
  return std::make_unique<Pca>(settings, state);
}

}  // namespace serval::learners
