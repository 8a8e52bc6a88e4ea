#include <algorithm>
#include <charconv>

#include "serval/core/error.h"
#include "serval/experiment/resolve.h"

namespace serval::experiment {

namespace {

std::vector<std::int64_t> read_shape(const std::string& text, const std::string& option) {
  std::vector<std::int64_t> shape;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    std::int64_t dim = 0;
    const auto [stop, error] = std::from_chars(at, end, dim);
    if (error != std::errc{} || dim < 1 || dim > 1 << 20 || (stop != end && *stop != ',')) {
      throw ConfigError(cat("--input ", option, ": \"", text,
                            "\" is no shape; one is like 39 or 1,128,230, each number at least 1"));
    }
    shape.push_back(dim);
    if (stop == end) return shape;
    at = stop + 1;
  }
}

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> parts;
  for (const std::int64_t dim : shape) parts.push_back(cat(dim));
  return "[" + join(parts, ", ") + "]";
}

}  // namespace

nn::NetworkSizes summary_sizes(const nn::NetworkSettings& settings, const std::vector<std::string>& inputs,
                               std::int64_t classes) {
  NamedList<nn::InputSettings> known = settings.inputs;
  if (known.empty()) known.emplace_back("input", nn::InputSettings{});
  std::vector<std::string> names;
  for (const auto& [name, input] : known) names.push_back(name);
  for (const std::string& option : inputs) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos && known.size() > 1) {
      throw ConfigError(cat("--input ", option, ": which of {", join(names, ", "), "}? Write NAME=SHAPE"));
    }
    const std::string name = equals == std::string::npos ? names.front() : option.substr(0, equals);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      throw ConfigError(cat("--input ", option, ": the network has no input \"", name, "\"; it has {",
                            join(names, ", "), "}"));
    }
    nn::InputSettings& input = known[static_cast<std::size_t>(found - names.begin())].second;
    const std::vector<std::int64_t> shape =
        read_shape(equals == std::string::npos ? option : option.substr(equals + 1), option);
    if (!input.shape.empty() && input.shape != shape) {
      throw ConfigError(cat("--input ", option, ": the file declares ", text_of(input.shape), " for it"));
    }
    input.shape = shape;
  }
  nn::NetworkSizes sizes;
  if (classes > 0 && settings.classes > 0 && classes != settings.classes) {
    throw ConfigError(cat("--classes ", classes, ": the file says ", settings.classes));
  }
  sizes.classes = classes > 0 ? classes : settings.classes > 0 ? settings.classes : 8;
  for (const auto& [name, input] : known) {
    if (input.shape.empty() && input.kind == nn::InputKind::kImage) {
      throw ConfigError(cat("inputs.", name,
                            " is an image whose shape the file leaves to the data; give --input ", name,
                            "=CHANNELS,HEIGHT,WIDTH"));
    }
    nn::InputSizes size;
    size.max_time = 1 << 16;
    for (const std::int64_t dim : input.shape) size.item.append(dim);
    if (input.shape.empty()) size.item.append(64);
    sizes.inputs.push_back(size);
  }
  return sizes;
}

}  // namespace serval::experiment
