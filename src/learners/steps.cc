// PCA and k-means, by OpenCV.
#include <cmath>

#include <opencv2/core.hpp>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

cv::Mat doubles_of(const Rows& x) {
  cv::Mat out(static_cast<int>(x.count), static_cast<int>(x.columns), CV_64F);
  for (int r = 0; r < out.rows; ++r) {
    const std::span<const float> row = x.row(r);
    for (int c = 0; c < out.cols; ++c)
      out.at<double>(r, c) = static_cast<double>(row[static_cast<std::size_t>(c)]);
  }
  return out;
}

StateArray<double> array_of(const cv::Mat& matrix) {
  return {{matrix.rows, matrix.cols}, {matrix.begin<double>(), matrix.end<double>()}};
}
cv::Mat matrix_of(const StateArray<double>& array, const Shape& shape, const std::string& name) {
  cv::Mat out(static_cast<int>(shape[0]), static_cast<int>(shape[1]), CV_64F);
  const std::vector<double>& values = of_shape(array, shape, name);
  std::copy(values.begin(), values.end(), out.begin<double>());
  return out;
}

class Pca : public Step {
 public:
  Pca(const StepSettings& settings, const LearnerState& state) : whiten_(settings.whiten) {
    const StateArray<double>& axes = state.get_doubles("axes");
    const std::int64_t components = axes.shape[0];
    const std::int64_t inputs = axes.shape[1];
    pca_.eigenvectors = matrix_of(axes, {components, inputs}, "axes");
    pca_.eigenvalues = matrix_of(state.get_doubles("variances"), {components, 1}, "variances");
    pca_.mean = matrix_of(state.get_doubles("mean"), {1, inputs}, "mean");
    correction_ = of_shape(state.get_doubles("correction"), {1}, "correction").front();
  }
  Pca(const StepSettings& settings, const Rows& x) : whiten_(settings.whiten) {
    const std::int64_t most = std::min(x.count - 1, x.columns);
    if (settings.components > most) {
      throw ConfigError(cat("pca: ", settings.components, " components, but ", x.count, " recordings of ",
                            x.columns, " columns have at most ", most));
    }
    const cv::Mat data = doubles_of(x);
    if (settings.components > 0) {
      pca_ = cv::PCA(data, cv::Mat(), cv::PCA::DATA_AS_ROW, static_cast<int>(settings.components));
    } else {
      pca_ = cv::PCA(data, cv::Mat(), cv::PCA::DATA_AS_ROW, settings.variance);
    }
    // OpenCV divides by the count; the unbiased variance is what others whiten by.
    correction_ = std::sqrt(static_cast<double>(x.count) / static_cast<double>(x.count - 1));
  }

  std::int64_t columns() const override { return pca_.eigenvectors.rows; }
  std::vector<float> apply(const Rows& x) const override {
    const cv::Mat projected = pca_.project(doubles_of(x));
    std::vector<float> out;
    out.reserve(projected.total());
    for (int r = 0; r < projected.rows; ++r) {
      for (int c = 0; c < projected.cols; ++c) {
        const double deviation = std::sqrt(pca_.eigenvalues.at<double>(c)) * correction_;
        const double by = whiten_ && deviation > 1e-12 ? deviation : 1;
        out.push_back(static_cast<float>(projected.at<double>(r, c) / by));
      }
    }
    return out;
  }
  LearnerState state() const override {
    LearnerState out;
    out.doubles["axes"] = array_of(pca_.eigenvectors);
    out.doubles["variances"] = array_of(pca_.eigenvalues);
    out.doubles["mean"] = array_of(pca_.mean);
    out.doubles["correction"] = {{1}, {correction_}};
    return out;
  }

 private:
  bool whiten_;
  double correction_ = 1;
  cv::PCA pca_;
};

class KMeans : public Step {
 public:
  KMeans(const StepSettings& settings, const LearnerState& state) : values_(settings.values) {
    const StateArray<float>& centres = state.get_floats("centres");
    const std::vector<float>& values = of_shape(centres, {centres.shape[0], centres.shape[1]}, "centres");
    centres_ = cv::Mat(static_cast<int>(centres.shape[0]), static_cast<int>(centres.shape[1]), CV_32F);
    std::copy(values.begin(), values.end(), centres_.begin<float>());
  }
  KMeans(const StepSettings& settings, const Rows& x, std::uint64_t seed) : values_(settings.values) {
    if (settings.clusters > x.count) {
      throw ConfigError(cat("k_means: ", settings.clusters, " clusters, but there are ", x.count,
                            " recordings to train on"));
    }
    cv::theRNG().state = 0xD1B54A32D192ED03ull ^ (seed + 1);  // this thread's, which kmeans draws from
    const cv::Mat data(static_cast<int>(x.count), static_cast<int>(x.columns), CV_32F,
                       const_cast<float*>(x.values));
    cv::Mat labels;
    constexpr int kAttempts = 5;
    cv::kmeans(data, static_cast<int>(settings.clusters), labels,
               {cv::TermCriteria::MAX_ITER | cv::TermCriteria::EPS, 300, 1e-6}, kAttempts,
               cv::KMEANS_PP_CENTERS, centres_);
  }

  std::int64_t columns() const override { return centres_.rows; }
  std::vector<float> apply(const Rows& x) const override {
    std::vector<float> out;
    for (std::int64_t r = 0; r < x.count; ++r) {
      std::vector<float> distances;
      for (int k = 0; k < centres_.rows; ++k) {
        double sum = 0;
        for (int c = 0; c < centres_.cols; ++c) {
          const double d = static_cast<double>(x.row(r)[static_cast<std::size_t>(c)]) -
                           static_cast<double>(centres_.at<float>(k, c));
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
  LearnerState state() const override {
    LearnerState out;
    out.floats["centres"] = {{centres_.rows, centres_.cols},
                             {centres_.begin<float>(), centres_.end<float>()}};
    return out;
  }

 private:
  ClusterValue values_;
  cv::Mat centres_;  // [cluster, column]
};

}  // namespace

std::unique_ptr<Step> fit_step(const StepSettings& settings, const Rows& x, std::uint64_t seed) {
  if (settings.type == StepType::kPca) return std::make_unique<Pca>(settings, x);
  return std::make_unique<KMeans>(settings, x, seed);
}

std::unique_ptr<Step> restore_step(const StepSettings& settings, const LearnerState& state) {
  if (settings.type == StepType::kPca) return std::make_unique<Pca>(settings, state);
  return std::make_unique<KMeans>(settings, state);
}

}  // namespace serval::learners
