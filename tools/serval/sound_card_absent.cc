// Built without PortAudio's header.
#include "serval/core/error.h"

#include "sound_card.h"

namespace serval::cli {

namespace {

[[noreturn]] void absent() {
  throw UnsupportedError(
      "this program was built without PortAudio (portaudio19-dev), so it has no microphone; `arecord -t raw` "
      "and --stream, or `serval serve` and a browser, do without");
}

}  // namespace

std::unique_ptr<SoundSource> open_microphone(int) { absent(); }
void play(const audio::Waveform&) { absent(); }

}  // namespace serval::cli
