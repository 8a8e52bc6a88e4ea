// Published test groups, as actor numbers.
#pragma once

#include <string>
#include <vector>

#include "serval/corpus/manifest.h"

namespace serval::folds {

// The preset's test groups with the manifest's own actor names. Throws ConfigError when the actors differ.
std::vector<std::vector<std::string>> preset_groups(const std::string& preset,
                                                    const corpus::Manifest& manifest);

}  // namespace serval::folds
