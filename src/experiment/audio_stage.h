// From recordings to the store of their decoded audio.
#pragma once

#include "serval/corpus/manifest.h"
#include "serval/experiment/settings.h"
#include "serval/store/store.h"

namespace serval::experiment {

// The audio store of the manifest, in the manifest's order: opened, or made first where there is none, or
// continued. Recordings that cannot be used are not in it (audio.on_bad_recording says whether that is an
// error). Memory: see fill_store.h; a block is one recording, taken as eight bytes for each of its file's.
// Throws DataError, DiskError, InterruptedError.
store::Store audio_stage(const ExperimentSettings& settings, const corpus::Manifest& manifest, int threads);

}  // namespace serval::experiment
