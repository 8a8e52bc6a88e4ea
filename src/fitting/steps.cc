// PCA and k-means, by OpenCV.
#include <cmath>

#include <opencv2/core.hpp>

#include "serval/core/error.h"

#include "fitters.h"
#include "opencv_rows.h"

namespace serval::fitting {

namespace {

learners::StateArray<double> array_of(const cv::Mat& matrix) {
  return {{matrix.rows, matrix.cols}, {matrix.begin<double>(), matrix.end<double>()}};
}

// The fewest components whose share of the variance is above the wished one, as scikit-learn counts them. (cv::PCA's own
// count by variance is one too small, and it keeps two at least.)
std::int64_t components_for(double variance, const cv::Mat& variances, std::int64_t most) {
  const double total = cv::sum(variances)[0];
  double kept = 0;
  for (std::int64_t k = 0; k < most; ++k) {
    kept += variances.at<double>(static_cast<int>(k));
    if (kept > variance * total) return k + 1;
  }
  return most;
}

}  // namespace

LearnerState fit_pca(const StepSettings& settings, const Rows& x) {
  const std::int64_t most = std::min(x.count - 1, x.columns);
  if (most == 0) throw ConfigError("pca: one recording has no variance; there must be two at least");
  if (settings.components > most) {
    throw ConfigError(cat("pca: ", settings.components, " components, but ", x.count, " recordings of ",
                          x.columns, " columns have at most ", most));
  }
  cv::Mat data;
  matrix_of(x).convertTo(data, CV_64F);
  const cv::PCA pca(data, cv::Mat(), cv::PCA::DATA_AS_ROW, static_cast<int>(settings.components));  // 0: all
  const auto kept =
      static_cast<int>(settings.components > 0 ? settings.components
                                               : components_for(settings.variance, pca.eigenvalues, most));
  LearnerState out;
  out.doubles["axes"] = array_of(pca.eigenvectors.rowRange(0, kept));
  out.doubles["variances"] = array_of(pca.eigenvalues.rowRange(0, kept));
  out.doubles["mean"] = array_of(pca.mean);
  // OpenCV divides by the count; the unbiased variance is what others whiten by.
  out.doubles["correction"] = {{1},
                               {std::sqrt(static_cast<double>(x.count) / static_cast<double>(x.count - 1))}};
  return out;
}

LearnerState fit_k_means(const StepSettings& settings, const Rows& x, std::uint64_t seed) {
  if (settings.clusters > x.count) {
    throw ConfigError(
        cat("k_means: ", settings.clusters, " clusters, but there are ", x.count, " recordings to train on"));
  }
  cv::theRNG().state = 0xD1B54A32D192ED03ull ^ (seed + 1);  // this thread's, which kmeans draws from
  cv::Mat labels, centres;
  constexpr int kAttempts = 5;
  cv::kmeans(matrix_of(x), static_cast<int>(settings.clusters), labels,
             {cv::TermCriteria::MAX_ITER | cv::TermCriteria::EPS, 300, 1e-6}, kAttempts,
             cv::KMEANS_PP_CENTERS, centres);
  LearnerState out;
  out.floats["centres"] = {{centres.rows, centres.cols}, {centres.begin<float>(), centres.end<float>()}};
  return out;
}

}  // namespace serval::fitting
