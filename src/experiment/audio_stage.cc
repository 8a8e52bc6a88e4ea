#include "audio_stage.h"

#include <algorithm>
#include <optional>

#include "serval/audio/load_all.h"
#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"
#include "serval/store/quantise.h"

#include "stage_log.h"

namespace serval::experiment {

namespace {

// Raised whenever the stage would make other samples than before from the same input.
constexpr int kAudioVersion = 1;

// Recordings in memory at a time, per thread.
constexpr std::size_t kRecordingsAThread = 32;

store::StoreKey audio_store_key(const ExperimentSettings& settings, const corpus::Manifest& manifest) {
  std::vector<store::Source> sources;
  for (const corpus::Recording& recording : manifest.recordings)
    sources.push_back({recording.id, recording.content_hash});
  return store::audio_key(kAudioVersion, write_json(settings_to_json(settings.audio)), sources);
}

void write_audio_store(const ExperimentSettings& settings, const corpus::Manifest& manifest,
                       const store::StoreKey& key, int threads) {
  store::StoreInfo info;
  info.key = key;
  info.stage_version = kAudioVersion;
  info.settings = write_json(settings_to_json(settings.audio));
  info.sample_rate_hz = settings.audio.sample_rate_hz;
  info.creator = cat("serval ", kVersion);
  store::StoreWriter writer(settings.store, info);

  const std::size_t total = manifest.recordings.size();
  const std::size_t block = kRecordingsAThread * static_cast<std::size_t>(threads);
  Progress progress("decoding", static_cast<std::int64_t>(total));
  for (std::size_t first = 0; first < total; first += block) {
    const std::size_t count = std::min(block, total - first);
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < count; ++i) paths.push_back(manifest.recordings[first + i].path);
    std::vector<std::optional<store::QuantisedAudio>> decoded(count);
    const std::vector<audio::BadRecording> bad =
        audio::load_all(paths, settings.audio, threads, "", [&](std::size_t i, audio::Waveform waveform) {
          decoded[i] = store::quantise(waveform.samples, paths[i]);
          progress.advance();
        });
    for (const audio::BadRecording& recording : bad) log_warning(cat("left out: ", recording.reason));
    for (std::size_t i = 0; i < count; ++i) {
      if (decoded[i]) writer.append(manifest.recordings[first + i].id, *decoded[i]);
    }
  }
  writer.finish();
}

}  // namespace

store::Store audio_stage(const ExperimentSettings& settings, const corpus::Manifest& manifest, int threads) {
  const store::StoreKey key = audio_store_key(settings, manifest);
  const double started_s = monotonic_s();
  if (auto store = store::open_store(settings.store, key)) {
    log_info(with_seconds(cat("audio: ", store->items(), " recordings read from ",
                              store::store_path(settings.store, key).string()),
                          started_s));
    return std::move(*store);
  }
  write_audio_store(settings, manifest, key, threads);
  auto store = store::open_store(settings.store, key);
  if (!store)
    throw DataError(
        cat(store::store_path(settings.store, key).string(), ": cannot be read back after writing"));
  log_info(with_seconds(cat("audio: ", store->items(), " recordings decoded into ",
                            store::store_path(settings.store, key).string()),
                        started_s));
  return std::move(*store);
}

std::vector<std::string> hash_waveforms(const store::Store& audio) {
  std::vector<std::string> hashes;
  for (std::int64_t item = 0; item < audio.items(); ++item) {
    const store::QuantisedAudio sound = audio.read_audio(item);
    Hasher hasher;
    hasher.bytes(&sound.scale, sizeof sound.scale)
        .bytes(sound.codes.data(), sound.codes.size() * sizeof(std::int16_t));
    hashes.push_back(hasher.hex());
  }
  return hashes;
}

}  // namespace serval::experiment
