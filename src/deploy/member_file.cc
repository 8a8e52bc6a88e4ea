#include "member_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "serval/core/error.h"
#include "serval/core/safetensors.h"

namespace serval::deploy {

namespace {

constexpr const char* kState = "state/";
constexpr const char* kScale = ":scale";
constexpr float kLargestInt8 = 127;

bool starts_with(const std::string& text, const char* start) {
  return text.compare(0, std::strlen(start), start) == 0;
}
bool ends_with(const std::string& text, const char* end) {
  const std::size_t length = std::strlen(end);
  return text.size() >= length && text.compare(text.size() - length, length, end) == 0;
}

void add_int8(SafetensorsWriter& out, const NamedArray& array) {
  const auto rows = static_cast<std::size_t>(array.shape[0]);
  const std::size_t columns = array.values.size() / std::max<std::size_t>(rows, 1);
  std::vector<std::int8_t> quantised;
  std::vector<float> scales;
  for (std::size_t r = 0; r < rows; ++r) {
    const float* const row = array.values.data() + r * columns;
    float largest = 0;
    for (std::size_t c = 0; c < columns; ++c) largest = std::max(largest, std::abs(row[c]));
    scales.push_back(largest / kLargestInt8);
    for (std::size_t c = 0; c < columns; ++c)
      quantised.push_back(largest > 0 ? static_cast<std::int8_t>(std::nearbyint(row[c] / scales.back()))
                                      : std::int8_t{0});
  }
  out.add(array.name, array.shape, quantised);
  out.add(array.name + kScale, {array.shape[0]}, scales);
}

NamedArray read_int8(const SafetensorsFile& file, const std::string& name) {
  NamedArray out{name, file.shape(name), {}};
  const std::vector<std::int8_t> quantised = file.read_int8s(name);
  const std::vector<float> scales = file.read_floats(name + kScale);
  if (out.shape.rank() < 1 || static_cast<std::int64_t>(scales.size()) != out.shape[0])
    throw DataError(cat("\"", name, "\" is ", to_string(out.shape), " with ", scales.size(), " scales"));
  for (std::size_t i = 0; i < quantised.size(); ++i)
    out.values.push_back(static_cast<float>(quantised[i]) * scales[i / (quantised.size() / scales.size())]);
  return out;
}

}  // namespace

std::string member_bytes(const BundleMember& member, WeightForm form) {
  SafetensorsWriter out;
  for (const NamedArray& array : member.arrays) {
    if (form == WeightForm::kFloat32 || array.shape.rank() < 2) {
      out.add(array.name, array.shape, array.values);
    } else if (form == WeightForm::kFloat16) {
      out.add_half(array.name, array.shape, array.values);
    } else {
      add_int8(out, array);
    }
  }
  const auto add = [&out](const auto& arrays) {
    for (const auto& [name, array] : arrays) out.add(kState + name, array.shape, array.values);
  };
  add(member.state.floats);
  add(member.state.doubles);
  add(member.state.integers);
  std::vector<std::pair<std::string, std::string>> notes = {
      {"model", member.model}, {"fold", cat(member.fold + 1)}, {"seed", cat(member.seed)}};
  if (member.trained_on) notes.emplace_back(kTrainedOnActors, write_json(JsonValue::of(*member.trained_on)));
  if (member.chosen_by) notes.emplace_back(kChosenByActors, write_json(JsonValue::of(*member.chosen_by)));
  return out.bytes(notes);
}

void read_member_file(const SafetensorsFile& file, BundleMember& member) {
  member.trained_on = file.text_list(kTrainedOnActors);
  member.chosen_by = file.text_list(kChosenByActors);
  for (const std::string& name : file.names()) {
    const Shape shape = file.shape(name);
    if (!starts_with(name, kState)) {
      if (file.type(name) == "I8") {
        member.arrays.push_back(read_int8(file, name));
      } else if (!ends_with(name, kScale)) {
        member.arrays.push_back({name, shape, file.read_floats(name)});
      }
      continue;
    }
    const std::string own = name.substr(std::strlen(kState));
    if (file.type(name) == "F64") {
      member.state.doubles[own] = {shape, file.read_doubles(name)};
    } else if (file.type(name) == "I64") {
      member.state.integers[own] = {shape, file.read_integers(name)};
    } else {
      member.state.floats[own] = {shape, file.read_floats(name)};
    }
  }
}

}  // namespace serval::deploy
