#include "serval/audio/load_all.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "serval/audio/prepare.h"
#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"

namespace serval::audio {

std::vector<BadRecording> load_all(const std::vector<std::string>& paths, const AudioSettings& settings,
                                   int threads, const std::string& what, const WaveformSink& sink) {
  std::vector<BadRecording> bad;
  std::mutex bad_mutex;
  std::atomic<std::size_t> first_bad{paths.size()};
  std::unique_ptr<Progress> progress;
  if (!what.empty()) progress = std::make_unique<Progress>(what, static_cast<std::int64_t>(paths.size()));

  parallel_for(paths.size(), threads, [&](std::size_t i) {
    // Nothing before a bad recording is left out, so that the first one in the list's order is always found.
    if (i > first_bad.load()) return;
    check_interrupted();
    Waveform waveform;
    try {
      waveform = load(paths[i], settings);
    } catch (const DataError& error) {
      const std::lock_guard<std::mutex> lock(bad_mutex);
      bad.push_back({i, paths[i], error.what()});
      if (settings.on_bad_recording == OnBadRecording::kStop) first_bad.store(std::min(first_bad.load(), i));
    }
    if (!waveform.samples.empty()) sink(i, std::move(waveform));
    if (progress) progress->advance();
  });

  std::sort(bad.begin(), bad.end(),
            [](const BadRecording& a, const BadRecording& b) { return a.index < b.index; });
  if (!bad.empty() && settings.on_bad_recording == OnBadRecording::kStop) throw DataError(bad.front().reason);
  return bad;
}

}  // namespace serval::audio
