// What a fitted model knows, as named arrays: enough to make it again, bit for bit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "serval/core/tensor.h"

namespace serval::learners {

template <class T>
struct StateArray {
  Shape shape;
  std::vector<T> values;
};

struct LearnerState {
  std::map<std::string, StateArray<float>> floats;
  std::map<std::string, StateArray<double>> doubles;
  std::map<std::string, StateArray<std::int64_t>> integers;

  // Moves `part` in, its names behind "<prefix>/"; and out again.
  void put(const std::string& prefix, LearnerState part);
  LearnerState take(const std::string& prefix);

  void set(const std::string& name, std::int64_t value) { integers[name] = {{1}, {value}}; }
  // Throw DataError where there is none of that name.
  std::int64_t get(const std::string& name) const;
  const StateArray<float>& get_floats(const std::string& name) const;
  const StateArray<double>& get_doubles(const std::string& name) const;
  const StateArray<std::int64_t>& get_integers(const std::string& name) const;
};

// Throws DataError unless the array has that shape.
template <class T>
const std::vector<T>& of_shape(const StateArray<T>& array, const Shape& shape, const std::string& name);

}  // namespace serval::learners
