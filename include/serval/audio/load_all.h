// Many recordings on several threads.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "serval/audio/audio_settings.h"
#include "serval/audio/waveform.h"

namespace serval::audio {

struct BadRecording {
  std::size_t index = 0;  // in the list that was given
  std::string path;
  std::string reason;
};

// Loads every path and hands its waveform to `sink(index, waveform)`. Several threads call `sink` at the same
// time, each index once and in no fixed order; what it makes of index i must depend on nothing else. At most
// `threads` waveforms are in memory, apart from those that the sink keeps.
// With on_bad_recording = stop, throws the DataError of the first bad recording in the list's order, whatever
// the number of threads; with skip, returns all of them in that order.
// `what` names the progress bar; "" shows none. Throws InterruptedError between recordings.
using WaveformSink = std::function<void(std::size_t index, Waveform waveform)>;
std::vector<BadRecording> load_all(const std::vector<std::string>& paths, const AudioSettings& settings,
                                   int threads, const std::string& what, const WaveformSink& sink);

}  // namespace serval::audio
