#include "serval/train/initial_weights.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <variant>

#include "serval/core/error.h"
#include "serval/core/safetensors.h"
#include "serval/core/text.h"
#include "serval/store/seal.h"

namespace serval::train {

namespace {

constexpr std::size_t kMostProblems = 30;  // that a message names

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

using WeightsFile = std::variant<SafetensorsFile, store::Hdf5File>;
WeightsFile open_weights(const std::string& path) {
  if (ends_with(path, ".safetensors")) return SafetensorsFile(path);
  return store::open_verified(path);
}

// What `pattern` with a "*" has of the name in its place.
std::optional<std::string> match(const std::string& pattern, const std::string& name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string::npos) return {};
  const std::string before = pattern.substr(0, star), after = pattern.substr(star + 1);
  if (name.size() < before.size() + after.size() || name.compare(0, before.size(), before) != 0 ||
      !ends_with(name, after))
    return {};
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

// The array that a block takes; none: it keeps what it has.
std::optional<std::string> array_of(const NamedList<std::string>& map, const std::string& block) {
  if (map.empty()) return block;
  for (const auto& [name, array] : map) {
    if (name == block) return array;
  }
  for (const auto& [pattern, array] : map) {
    const std::optional<std::string> part = match(pattern, block);
    if (!part) continue;
    const std::size_t star = array.find('*');
    return array.substr(0, star) + *part + array.substr(star + 1);
  }
  return {};
}

// Without axes of 1.
std::vector<std::int64_t> long_axes(const Shape& shape) {
  std::vector<std::int64_t> out;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) out.push_back(shape[axis]);
  }
  return out;
}

}  // namespace

std::string InitialWeightsSettings::path(int fold, std::uint64_t seed) const {
  std::string out = file;
  char two_digits[16];
  std::snprintf(two_digits, sizeof two_digits, "%02d", fold + 1);
  for (const auto& [mark, value] :
       {std::pair<std::string, std::string>{"{fold}", two_digits}, {"{seed}", cat(seed)}}) {
    for (std::size_t at = out.find(mark); at != std::string::npos; at = out.find(mark, at + value.size()))
      out.replace(at, mark.size(), value);
  }
  return out;
}

void describe(SettingsVisitor& v, InitialWeightsSettings& s) {
  v.path("file", s.file, {"safetensors or HDF5; {fold} and {seed} in it are those of the model"});
  v.text("model", s.model,
         {"a network before this one, whose selected weights of the same fold and seed are meant"});
  v.check(s.file.empty() != s.model.empty(), "", "needs a file or a model, and not both");
  v.text_map("map", s.map, {"which array of the file each block takes; its own name when left out"});
  for (const auto& [name, array] : s.map) {
    v.check(std::count(name.begin(), name.end(), '*') <= 1 &&
                std::count(name.begin(), name.end(), '*') == std::count(array.begin(), array.end(), '*'),
            "map", cat("\"", name, "\": \"", array, "\": both need the same number of *, at most one"));
  }
  const bool known = s.file.empty() || ends_with(s.file, ".safetensors") || ends_with(s.file, ".h5") ||
                     ends_with(s.file, ".hdf5");
  v.check(known, "file", "must end with .safetensors, .h5 or .hdf5");
}

void load_initial_weights(const std::string& path, const NamedList<std::string>& map,
                          const std::vector<nn::ParameterBlock>& blocks, std::vector<float>& parameters) {
  const WeightsFile file = open_weights(path);
  std::vector<std::string> problems;
  for (const auto& [name, array] : map) {
    if (name.find('*') != std::string::npos) continue;
    const bool known = std::any_of(blocks.begin(), blocks.end(),
                                   [&](const nn::ParameterBlock& block) { return block.name == name; });
    if (!known) problems.push_back(cat("the network has no block ", name));
  }
  bool any = false;
  for (const nn::ParameterBlock& block : blocks) {
    const std::optional<std::string> array = array_of(map, block.name);
    if (!array) continue;
    any = true;
    std::visit(
        [&](const auto& from) {
          if (!from.has(*array)) {
            problems.push_back(cat(block.name, ": the file has no \"", *array, "\""));
            return;
          }
          const Shape shape = from.shape(*array);
          if (long_axes(shape) != long_axes(block.shape)) {
            problems.push_back(cat(block.name, " is ", to_string(block.shape), ", but \"", *array, "\" is ",
                                   to_string(shape)));
            return;
          }
          const std::vector<float> values = from.read_floats(*array);
          std::copy(values.begin(), values.end(), parameters.begin() + block.offset);
        },
        file);
  }
  if (!any) problems.emplace_back("the map fits no block of the network");
  if (problems.empty()) return;
  const std::size_t all = problems.size();
  if (all > kMostProblems) {
    problems.resize(kMostProblems);
    problems.push_back(cat("and ", all - kMostProblems, " more"));
  }
  throw ConfigError(cat("initial weights from ", path, ": ", join(problems, "; ")));
}

}  // namespace serval::train
