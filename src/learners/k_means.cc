#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

class KMeans : public Step {
 public:
  KMeans(const StepSettings& settings, const LearnerState& state) : values_(settings.values) {
    const StateArray<float>& centres = state.get_floats("centres");
    clusters_ = centres.shape[0];
    inputs_ = centres.shape[1];
    centres_ = of_shape(centres, {clusters_, inputs_}, "centres");
    if (clusters_ < 1) throw DataError("the fitted model has no centre");
  }

  std::int64_t inputs() const override { return inputs_; }
  std::int64_t columns() const override { return clusters_; }
  std::vector<float> apply(const Rows& x) const override {
    std::vector<float> out;
    const Rows centres{centres_.data(), clusters_, inputs_};
    for (std::int64_t r = 0; r < x.count; ++r) {
      std::vector<float> distances;
      for (std::int64_t k = 0; k < clusters_; ++k) {
        double sum = 0;
        for (std::size_t c = 0; c < x.row(r).size(); ++c) {
          const double d = static_cast<double>(x.row(r)[c]) - static_cast<double>(centres.row(k)[c]);
          sum += d * d;
        }
        distances.push_back(static_cast<float>(std::sqrt(sum)));
      }
      if (values_ == ClusterValue::kNearest) {
        const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
        std::fill(distances.begin(), distances.end(), 0.0f);
        distances[static_cast<std::size_t>(nearest)] = 1;
      }
      out.insert(out.end(), distances.begin(), distances.end());
    }
    return out;
  }

 private:
  ClusterValue values_;
  std::vector<float> centres_;  // [cluster, input]
  std::int64_t clusters_ = 0, inputs_ = 0;
};

}  // namespace

std::unique_ptr<Step> restore_k_means(const StepSettings& settings, const LearnerState& state) {
  return std::make_unique<KMeans>(settings, state);
}

}  // namespace serval::learners
