#include "feature_stage.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"
#include "serval/features/extractor.h"
#include "serval/nn/device_label.h"
#include "serval/store/quantise.h"

#include "stage_log.h"

namespace serval::experiment {

namespace {

// Raised whenever the stage would make other values than before from the same input.
constexpr int kFeatureVersion = 1;

// Recordings in memory at a time.
constexpr std::size_t kRecordingsABatch = 256;

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

}  // namespace

FeatureSet feature_stage(const ExperimentSettings& settings, const std::string& name,
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

}  // namespace serval::experiment
