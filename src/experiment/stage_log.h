// How the stages of a dataset speak of themselves in the log.
#pragma once

#include <cstdio>
#include <string>

#include "serval/core/log.h"

namespace serval::experiment {

// "<text> (1.23 s)", counted from `started_s` of monotonic_s().
inline std::string with_seconds(const std::string& text, double started_s) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, " (%.2f s)", monotonic_s() - started_s);
  return text + seconds;
}

}  // namespace serval::experiment
