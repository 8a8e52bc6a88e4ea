#include "serval/experiment/dataset.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include "serval/audio/load_all.h"
#include "serval/core/hash.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"
#include "serval/corpus/scan.h"
#include "serval/features/extractor.h"
#include "serval/nn/device_label.h"
#include "serval/store/quantise.h"

namespace serval::experiment {

namespace {

// Raised whenever the stage would make other samples or values than before from the same input.
constexpr int kAudioVersion = 1;
constexpr int kFeatureVersion = 1;

// Recordings in memory at a time, per thread (audio) or per batch (features).
constexpr std::size_t kRecordingsAThread = 32;
constexpr std::size_t kRecordingsABatch = 256;

class StageClock {
 public:
  StageClock(Dataset& dataset, std::string stage)
      : dataset_(dataset), stage_(std::move(stage)), started_s_(monotonic_s()) {}
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;
  ~StageClock() { dataset_.seconds.emplace_back(stage_, monotonic_s() - started_s_); }

 private:
  Dataset& dataset_;
  std::string stage_;
  double started_s_;
};

std::string with_seconds(const std::string& text, double started_s) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, " (%.2f s)", monotonic_s() - started_s);
  return text + seconds;
}

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

store::Store open_audio_store(const ExperimentSettings& settings, const corpus::Manifest& manifest,
                              const store::StoreKey& key, int threads) {
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

// Keeps the recordings that the store holds; returns the ids of the others.
std::vector<std::string> keep_usable(corpus::Manifest& manifest, const store::Store& audio) {
  const std::set<std::string> usable(audio.ids().begin(), audio.ids().end());
  std::vector<std::string> skipped;
  corpus::Manifest kept;
  kept.classes = manifest.classes;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    if (usable.count(manifest.recordings[r].id) == 0) {
      skipped.push_back(manifest.recordings[r].id);
    } else {
      kept.recordings.push_back(std::move(manifest.recordings[r]));
      kept.class_of.push_back(manifest.class_of[r]);
    }
  }
  if (kept.recordings.empty()) throw DataError("not one recording can be used; the warnings above say why");
  manifest = std::move(kept);
  return skipped;
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

// The clips [first, first + count) of the store.
std::vector<audio::Waveform> read_clips(const store::Store& audio, std::int64_t first, std::int64_t count) {
  std::vector<audio::Waveform> clips;
  for (std::int64_t item = first; item < first + count; ++item) {
    clips.push_back({store::samples(audio.read_audio(item)), audio.info().sample_rate_hz});
  }
  return clips;
}

// Extractors that share a device: one a thread on the CPU, one in all on a GPU.
class Extraction {
 public:
  Extraction(const features::FeatureSettings& settings, int sample_rate_hz, const Device& device,
             int threads) {
    const int count = device.kind == DeviceKind::kCuda ? 1 : threads;
    for (int i = 0; i < count; ++i) contexts_.push_back(std::make_unique<Context>(device, 1));
    for (const auto& context : contexts_) extractors_.emplace_back(settings, sample_rate_hz, *context);
  }
  std::int64_t dimension() const { return extractors_.front().dimension(); }
  std::int64_t frames(std::size_t samples) const {
    return extractors_.front().frames(static_cast<std::int64_t>(samples));
  }

  std::vector<features::FeatureMatrix> run(const std::vector<audio::Waveform>& clips) {
    std::vector<features::FeatureMatrix> out(clips.size());
    const std::size_t share = (clips.size() + extractors_.size() - 1) / extractors_.size();
    parallel_for(extractors_.size(), static_cast<int>(extractors_.size()), [&](std::size_t part) {
      const std::size_t begin = std::min(clips.size(), part * share);
      const std::size_t end = std::min(clips.size(), begin + share);
      if (begin == end) return;
      auto matrices = extractors_[part].run(std::span(clips).subspan(begin, end - begin));
      std::move(matrices.begin(), matrices.end(), out.begin() + static_cast<std::ptrdiff_t>(begin));
    });
    return out;
  }

 private:
  std::vector<std::unique_ptr<Context>> contexts_;
  std::vector<features::Extractor> extractors_;
};

void write_feature_store(const std::string& folder, const store::StoreInfo& info, Extraction& extraction,
                         const std::string& name, const store::Store& audio) {
  store::StoreWriter writer(folder, info);
  Progress progress("features " + name, audio.items());
  for (std::int64_t first = 0; first < audio.items(); first += static_cast<std::int64_t>(kRecordingsABatch)) {
    check_interrupted();
    const std::int64_t count = std::min<std::int64_t>(kRecordingsABatch, audio.items() - first);
    const std::vector<audio::Waveform> clips = read_clips(audio, first, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::size_t samples = clips[static_cast<std::size_t>(i)].samples.size();
      if (extraction.frames(samples) > 0) continue;
      throw DataError(
          cat(audio.ids()[static_cast<std::size_t>(first + i)], ": ", samples,
              " samples are too short for one frame of features.", name,
              "; set a larger audio.min_duration_s (and audio.on_bad_recording to \"skip\"), or padding"));
    }
    const std::vector<features::FeatureMatrix> matrices = extraction.run(clips);
    for (std::int64_t i = 0; i < count; ++i) {
      const features::FeatureMatrix& matrix = matrices[static_cast<std::size_t>(i)];
      const std::string& id = audio.ids()[static_cast<std::size_t>(first + i)];
      writer.append(id, matrix);
    }
    progress.advance(count);
  }
  writer.finish();
}

FeatureSet make_features(const ExperimentSettings& settings, const std::string& name,
                         const features::FeatureSettings& feature, const store::Store& audio,
                         const DatasetOptions& options) {
  const double started_s = monotonic_s();
  // The CPU's bodies give the same bits at every instruction set; a GPU's follow its type and its libraries.
  const std::string computed_on =
      options.device.kind == DeviceKind::kCpu ? "cpu" : nn::device_label(options.device);
  store::StoreInfo info;
  info.stage_version = kFeatureVersion;
  info.settings = write_json(settings_to_json(feature));
  info.key = store::features_key(kFeatureVersion, info.settings, audio.info().key, computed_on);
  info.sample_rate_hz = settings.audio.sample_rate_hz;
  info.computed_on = computed_on;
  info.creator = cat("serval ", kVersion);
  const std::string path = store::store_path(settings.store, info.key).string();

  auto store = store::open_store(settings.store, info.key);
  const bool stored = store.has_value();
  if (!stored) {
    Extraction extraction(feature, settings.audio.sample_rate_hz, options.device, options.threads);
    info.dimension = extraction.dimension();
    write_feature_store(settings.store, info, extraction, name, audio);
    store = store::open_store(settings.store, info.key);
    if (!store) throw DataError(cat(path, ": cannot be read back after writing"));
  }
  FeatureSet set;
  set.name = name;
  set.key = info.key.hash;
  set.dimension = store->info().dimension;
  set.offsets = store->offsets();
  if (options.load_values) set.values = store->read_all();
  log_info(with_seconds(cat("features ", name, ": ", store->rows(), " frames of ", set.dimension,
                            stored ? " values read from " : " values computed into ", path),
                        started_s));
  return set;
}

}  // namespace

