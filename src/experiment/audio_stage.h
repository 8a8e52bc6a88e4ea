// From recordings to the store of their decoded audio.
#pragma once

#include <string>
#include <vector>

#include "serval/corpus/manifest.h"
#include "serval/experiment/settings.h"
#include "serval/store/store.h"

namespace serval::experiment {

// The audio store of the manifest, in the manifest's order: opened, or made first where there is none.
// Recordings that cannot be used are not in it (audio.on_bad_recording says whether that is an error).
// Throws DataError, DiskError, InterruptedError.
store::Store audio_stage(const ExperimentSettings& settings, const corpus::Manifest& manifest, int threads);

// [recording] a hash of the samples of each.
std::vector<std::string> hash_waveforms(const store::Store& audio);

}  // namespace serval::experiment
