// Classical models: what a file says of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "serval/core/settings.h"

namespace serval::learners {

enum class LearnerType { kLinearSvm, kRbfSvm, kLogistic, kRandomForest, kNearestNeighbours };
enum class StepType { kPca, kKMeans };
// What k-means makes of a vector: its distance from each centre, or 1 for the nearest centre and 0 for the others.
enum class ClusterValue { kDistances, kNearest };

// Before the classifier, fitted on the training side alone, in the order of the file.
struct StepSettings {
  StepType type = StepType::kPca;
  std::int64_t components = 0;  // pca; 0: as many as `variance` asks for
  double variance = 0.95;       // pca: share of the variance that they keep
  bool whiten = false;          // pca
  std::int64_t clusters = 16;   // k_means
  ClusterValue values = ClusterValue::kDistances;
};
void describe(SettingsVisitor& v, StepSettings& settings);

inline constexpr int kDeepestTree = 25;  // OpenCV grows no deeper ones, whatever it is told

struct LearnerSettings {
  LearnerType type = LearnerType::kLinearSvm;
  double c = 1;  // linear_svm, rbf_svm, logistic: price of a mistake
  std::optional<double>
      gamma;              // rbf_svm; none: 1 / (columns * variance of all values), as scikit-learn's "scale"
  bool balanced = false;  // classes weigh as much as they are rare
  std::int64_t trees = 300;     // random_forest
  std::int64_t depth = 0;       // random_forest; 0: kDeepestTree
  std::int64_t leaf = 1;        // random_forest: samples of the smallest leaf
  std::int64_t neighbours = 5;  // nearest_neighbours
  std::vector<StepSettings> steps;
};
void describe(SettingsVisitor& v, LearnerSettings& settings);
// The regression over scores of several models: logistic, C = 1.
LearnerSettings stacking_settings();

}  // namespace serval::learners
