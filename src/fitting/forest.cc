// Random forest, grown by OpenCV.
#include <opencv2/ml.hpp>

#include "fitters.h"
#include "opencv_rows.h"

namespace serval::fitting {

namespace {

cv::Mat labels_of(Labels labels) {
  cv::Mat out(static_cast<int>(labels.size()), 1, CV_32S);
  for (std::size_t i = 0; i < labels.size(); ++i) out.at<int>(static_cast<int>(i)) = labels[i];
  return out;
}

}  // namespace

LearnerState fit_forest(const LearnerSettings& settings, const Rows& x, Labels labels, int classes,
                        std::uint64_t seed) {
  cv::theRNG().state = 0x9E3779B97F4A7C15ull ^ (seed + 1);  // this thread's, which the trees draw from
  cv::Ptr<cv::ml::RTrees> trees = cv::ml::RTrees::create();
  trees->setMaxDepth(settings.depth > 0 ? static_cast<int>(settings.depth) : learners::kDeepestTree);
  trees->setMinSampleCount(static_cast<int>(settings.leaf));
  trees->setTermCriteria({cv::TermCriteria::MAX_ITER, static_cast<int>(settings.trees), 0});
  trees->train(cv::ml::TrainData::create(matrix_of(x), cv::ml::ROW_SAMPLE, labels_of(labels)));
  std::vector<float> thresholds;
  std::vector<std::int64_t> columns, left, right, votes;
  for (const cv::ml::DTrees::Node& node : trees->getNodes()) {
    const cv::ml::DTrees::Split* const split =
        node.split < 0 ? nullptr : &trees->getSplits()[static_cast<std::size_t>(node.split)];
    columns.push_back(split ? split->varIdx : -1);
    thresholds.push_back(split ? split->c : 0.0f);
    left.push_back(split ? node.left : -1);
    right.push_back(split ? node.right : -1);
    votes.push_back(static_cast<std::int64_t>(node.value));
  }
  const auto count = static_cast<std::int64_t>(columns.size());
  const std::vector<int>& roots = trees->getRoots();
  LearnerState out;
  out.integers["roots"] = {{static_cast<std::int64_t>(roots.size())}, {roots.begin(), roots.end()}};
  out.integers["node_columns"] = {{count}, std::move(columns)};
  out.floats["thresholds"] = {{count}, std::move(thresholds)};
  out.integers["left"] = {{count}, std::move(left)};
  out.integers["right"] = {{count}, std::move(right)};
  out.integers["labels"] = {{count}, std::move(votes)};
  out.set("columns", x.columns);
  out.set("classes", classes);
  return out;
}

}  // namespace serval::fitting
