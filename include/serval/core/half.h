// Half precision, as files of numbers hold it.
#pragma once

#include <cstdint>

namespace serval {

// IEEE 754 binary16, exactly.
float half_to_float(std::uint16_t half);
// The nearest half, of two as near the even one; beyond the largest, infinity.
std::uint16_t float_to_half(float value);

}  // namespace serval
