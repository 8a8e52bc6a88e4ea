// Nearest neighbours, by OpenCV.
#include <opencv2/ml.hpp>

#include "serval/core/error.h"

#include "models.h"
#include "opencv_rows.h"

namespace serval::learners {

namespace {

class Neighbours : public Learner {
 public:
  Neighbours(std::vector<float> samples, std::int64_t columns, std::vector<std::int64_t> labels, int classes,
             int count)
      : samples_(std::move(samples)),
        columns_(columns),
        labels_(std::move(labels)),
        classes_(classes),
        count_(count),
        search_(cv::ml::KNearest::create()) {
    search_->setAlgorithmType(cv::ml::KNearest::BRUTE_FORCE);
    search_->setIsClassifier(true);
    cv::Mat responses(static_cast<int>(labels_.size()), 1, CV_32S);
    for (std::size_t i = 0; i < labels_.size(); ++i)
      responses.at<int>(static_cast<int>(i)) = static_cast<int>(labels_[i]);
    const Rows rows{samples_.data(), static_cast<std::int64_t>(labels_.size()), columns_};
    search_->train(matrix_of(rows), cv::ml::ROW_SAMPLE, responses);
  }

  std::vector<std::vector<float>> scores(const Rows& x) const override {
    cv::Mat results, labels;
    search_->findNearest(matrix_of(x), count_, results, labels);
    std::vector<std::vector<float>> out;
    for (int r = 0; r < labels.rows; ++r) {
      std::vector<float>& row = out.emplace_back(static_cast<std::size_t>(classes_), 0.0f);
      for (int n = 0; n < labels.cols; ++n)
        row[static_cast<std::size_t>(labels.at<float>(r, n))] += 1.0f / static_cast<float>(count_);
    }
    return out;
  }
  LearnerState state() const override {
    LearnerState out;
    const auto count = static_cast<std::int64_t>(labels_.size());
    out.floats["samples"] = {{count, columns_}, samples_};
    out.integers["labels"] = {{count}, labels_};
    out.set("classes", classes_);
    out.set("neighbours", count_);
    return out;
  }

 private:
  std::vector<float> samples_;  // [sample, column]
  std::int64_t columns_;
  std::vector<std::int64_t> labels_;
  int classes_, count_;
  cv::Ptr<cv::ml::KNearest> search_;
};

}  // namespace

std::unique_ptr<Learner> fit_neighbours(const LearnerSettings& settings, const Rows& x, Labels labels,
                                        int classes) {
  if (settings.neighbours > x.count) {
    throw ConfigError(cat("nearest_neighbours: ", settings.neighbours, " neighbours, but there are ", x.count,
                          " recordings to train on"));
  }
  return std::make_unique<Neighbours>(std::vector<float>(x.values, x.values + x.count * x.columns), x.columns,
                                      std::vector<std::int64_t>(labels.begin(), labels.end()), classes,
                                      static_cast<int>(settings.neighbours));
}

std::unique_ptr<Learner> restore_neighbours(const LearnerState& state) {
  const StateArray<float>& samples = state.get_floats("samples");
  const std::int64_t count = samples.shape[0];
  const std::int64_t classes = state.get("classes");
  const std::vector<std::int64_t>& labels = of_shape(state.get_integers("labels"), {count}, "labels");
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= classes)
      throw DataError(cat("the fitted model has a label ", label, " of ", classes));
  }
  return std::make_unique<Neighbours>(of_shape(samples, {count, samples.shape[1]}, "samples"),
                                      samples.shape[1], labels, static_cast<int>(classes),
                                      static_cast<int>(state.get("neighbours")));
}

}  // namespace serval::learners
