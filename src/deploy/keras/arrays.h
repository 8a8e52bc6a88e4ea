// Arrays with their axes in another order.
#pragma once

#include <cstdint>
#include <vector>

namespace serval::deploy::keras {

using Sizes = std::vector<std::int64_t>;

// Axis i of the result is axis `order[i]` of `values`, which have the shape `sizes`.
std::vector<float> permuted(const std::vector<float>& values, const Sizes& sizes,
                            const std::vector<std::size_t>& order);

}  // namespace serval::deploy::keras
