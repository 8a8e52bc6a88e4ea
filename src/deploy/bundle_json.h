// bundle.json from and to a Bundle; the weights' arrays are not part of it.
#pragma once

#include "serval/deploy/bundle.h"

namespace serval::deploy {

JsonValue bundle_json(const Bundle& bundle);
// Throws DataError naming the place.
Bundle bundle_of(const JsonValue& json);

}  // namespace serval::deploy
