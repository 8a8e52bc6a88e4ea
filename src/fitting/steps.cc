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

}  // namespace

LearnerState fit_pca(const StepSettings& settings, const Rows& x) {
  const std::int64_t most = std::min(x.count - 1, x.columns);
  if (settings.components > most) {
    throw ConfigError(cat("pca: ", settings.components, " components, but ", x.count, " recordings of ",
                          x.columns, " columns have at most ", most));
  }
  cv::Mat data;
  matrix_of(x).convertTo(data, CV_64F);
  const cv::PCA pca =
      settings.components > 0
          ? cv::PCA(data, cv::Mat(), cv::PCA::DATA_AS_ROW, static_cast<int>(settings.components))
          : cv::PCA(data, cv::Mat(), cv::PCA::DATA_AS_ROW, settings.variance);
  LearnerState out;
  out.doubles["axes"] = array_of(pca.eigenvectors);
  out.doubles["variances"] = array_of(pca.eigenvalues);
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
