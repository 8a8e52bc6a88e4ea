// Rows as OpenCV sees them, where they lie.
#pragma once

#include <opencv2/core.hpp>

#include "serval/learners/learner.h"

namespace serval::learners {

inline cv::Mat matrix_of(const Rows& x) {
  return cv::Mat(static_cast<int>(x.count), static_cast<int>(x.columns), CV_32F,
                 const_cast<float*>(x.values));
}

}  // namespace serval::learners
