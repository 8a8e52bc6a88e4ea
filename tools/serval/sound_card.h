// Where sound comes from and goes to while a program runs.
#pragma once

#include <memory>
#include <vector>

#include "serval/audio/waveform.h"

namespace serval::cli {

class SoundSource {
 public:
  virtual ~SoundSource() = default;
  virtual int rate_hz() const = 0;
  // The next samples, mono, once they are there; fewer than were asked for: there are no more.
  virtual std::vector<float> read(std::size_t count) = 0;
};

// The default microphone, at this rate or, where it cannot, at its own. Throws UnsupportedError where there is no PortAudio or
// no microphone.
std::unique_ptr<SoundSource> open_microphone(int rate_hz);

// Through the default loudspeaker; returns when it has been heard. Throws UnsupportedError.
void play(const audio::Waveform& sound);

}  // namespace serval::cli
