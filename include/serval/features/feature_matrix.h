// The features of one recording.
#pragma once

#include <cstdint>
#include <vector>

namespace serval::features {

struct FeatureMatrix {
  std::int64_t frames = 0;
  std::int64_t dimension = 0;
  std::vector<float> values;  // [frame, dimension]
};

}  // namespace serval::features
