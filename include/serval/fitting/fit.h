// Fits classical models through well-kept libraries: LIBLINEAR (linear_svm, logistic), LIBSVM (rbf_svm), OpenCV
// (random_forest, PCA, k-means). What they find is a state, of which learners::restore() makes the model.
//
// Everything is deterministic in (settings, data, seed); only random_forest and k_means depend on the seed. Several may
// be fitted at once, each in a thread of its own.
#pragma once

#include <cstdint>
#include <span>

#include "serval/learners/rows.h"
#include "serval/learners/settings.h"
#include "serval/learners/state.h"

namespace serval::fitting {

// `labels` [x.count] are numbers of classes, each of `classes` with at least one row. Throws ConfigError when the
// settings ask for more than the data has: components, clusters or neighbours.
learners::LearnerState fit(const learners::LearnerSettings& settings, const learners::Rows& x,
                           std::span<const int> labels, int classes, std::uint64_t seed);

}  // namespace serval::fitting
