// Rows as OpenCV sees them, where they lie.
#pragma once

#include <opencv2/core.hpp>

#include "serval/learners/rows.h"

namespace serval::fitting {

inline cv::Mat matrix_of(const learners::Rows& x) {
  return cv::Mat(static_cast<int>(x.count), static_cast<int>(x.columns), CV_32F,
                 const_cast<float*>(x.values));
}

}  // namespace serval::fitting
