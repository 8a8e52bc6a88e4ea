#include "audio_stage.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "serval/audio/prepare.h"
#include "serval/audio/quantise.h"
#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"

#include "fill_store.h"
#include "stage_log.h"

namespace serval::experiment {

namespace {

// Raised whenever the stage would make other samples than before from the same input.
constexpr int kAudioVersion = 1;

// For each byte of a recording's file: its samples as floats before and after resampling. Right for 16-bit
// PCM, more for other PCM; what is compressed grows further, but its files are small.
constexpr std::int64_t kBytesAByte = 8;

store::StoreInfo audio_info(const ExperimentSettings& settings, const corpus::Manifest& manifest) {
  store::StoreInfo info;
  info.stage_version = kAudioVersion;
  info.settings = write_json(settings_to_json(settings.audio));
  info.sample_rate_hz = settings.audio.sample_rate_hz;
  info.creator = cat("serval ", kVersion);
  store::AudioKeyMaker maker(kAudioVersion, info.settings, manifest.recordings.size());
  for (const corpus::Recording& recording : manifest.recordings)
    maker.add(recording.id, recording.content_hash);
  info.key = maker.key();
  return info;
}

Made<audio::QuantisedAudio> decode(const corpus::Recording& recording, const audio::AudioSettings& settings) {
  Made<audio::QuantisedAudio> made;
  try {
    made.content = audio::quantise(audio::load(recording.path, settings).samples, recording.path);
  } catch (const DataError& error) {
    if (settings.on_bad_recording == audio::OnBadRecording::kStop) throw;
    made.why = error.what();
  }
  return made;
}

void write_audio_store(const ExperimentSettings& settings, const corpus::Manifest& manifest,
                       const store::StoreInfo& info, int threads) {
  const std::vector<corpus::Recording>& recordings = manifest.recordings;
  std::vector<std::string_view> ids;
  ids.reserve(recordings.size());
  for (const corpus::Recording& recording : recordings) ids.push_back(recording.id);
  store::StoreWriter writer(settings.store, info, std::move(ids), store_limits(settings));

  StoreWork<audio::QuantisedAudio> work;
  work.what = "decoding";
  work.threads = threads;
  work.first_block = [&](std::int64_t begin, std::int64_t /*end*/) {
    std::error_code unreadable;  // decoding says so
    const auto bytes =
        std::filesystem::file_size(recordings[static_cast<std::size_t>(begin)].path, unreadable);
    return SourceBlock{begin, begin + 1, unreadable ? 0 : kBytesAByte * static_cast<std::int64_t>(bytes)};
  };
  work.make = [&](const SourceBlock& block, int /*worker*/) {
    std::vector<Made<audio::QuantisedAudio>> made;
    made.push_back(decode(recordings[static_cast<std::size_t>(block.begin)], settings.audio));
    return made;
  };
  fill_store(writer, static_cast<std::int64_t>(recordings.size()), work);
}

}  // namespace

store::Store audio_stage(const ExperimentSettings& settings, const corpus::Manifest& manifest, int threads) {
  const double started_s = monotonic_s();
  const store::StoreInfo info = audio_info(settings, manifest);
  const std::string path = store::store_path(settings.store, info.key).string();
  if (auto store = store::open_store(settings.store, info.key)) {
    log_info(with_seconds(cat("audio: ", store->items(), " recordings read from ", path), started_s));
    return std::move(*store);
  }
  write_audio_store(settings, manifest, info, threads);
  auto store = store::open_store(settings.store, info.key);
  if (!store) throw DataError(cat(path, ": cannot be read back after writing"));
  log_info(with_seconds(cat("audio: ", store->items(), " recordings decoded into ", path), started_s));
  return std::move(*store);
}

}  // namespace serval::experiment
