// Rows of numbers, one a recording; does not own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace serval::learners {

struct Rows {
  const float* values = nullptr;
  std::int64_t count = 0;
  std::int64_t columns = 0;

  std::span<const float> row(std::int64_t r) const {
    return {values + r * columns, static_cast<std::size_t>(columns)};
  }
};

// [count, columns], (x - mean) * scale by column, as training vectors were normalised.
std::vector<float> normalised(const Rows& x, std::span<const float> mean, std::span<const float> scale);

}  // namespace serval::learners
