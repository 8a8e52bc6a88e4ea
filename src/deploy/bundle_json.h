// bundle.json from and to a Bundle; the weights' arrays are not part of it.
#pragma once

#include "serval/deploy/bundle.h"

namespace serval::deploy {

JsonValue bundle_json(const Bundle& bundle);
// The same key by key, texts as they are and the rest as JSON, for files of other forms that keep what the bundle knows.
std::vector<std::pair<std::string, std::string>> bundle_properties(const Bundle& bundle);
// Throws DataError naming the place.
Bundle bundle_of(const JsonValue& json);

}  // namespace serval::deploy
