// Rows of a pool of images. Part of cpu_kernels.inc.h.

template <int... kLane>
inline Vec even_floats(Vec low, Vec high, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(low, high, (2 * kLane)...);
}
template <int... kLane>
inline VecInt lane_numbers(std::integer_sequence<int, kLane...>) {
  return VecInt{kLane...};
}
using Lanes = std::make_integer_sequence<int, kLanes>;

template <int kStride>
inline Vec load_apart(const float* from) {
  if constexpr (kStride == 1) {
    return load(from);
  } else {
    return even_floats(load(from), load(from + kLanes), Lanes());
  }
}

// As many results as there are floats to read for whole vectors. Lanes behind the last result hold numbers that mean nothing.
template <int kStride>
inline std::int64_t max_pool_vectors(const MaxPoolRow& row) {
  const VecInt apart = lane_numbers(Lanes()) * broadcast_int(kStride);
  const std::int64_t reach =
      (row.kernel_height - 1) * row.width + row.kernel_width - 1 + std::int64_t{kStride} * kLanes;
  std::int64_t j = 0;
  for (; j < row.count && j * kStride + reach <= row.readable; j += kLanes) {
    const float* from = row.x + j * kStride;
    const VecInt first = broadcast_int(row.place + static_cast<std::int32_t>(j * kStride)) + apart;
    Vec largest = load_apart<kStride>(from);
    VecInt place = first;
    for (std::int64_t y = 0; y < row.kernel_height; ++y) {
      for (std::int64_t x = y == 0 ? 1 : 0; x < row.kernel_width; ++x) {
        const std::int64_t further = y * row.width + x;
        const Vec value = load_apart<kStride>(from + further);
        const VecInt better = (value > largest) | (value != value);
        largest = better ? value : largest;
        place = better ? first + broadcast_int(static_cast<std::int32_t>(further)) : place;
      }
    }
    if (j + kLanes <= row.count) {
      store(row.y + j, largest);
      store_ints(row.places + j, place);
    } else {
      store_some(row.y + j, largest, row.count - j);
      for (std::int64_t k = j; k < row.count; ++k) row.places[k] = place[k - j];
    }
  }
  return smaller(j, row.count);
}

void max_pool_row(const MaxPoolRow& row) {
  std::int64_t j = 0;
  if (row.stride == 1) j = max_pool_vectors<1>(row);
  if (row.stride == 2) j = max_pool_vectors<2>(row);
  for (; j < row.count; ++j) {
    std::int64_t at = j * row.stride;
    float largest = row.x[at];
    for (std::int64_t y = 0; y < row.kernel_height; ++y) {
      for (std::int64_t x = y == 0 ? 1 : 0; x < row.kernel_width; ++x) {
        const std::int64_t here = j * row.stride + y * row.width + x;
        const float value = row.x[here];
        const bool better = value > largest || value != value;
        largest = better ? value : largest;
        at = better ? here : at;
      }
    }
    row.y[j] = largest;
    row.places[j] = row.place + static_cast<std::int32_t>(at);
  }
}
