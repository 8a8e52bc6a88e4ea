// Nearest neighbours by Euclidean distance; of two as near, the one that was learned first.
#include <algorithm>
#include <numeric>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

class Neighbours : public Learner {
 public:
  explicit Neighbours(const LearnerState& state)
      : classes_(state.get("classes")), near_(state.get("neighbours")) {
    const StateArray<float>& samples = state.get_floats("samples");
    count_ = samples.shape[0];
    columns_ = samples.shape[1];
    samples_ = of_shape(samples, {count_, columns_}, "samples");
    labels_ = of_shape(state.get_integers("labels"), {count_}, "labels");
    for (const std::int64_t label : labels_) {
      if (label < 0 || label >= classes_)
        throw DataError(cat("the fitted model has a label ", label, " of ", classes_));
    }
    if (near_ < 1 || near_ > count_)
      throw DataError(cat("the fitted model asks ", near_, " neighbours of ", count_));
  }

  std::int64_t columns() const override { return columns_; }
  std::int64_t classes() const override { return classes_; }
  std::vector<std::vector<float>> scores(const Rows& x) const override {
    std::vector<std::vector<float>> out;
    std::vector<double> distances(labels_.size());
    std::vector<std::size_t> order(labels_.size());
    const Rows samples{samples_.data(), count_, columns_};
    for (std::int64_t r = 0; r < x.count; ++r) {
      for (std::size_t s = 0; s < distances.size(); ++s)
        distances[s] = distance(x.row(r), samples.row(static_cast<std::int64_t>(s)));
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::partial_sort(order.begin(), order.begin() + near_, order.end(), [&](std::size_t a, std::size_t b) {
        return distances[a] != distances[b] ? distances[a] < distances[b] : a < b;
      });
      std::vector<float>& row = out.emplace_back(static_cast<std::size_t>(classes_), 0.0f);
      for (std::int64_t n = 0; n < near_; ++n)
        row[static_cast<std::size_t>(labels_[order[static_cast<std::size_t>(n)]])] +=
            1.0f / static_cast<float>(near_);
    }
    return out;
  }

 private:
  static double distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      sum += d * d;
    }
    return sum;
  }

  std::vector<float> samples_;  // [sample, column]
  std::vector<std::int64_t> labels_;
  std::int64_t count_ = 0, columns_ = 0, classes_ = 0, near_ = 0;
};

}  // namespace

std::unique_ptr<Learner> restore_neighbours(const LearnerState& state) {
  return std::make_unique<Neighbours>(state);
}

}  // namespace serval::learners
