// Which recordings sound nearly the same, for the audit.
#pragma once

#include <string>
#include <vector>

#include "serval/audit/near_duplicates.h"
#include "serval/store/store.h"

namespace serval::experiment {

// Compares all recordings of an audio store once and keeps what it found beside the store, as alike-<hash>.json: pairs are
// read from there the next time. A file that cannot be read is made again.
std::vector<audit::NearDuplicate> sound_stage(const store::Store& audio, const std::string& folder,
                                              int threads);

}  // namespace serval::experiment
