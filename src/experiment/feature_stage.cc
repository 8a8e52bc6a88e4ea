#include "feature_stage.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"
#include "serval/features/extractor.h"
#include "serval/nn/device_label.h"

#include "fill_store.h"
#include "stage_log.h"

namespace serval::experiment {

namespace {

// Raised whenever the stage would make other values than before from the same input.
constexpr int kFeatureVersion = 1;

// Samples that are computed together, unless one recording is longer. Large enough that reading and calling
// cost nothing, small enough that all threads have work; a GPU wants more of them.
constexpr std::int64_t kBlockSamplesCpu = std::int64_t{1} << 18;
constexpr std::int64_t kBlockSamplesGpu = std::int64_t{1} << 22;

// Extractors that share a device: one a thread on the CPU, one in all on a GPU.
class Extraction {
 public:
  Extraction(const features::FeatureSettings& settings, int sample_rate_hz, const Device& device, int threads)
      : block_samples_(device.kind == DeviceKind::kCuda ? kBlockSamplesGpu : kBlockSamplesCpu) {
    const int count = device.kind == DeviceKind::kCuda ? 1 : threads;
    for (int i = 0; i < count; ++i) contexts_.push_back(std::make_unique<Context>(device, 1));
    for (const auto& context : contexts_) extractors_.emplace_back(settings, sample_rate_hz, *context);
  }
  int workers() const { return static_cast<int>(extractors_.size()); }
  std::int64_t block_samples() const { return block_samples_; }
  std::int64_t dimension() const { return extractors_.front().dimension(); }
  std::int64_t frames(std::int64_t samples) const { return extractors_.front().frames(samples); }
  std::vector<features::FeatureMatrix> run(std::span<const audio::Waveform> clips, int worker) {
    return extractors_[static_cast<std::size_t>(worker)].run(clips);
  }

 private:
  std::int64_t block_samples_;
  std::vector<std::unique_ptr<Context>> contexts_;
  std::vector<features::Extractor> extractors_;
};

std::int64_t samples_of(const store::Store& audio, std::int64_t item) {
  const auto i = static_cast<std::size_t>(item);
  return audio.offsets()[i + 1] - audio.offsets()[i];
}

// Recordings from `begin` on until there are enough samples.
SourceBlock first_block(const store::Store& audio, const Extraction& extraction, const std::string& name,
                        std::int64_t begin, std::int64_t end) {
  SourceBlock block{begin, begin, 0};
  std::int64_t samples = 0;
  for (; block.end < end; ++block.end) {
    const std::int64_t more = samples_of(audio, block.end);
    if (samples > 0 && samples + more > extraction.block_samples()) break;
    const std::int64_t frames = extraction.frames(more);
    if (frames == 0) {
      throw DataError(
          cat(audio.ids()[static_cast<std::size_t>(block.end)], ": ", more,
              " samples are too short for one frame of features.", name,
              "; set a larger audio.min_duration_s (and audio.on_bad_recording to \"skip\"), or padding"));
    }
    samples += more;
    // The samples twice, as read and as clips, and the rows once.
    block.bytes += static_cast<std::int64_t>(sizeof(float)) * (2 * more + frames * extraction.dimension());
  }
  return block;
}

std::vector<audio::Waveform> read_clips(const store::Store& audio, const SourceBlock& block) {
  const std::vector<float> samples = audio.read(block.begin, block.end - block.begin);
  std::vector<audio::Waveform> clips;
  auto at = samples.begin();
  for (std::int64_t item = block.begin; item < block.end; ++item) {
    const auto next = at + samples_of(audio, item);
    clips.push_back({{at, next}, audio.info().sample_rate_hz});
    at = next;
  }
  return clips;
}

void write_feature_store(const ExperimentSettings& settings, const store::StoreInfo& info,
                         Extraction& extraction, const std::string& name, const store::Store& audio) {
  const std::vector<std::string_view> ids(audio.ids().begin(), audio.ids().end());
  store::StoreWriter writer(settings.store, info, ids, store_limits(settings));
  StoreWork<features::FeatureMatrix> work;
  work.what = "features " + name;
  work.threads = extraction.workers();
  work.first_block = [&](std::int64_t begin, std::int64_t end) {
    return first_block(audio, extraction, name, begin, end);
  };
  work.make = [&](const SourceBlock& block, int worker) {
    std::vector<Made<features::FeatureMatrix>> made;
    for (features::FeatureMatrix& matrix : extraction.run(read_clips(audio, block), worker)) {
      const std::int64_t item = block.begin + static_cast<std::int64_t>(made.size());
      made.push_back(
          {std::move(matrix), "", static_cast<std::int64_t>(sizeof(std::int16_t)) * samples_of(audio, item)});
    }
    return made;
  };
  fill_store(writer, audio.items(), work);
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
    write_feature_store(settings, info, extraction, name, audio);
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
    if (feature.type == features::FeatureType::kExternal) {
      std::error_code error;
      if (!std::filesystem::exists(feature.external.path, error))
        errors.push_back(
            cat("features.", name, ".path: ", feature.external.path, ": there is no such file or folder"));
      continue;
    }
    if (!features::from_audio(feature.type)) continue;
    try {
      const features::Extractor extractor(feature, settings.audio.sample_rate_hz, cpu);
    } catch (const ConfigError& error) {
      errors.push_back(cat("features.", name, ": ", error.what()));
    }
  }
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
}

}  // namespace serval::experiment
