#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <thread>

#include "serval/audio/decode.h"
#include "serval/audio/encode.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json_line.h"
#include "serval/core/log.h"

#include "commands.h"
#include "sound_card.h"

namespace serval::cli {

namespace {

using Clock = std::chrono::system_clock;

// A recording, heard at its own speed.
class HeardFile : public SoundSource {
 public:
  explicit HeardFile(const std::string& path)
      : sound_(audio::decode(path)), began_(std::chrono::steady_clock::now()) {}

  int rate_hz() const override { return sound_.sample_rate_hz; }
  std::vector<float> read(std::size_t count) override {
    const std::size_t end = std::min(sound_.samples.size(), at_ + count);
    std::vector<float> out(sound_.samples.begin() + static_cast<std::ptrdiff_t>(at_),
                           sound_.samples.begin() + static_cast<std::ptrdiff_t>(end));
    at_ = end;
    const std::chrono::duration<double> heard(static_cast<double>(at_) / sound_.sample_rate_hz);
    std::this_thread::sleep_until(began_ +
                                  std::chrono::duration_cast<std::chrono::steady_clock::duration>(heard));
    return out;
  }

 private:
  audio::Waveform sound_;
  std::size_t at_ = 0;
  std::chrono::steady_clock::time_point began_;
};

std::string time_text(Clock::time_point time, const char* format) {
  const std::time_t seconds = Clock::to_time_t(time);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

void predict_microphone(const Common& common, const PredictArguments& arguments) {
  threads_of(common);  // for --quiet
  const deploy::Predictor predictor(arguments.bundle, {.device = common.device, .batch = arguments.batch});
  for (const std::string& stamp : predictor.stamps()) log_warning(stamp);
  const std::unique_ptr<SoundSource> source = arguments.heard.empty()
                                                  ? open_microphone(predictor.sample_rate_hz())
                                                  : std::make_unique<HeardFile>(arguments.heard);
  audio::Waveform sound{{}, source->rate_hz()};
  deploy::Stream stream(predictor, {sound.sample_rate_hz, 1, deploy::PcmEncoding::kF32le},
                        arguments.streaming);
  const Clock::time_point began = Clock::now();
  const auto print = [&](const deploy::StreamResult& result) {
    const auto heard =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(result.end_s));
    JsonValue out = JsonValue::object();
    out.set("time", JsonValue::of(time_text(began + heard, "%Y-%m-%dT%H:%M:%S%z")));
    const JsonValue said =
        deploy::to_json(result, predictor.classes(), arguments.streaming, arguments.min_confidence);
    for (const auto& [name, value] : said.members) out.set(name, value);
    std::cout << write_json_line(out) << std::flush;
  };
  const auto wanted =
      static_cast<std::size_t>(deploy::samples_of(arguments.microphone_s, sound.sample_rate_hz));
  const auto piece = static_cast<std::size_t>(std::max(1, sound.sample_rate_hz / 20));
  while (sound.samples.size() < wanted && !interrupted()) {
    const std::size_t count = std::min(piece, wanted - sound.samples.size());
    const std::vector<float> heard = source->read(count);
    sound.samples.insert(sound.samples.end(), heard.begin(), heard.end());
    stream.push({reinterpret_cast<const char*>(heard.data()), heard.size() * sizeof(float)}, print);
    if (heard.size() < count) break;
  }
  stream.finish(print);
  const std::string path =
      arguments.save.empty() ? time_text(began, "microphone-%Y%m%d-%H%M%S.wav") : arguments.save;
  write_atomically(path, audio::encode_wav(sound));
  log_info(cat(path, ": ", sound.seconds(), " s of sound"));
  if (arguments.play) play(sound);
}

}  // namespace serval::cli
