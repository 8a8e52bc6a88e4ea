#include "serval/learners/state.h"

#include "serval/core/error.h"

namespace serval::learners {

namespace {

template <class Arrays>
void move_in(Arrays& to, const std::string& prefix, Arrays& from) {
  for (auto& [name, array] : from) to[prefix + "/" + name] = std::move(array);
}
template <class Arrays>
void move_out(Arrays& from, const std::string& prefix, Arrays& to) {
  const std::string start = prefix + "/";
  auto at = from.lower_bound(start);
  while (at != from.end() && at->first.compare(0, start.size(), start) == 0) {
    to[at->first.substr(start.size())] = std::move(at->second);
    at = from.erase(at);
  }
}
template <class Arrays>
const typename Arrays::mapped_type& find(const Arrays& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) throw DataError(cat("the fitted model has no ", name));
  return found->second;
}

}  // namespace

void LearnerState::put(const std::string& prefix, LearnerState part) {
  move_in(floats, prefix, part.floats);
  move_in(doubles, prefix, part.doubles);
  move_in(integers, prefix, part.integers);
}

LearnerState LearnerState::take(const std::string& prefix) {
  LearnerState out;
  move_out(floats, prefix, out.floats);
  move_out(doubles, prefix, out.doubles);
  move_out(integers, prefix, out.integers);
  return out;
}

const StateArray<float>& LearnerState::get_floats(const std::string& name) const {
  return find(floats, name);
}
const StateArray<double>& LearnerState::get_doubles(const std::string& name) const {
  return find(doubles, name);
}
const StateArray<std::int64_t>& LearnerState::get_integers(const std::string& name) const {
  return find(integers, name);
}
std::int64_t LearnerState::get(const std::string& name) const {
  return of_shape(get_integers(name), {1}, name).front();
}

template <class T>
const std::vector<T>& of_shape(const StateArray<T>& array, const Shape& shape, const std::string& name) {
  if (!(array.shape == shape) || static_cast<std::int64_t>(array.values.size()) != shape.size()) {
    throw DataError(cat("the fitted model's ", name, " is ", to_string(array.shape), " and should be ",
                        to_string(shape)));
  }
  return array.values;
}
template const std::vector<float>& of_shape(const StateArray<float>&, const Shape&, const std::string&);
template const std::vector<double>& of_shape(const StateArray<double>&, const Shape&, const std::string&);
template const std::vector<std::int64_t>& of_shape(const StateArray<std::int64_t>&, const Shape&,
                                                   const std::string&);

}  // namespace serval::learners
