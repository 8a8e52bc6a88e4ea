// PortAudio, whose library is loaded when it is asked for: the program runs where there is none.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <dlfcn.h>
#include <portaudio.h>

#include "serval/core/error.h"
#include "serval/core/log.h"

#include "sound_card.h"

namespace serval::cli {

namespace {

constexpr const char* kLibrary = "libportaudio.so.2";
constexpr unsigned long kBlock = 512;  // frames

// The library with the functions that are used, from Pa_Initialize() to Pa_Terminate().
class PortAudio {
 public:
  PortAudio() {
    handle_ = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr)
      throw UnsupportedError(cat("there is no PortAudio (package libportaudio2): ", ::dlerror()));
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle_, name));
      if (function == nullptr) throw UnsupportedError(cat(kLibrary, " has no ", name));
    };
    find(initialize_, "Pa_Initialize");
    find(terminate_, "Pa_Terminate");
    find(text, "Pa_GetErrorText");
    find(default_input, "Pa_GetDefaultInputDevice");
    find(default_output, "Pa_GetDefaultOutputDevice");
    find(device, "Pa_GetDeviceInfo");
    find(supported, "Pa_IsFormatSupported");
    find(open, "Pa_OpenStream");
    find(close, "Pa_CloseStream");
    find(start, "Pa_StartStream");
    find(stop, "Pa_StopStream");
    find(read, "Pa_ReadStream");
    find(write, "Pa_WriteStream");
    need(initialize_(), "PortAudio");
  }
  // The library stays loaded: what it loads itself may have threads.
  ~PortAudio() { terminate_(); }
  PortAudio(const PortAudio&) = delete;
  PortAudio& operator=(const PortAudio&) = delete;

  void need(PaError error, const char* what) const {
    if (error != paNoError) throw UnsupportedError(cat(what, ": ", text(error)));
  }

 private:
  void* handle_ = nullptr;
  decltype(&Pa_Initialize) initialize_ = nullptr;
  decltype(&Pa_Terminate) terminate_ = nullptr;

 public:
  decltype(&Pa_GetErrorText) text = nullptr;
  decltype(&Pa_GetDefaultInputDevice) default_input = nullptr;
  decltype(&Pa_GetDefaultOutputDevice) default_output = nullptr;
  decltype(&Pa_GetDeviceInfo) device = nullptr;
  decltype(&Pa_IsFormatSupported) supported = nullptr;
  decltype(&Pa_OpenStream) open = nullptr;
  decltype(&Pa_CloseStream) close = nullptr;
  decltype(&Pa_StartStream) start = nullptr;
  decltype(&Pa_StopStream) stop = nullptr;
  decltype(&Pa_ReadStream) read = nullptr;
  decltype(&Pa_WriteStream) write = nullptr;
};

class Microphone : public SoundSource {
 public:
  explicit Microphone(int rate_hz) : rate_hz_(rate_hz) {
    const PaDeviceIndex index = port_.default_input();
    if (index == paNoDevice) throw UnsupportedError("PortAudio finds no microphone on this machine");
    const PaDeviceInfo& device = *port_.device(index);
    const PaStreamParameters input{index, 1, paInt16, device.defaultHighInputLatency, nullptr};
    if (port_.supported(&input, nullptr, rate_hz_) != paNoError)
      rate_hz_ = static_cast<int>(std::lround(device.defaultSampleRate));
    port_.need(port_.open(&stream_, &input, nullptr, rate_hz_, kBlock, paNoFlag, nullptr, nullptr),
               "the microphone");
    port_.need(port_.start(stream_), "the microphone");
    log_info(cat("hearing ", device.name, " at ", rate_hz_, " Hz"));
  }
  ~Microphone() override { port_.close(stream_); }

  int rate_hz() const override { return rate_hz_; }
  std::vector<float> read(std::size_t count) override {
    std::vector<std::int16_t> block(count);
    const PaError error = port_.read(stream_, block.data(), count);
    if (error == paInputOverflowed)
      log_warning("some of the microphone's samples were lost, since they were not taken in time");
    else
      port_.need(error, "the microphone");
    std::vector<float> out;
    for (const std::int16_t sample : block) out.push_back(static_cast<float>(sample) / 32768);
    return out;
  }

 private:
  PortAudio port_;
  PaStream* stream_ = nullptr;
  int rate_hz_;
};

}  // namespace

std::unique_ptr<SoundSource> open_microphone(int rate_hz) { return std::make_unique<Microphone>(rate_hz); }

void play(const audio::Waveform& sound) {
  const PortAudio port;
  const PaDeviceIndex index = port.default_output();
  if (index == paNoDevice) throw UnsupportedError("PortAudio finds no loudspeaker on this machine");
  const PaStreamParameters output{index, 1, paFloat32, port.device(index)->defaultHighOutputLatency, nullptr};
  PaStream* stream = nullptr;
  port.need(port.open(&stream, nullptr, &output, sound.sample_rate_hz, kBlock, paNoFlag, nullptr, nullptr),
            "the loudspeaker");
  PaError error = port.start(stream);
  for (std::size_t at = 0; at < sound.samples.size() && (error == paNoError || error == paOutputUnderflowed);
       at += kBlock)
    error = port.write(stream, sound.samples.data() + at,
                       std::min<std::size_t>(kBlock, sound.samples.size() - at));
  port.stop(stream);
  port.close(stream);
  if (error != paOutputUnderflowed) port.need(error, "the loudspeaker");
}

}  // namespace serval::cli
