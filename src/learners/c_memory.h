// Memory that C libraries free: made with calloc.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "serval/core/error.h"

namespace serval::learners {

template <class T>
T* c_array(std::size_t count) {
  T* const out = static_cast<T*>(std::calloc(count, sizeof(T)));
  SERVAL_CHECK(out != nullptr, "no memory for ", count, " values");
  return out;
}
template <class T, class From>
T* c_copy(From first, From last) {
  T* const out = c_array<T>(static_cast<std::size_t>(last - first));
  std::transform(first, last, out, [](const auto& value) { return static_cast<T>(value); });
  return out;
}

}  // namespace serval::learners
