#include "layer_reader.h"

#include <algorithm>

#include "serval/core/error.h"

namespace serval::deploy {

const nn::ValueType& LayerReader::type(std::size_t index) const {
  return network_.values[static_cast<std::size_t>(step_.inputs[index])].type;
}
const nn::ValueType& LayerReader::result() const {
  return network_.values[static_cast<std::size_t>(step_.output)].type;
}

const JsonValue& LayerReader::setting(const char* key) const {
  const JsonValue* found = step_.settings.find(key);
  SERVAL_CHECK(found != nullptr, "a layer ", step_.type, " has no setting ", key);
  return *found;
}
std::int64_t LayerReader::integer(const char* key) const { return setting(key).integer; }
double LayerReader::real(const char* key) const { return setting(key).real; }
bool LayerReader::flag(const char* key) const { return setting(key).boolean; }
std::string LayerReader::text(const char* key) const { return setting(key).text; }
std::vector<std::int64_t> LayerReader::integers(const char* key) const {
  const JsonValue& found = setting(key);
  if (found.kind == JsonValue::Kind::kInteger) return {found.integer};
  std::vector<std::int64_t> out;
  for (const JsonValue& item : found.items) out.push_back(item.integer);
  return out;
}

bool LayerReader::has(const std::string& what) const {
  return std::any_of(step_.blocks.begin(), step_.blocks.end(),
                     [&](const std::string& name) { return name.ends_with("." + what); });
}
// The blocks of a layer that shares weights have the other's name before them.
const NamedArray& LayerReader::array(const std::string& what) const {
  for (const std::string& name : step_.blocks) {
    if (name.ends_with("." + what)) return member_.array(name);
  }
  throw InternalError(cat("layer ", step_.name, " has no block ", what));
}

}  // namespace serval::deploy
