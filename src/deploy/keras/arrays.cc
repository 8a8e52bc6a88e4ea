#include "arrays.h"

#include "serval/core/error.h"

namespace serval::deploy::keras {

std::vector<float> permuted(const std::vector<float>& values, const Sizes& sizes,
                            const std::vector<std::size_t>& order) {
  Sizes strides(sizes.size(), 1);
  for (std::size_t axis = sizes.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * sizes[axis];
  SERVAL_CHECK(!sizes.empty() && strides[0] * sizes[0] == static_cast<std::int64_t>(values.size()),
               values.size(), " values of another shape");
  std::vector<float> out;
  out.reserve(values.size());
  Sizes place(order.size(), 0);
  std::int64_t from = 0;
  while (out.size() < values.size()) {
    out.push_back(values[static_cast<std::size_t>(from)]);
    for (std::size_t axis = order.size(); axis-- > 0;) {
      const std::size_t source = order[axis];
      from += strides[source];
      if (++place[axis] < sizes[source]) break;
      from -= strides[source] * sizes[source];
      place[axis] = 0;
    }
  }
  return out;
}

}  // namespace serval::deploy::keras
