// Recordings that sound nearly the same: a copy that was resampled, made louder or softer, coded and decoded again,
// had noise added or its ends cut off.
//
// Each recording is compared in full with the few that its sound print (audio/sound_print.h) is most like: two are nearly
// the same where their waveforms correlate with 0.75 at some shift, or, where their phases were drawn anew, their spectra
// with 0.955. What is not found is a copy at another speed or pitch.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/audio/sound_print.h"

namespace serval::audit {

struct NearDuplicate {
  std::int64_t first = 0, second = 0;  // recording numbers, first < second
  double correlation = 0;              // of waveforms, or of spectra, at the best shift
};

inline constexpr int kNeighbours = 4;  // that a recording is compared with

// Every pair once, by first and second. `prints` in manifest order. The threads' number changes nothing.
std::vector<NearDuplicate> find_near_duplicates(const std::vector<audio::SoundPrint>& prints, int threads);

}  // namespace serval::audit