corpus::Manifest find_manifest(const ExperimentSettings& settings, int threads) {
  std::vector<corpus::Recording> recordings;
  for (const corpus::CorpusUse& use : settings.corpora) {
    std::vector<corpus::Recording> found = corpus::find_recordings(use);
    std::move(found.begin(), found.end(), std::back_inserter(recordings));
  }
  corpus::Manifest manifest = corpus::build_manifest(recordings, corpus::label_set(settings.labels));
  corpus::hash_contents(manifest.recordings, threads);
  return manifest;
}

namespace {

// What depends on features and sample rate together is wrong before anything is decoded, or not at all.
void check_features(const ExperimentSettings& settings) {
  std::vector<std::string> errors;
  const Context cpu;
  for (const auto& [name, feature] : settings.features) {
    try {
      const features::Extractor extractor(feature, settings.audio.sample_rate_hz, cpu);
    } catch (const ConfigError& error) {
      errors.push_back(cat("features.", name, ": ", error.what()));
    }
  }
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
}

}  // namespace

Dataset make_dataset(const ExperimentSettings& settings, const DatasetOptions& options) {
  check_features(settings);
  Dataset dataset;
  {
    const StageClock clock(dataset, "finding recordings");
    dataset.manifest = find_manifest(settings, options.threads);
  }
  log_info(cat(dataset.manifest.recordings.size(), " recordings of ", dataset.manifest.actors().size(),
               " actors, classes ", join(dataset.manifest.classes, " ")));
  std::optional<store::Store> audio;
  {
    const StageClock clock(dataset, "audio");
    const store::StoreKey key = audio_store_key(settings, dataset.manifest);
    audio.emplace(open_audio_store(settings, dataset.manifest, key, options.threads));
    dataset.skipped = keep_usable(dataset.manifest, *audio);
    if (!dataset.skipped.empty())
      log_warning(
          cat(dataset.skipped.size(), " unusable recordings are left out: ", join(dataset.skipped, ", ")));
    dataset.waveform_hashes = hash_waveforms(*audio);
  }
  {
    const StageClock clock(dataset, "features");
    for (const auto& [name, feature] : settings.features) {
      dataset.features.push_back(make_features(settings, name, feature, *audio, options));
    }
  }
  return dataset;
}

}  // namespace serval::experiment
