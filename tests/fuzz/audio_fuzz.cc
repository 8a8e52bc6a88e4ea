// A file that says it is a recording.
#include <cmath>

#include "serval/audio/prepare.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serval;
  const std::string path = fuzz::file_of("recording", fuzz::text_of(data, size));
  audio::AudioSettings settings;
  settings.trim_db = 40;
  fuzz::survives([&] {
    const audio::Waveform waveform = audio::load(path, settings);
    fuzz::need(waveform.sample_rate_hz == settings.sample_rate_hz, "the rate is the one asked for");
    for (const float sample : waveform.samples) fuzz::need(std::isfinite(sample), "samples are numbers");
  });
  return 0;
}
