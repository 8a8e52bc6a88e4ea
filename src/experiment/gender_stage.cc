#include "gender_stage.h"

#include <vector>

#include "serval/core/error.h"
#include "serval/core/hash.h"

#include "stage_log.h"

namespace serval::experiment {

float gender_number(corpus::Gender gender, const std::string& recording) {
  if (gender == corpus::Gender::kUnknown)
    throw DataError(cat(recording, ": the speaker's gender is not known"));
  return gender == corpus::Gender::kMale ? 1.0f : 0.0f;
}

FeatureSet gender_stage(const std::string& name, const corpus::Manifest& manifest) {
  FeatureSet set;
  set.name = name;
  set.stored = false;
  set.dimension = 1;
  set.offsets = {0};
  std::vector<std::string> unknown;
  Hasher hasher;
  hasher.text("gender");
  for (const corpus::Recording& recording : manifest.recordings) {
    set.offsets.push_back(set.offsets.back() + 1);
    if (recording.gender == corpus::Gender::kUnknown) {
      unknown.push_back(recording.id);
      continue;
    }
    set.values.push_back(gender_number(recording.gender, recording.id));
    hasher.text(recording.id).integer(static_cast<std::int64_t>(set.values.back()));
  }
  if (!unknown.empty()) {
    throw DataError(cat("features.", name, ": the speaker's gender is not known of ", unknown.size(),
                        " recordings: ", first_few(unknown)));
  }
  set.key = hasher.hex();
  return set;
}

}  // namespace serval::experiment
