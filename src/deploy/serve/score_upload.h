// A recording that was sent, scored.
#pragma once

#include <string>

#include "serval/deploy/predictor.h"

namespace serval::deploy {

struct UploadAnswer {
  int status = 200;
  std::string json;    // one line
  double seconds = 0;  // of sound
};

// Throws nothing: what is wrong is in the answer.
UploadAnswer score_upload(const Predictor& predictor, std::string content, double max_duration_s);

std::string error_json(const std::string& what);  // one line

}  // namespace serval::deploy
