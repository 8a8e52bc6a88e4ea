// Random forest and nearest neighbours, by OpenCV.
#include <algorithm>
#include <limits>

#include <opencv2/ml.hpp>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

cv::Mat matrix_of(const Rows& x) {
  return cv::Mat(static_cast<int>(x.count), static_cast<int>(x.columns), CV_32F,
                 const_cast<float*>(x.values));
}
cv::Mat labels_of(Labels labels) {
  cv::Mat out(static_cast<int>(labels.size()), 1, CV_32S);
  for (std::size_t i = 0; i < labels.size(); ++i) out.at<int>(static_cast<int>(i)) = labels[i];
  return out;
}

class Forest : public Learner {
 public:
  Forest(cv::Ptr<cv::ml::RTrees> trees, int classes) : trees_(std::move(trees)), classes_(classes) {}

  std::vector<std::vector<float>> scores(const Rows& x) const override {
    cv::Mat votes;  // a row of class numbers, then a row of votes a sample
    trees_->getVotes(matrix_of(x), votes, 0);
    std::vector<std::vector<float>> out;
    for (int r = 1; r < votes.rows; ++r) {
      std::vector<float>& row = out.emplace_back(static_cast<std::size_t>(classes_), 0.0f);
      float sum = 0;
      for (int c = 0; c < votes.cols; ++c) sum += static_cast<float>(votes.at<int>(r, c));
      for (int c = 0; c < votes.cols; ++c)
        row[static_cast<std::size_t>(votes.at<int>(0, c))] = static_cast<float>(votes.at<int>(r, c)) / sum;
    }
    return out;
  }

 private:
  cv::Ptr<cv::ml::RTrees> trees_;
  int classes_;
};

class Neighbours : public Learner {
 public:
  Neighbours(cv::Ptr<cv::ml::KNearest> samples, int classes, int count)
      : samples_(std::move(samples)), classes_(classes), count_(count) {}

  std::vector<std::vector<float>> scores(const Rows& x) const override {
    cv::Mat results, labels;
    samples_->findNearest(matrix_of(x), count_, results, labels);
    std::vector<std::vector<float>> out;
    for (int r = 0; r < labels.rows; ++r) {
      std::vector<float>& row = out.emplace_back(static_cast<std::size_t>(classes_), 0.0f);
      for (int n = 0; n < labels.cols; ++n)
        row[static_cast<std::size_t>(labels.at<float>(r, n))] += 1.0f / static_cast<float>(count_);
    }
    return out;
  }

 private:
  cv::Ptr<cv::ml::KNearest> samples_;
  int classes_;
  int count_;
};

}  // namespace

std::unique_ptr<Learner> fit_forest(const LearnerSettings& settings, const Rows& x, Labels labels,
                                    int classes, std::uint64_t seed) {
  cv::theRNG().state = 0x9E3779B97F4A7C15ull ^ (seed + 1);  // this thread's, which the trees draw from
  cv::Ptr<cv::ml::RTrees> trees = cv::ml::RTrees::create();
  trees->setMaxDepth(settings.depth > 0 ? static_cast<int>(settings.depth) : std::numeric_limits<int>::max());
  trees->setMinSampleCount(static_cast<int>(settings.leaf));
  trees->setTermCriteria({cv::TermCriteria::MAX_ITER, static_cast<int>(settings.trees), 0});
  trees->train(cv::ml::TrainData::create(matrix_of(x), cv::ml::ROW_SAMPLE, labels_of(labels)));
  return std::make_unique<Forest>(std::move(trees), classes);
}

std::unique_ptr<Learner> fit_neighbours(const LearnerSettings& settings, const Rows& x, Labels labels,
                                        int classes) {
  if (settings.neighbours > x.count) {
    throw ConfigError(cat("nearest_neighbours: ", settings.neighbours, " neighbours, but there are ", x.count,
                          " recordings to train on"));
  }
  cv::Ptr<cv::ml::KNearest> samples = cv::ml::KNearest::create();
  samples->setAlgorithmType(cv::ml::KNearest::BRUTE_FORCE);
  samples->setIsClassifier(true);
  samples->train(matrix_of(x), cv::ml::ROW_SAMPLE, labels_of(labels));
  return std::make_unique<Neighbours>(std::move(samples), classes, static_cast<int>(settings.neighbours));
}

}  // namespace serval::learners
