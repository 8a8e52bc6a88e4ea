#include "serval/audio/decode.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

namespace serval::audio {

namespace {

constexpr std::int64_t kBlockFrames = 16384;

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

// Opens by descriptor, so that libsndfile sees no name: it would otherwise take some endings (.vox, .gsm) at
// their word and play text as noise.
Sound open_sound(const std::string& path, const Container& container, SF_INFO& info) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw DataError(cat(path, ": cannot be opened: ", std::strerror(errno)));
  // libsndfile keeps the reason of a failed opening in one place for all threads.
  static std::mutex opening;
  const std::lock_guard<std::mutex> lock(opening);
  info = SF_INFO{};
  Sound sound(sf_open_fd(descriptor, SFM_READ, &info, SF_TRUE));
  if (sound) return sound;
  if (container.kind == ContainerKind::kUnknown) {
    throw DataError(
        cat(path, ": is not a recording that can be read (WAV, AIFF, FLAC, Ogg, MP3); it starts with \"",
            container.start, "\""));
  }
  std::string reason = sf_strerror(nullptr);
  while (!reason.empty() && (reason.back() == '.' || reason.back() == '\n')) reason.pop_back();
  throw DataError(cat(path, ": a broken ", to_string(container.kind), " file: ", reason));
}

// Of the crop's start; its length has at least one.
std::int64_t frames_in(double seconds, int rate_hz) {
  const double frames = std::floor(seconds * rate_hz);
  return frames >= 9e18 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(frames);
}

// Appends the channels' mean of the frames that lie in [first, first + count) of the file.
// Returns how many frames were read from the file.
std::int64_t read_frames(const Sound& sound, const std::string& path, const SF_INFO& info, std::int64_t first,
                         std::int64_t count, std::vector<float>& samples) {
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> block(static_cast<std::size_t>(kBlockFrames) * channels);
  std::int64_t position = 0;
  while (position < first || position - first < count) {
    // From the start, always: seeking is not exact to the sample in every format.
    const std::int64_t got = sf_readf_float(sound.get(), block.data(), kBlockFrames);
    if (got <= 0) break;
    for (std::int64_t frame = 0; frame < got; ++frame, ++position) {
      if (position < first || position - first >= count) continue;
      double sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += block[static_cast<std::size_t>(frame) * channels + c];
      if (!std::isfinite(sum)) {
        throw DataError(cat(path, ": the sample at ", static_cast<double>(position) / info.samplerate,
                            " s is not a number or infinite"));
      }
      samples.push_back(static_cast<float>(sum / static_cast<double>(channels)));
    }
  }
  return position;
}

}  // namespace

Decoded decode_file(const std::string& path, double offset_s, std::optional<double> duration_s) {
  Decoded out;
  out.container = inspect_container(path);
  if (!out.container.truncation.empty())
    throw TruncatedError(cat(path, ": is cut off: ", out.container.truncation));
  SF_INFO info;
  const Sound sound = open_sound(path, out.container, info);
  if (info.channels < 1 || info.samplerate < kSlowestHz || info.samplerate > kFastestHz) {
    throw DataError(cat(path, ": a broken header: ", info.channels, " channels at ", info.samplerate, " Hz; ",
                        kSlowestHz, " to ", kFastestHz, " Hz can be read"));
  }
  out.channels = info.channels;
  out.waveform.sample_rate_hz = info.samplerate;
  const std::int64_t first = frames_in(offset_s, info.samplerate);
  const std::int64_t count = duration_s ? std::max<std::int64_t>(1, frames_in(*duration_s, info.samplerate))
                                        : std::numeric_limits<std::int64_t>::max();
  if (duration_s && info.frames > first && info.frames < std::int64_t{1} << 36)
    out.waveform.samples.reserve(static_cast<std::size_t>(std::min(count, info.frames - first)));
  const std::int64_t read = read_frames(sound, path, info, first, count, out.waveform.samples);

  // FLAC says in its head how many frames there are. (WAV and AIFF were looked at above, an MP3's number is
  // an estimate, and a head that does not know says 0 or a number beyond all measure.)
  const bool read_to_end = read - first < count;
  const bool knows_length = out.container.kind == ContainerKind::kFlac && info.frames < std::int64_t{1} << 36;
  if (read_to_end && knows_length && read < info.frames) {
    throw TruncatedError(cat(path, ": is cut off or damaged: the header promises ", info.frames,
                             " samples, only ", read, " can be decoded"));
  }
  if (read == 0) throw DataError(cat(path, ": holds no samples"));
  if (out.waveform.samples.empty()) {
    throw DataError(cat(path, ": nothing is left after the offset of ", offset_s, " s; it lasts ",
                        static_cast<double>(read) / info.samplerate, " s"));
  }
  return out;
}

Waveform decode(const std::string& path, double offset_s, std::optional<double> duration_s) {
  return decode_file(path, offset_s, duration_s).waveform;
}

}  // namespace serval::audio
