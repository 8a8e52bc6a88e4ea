#include "serval/experiment/dataset.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/corpus/scan.h"

#include "audio_stage.h"
#include "external_stage.h"
#include "feature_stage.h"
#include "gender_stage.h"
#include "peak_memory.h"
#include "sound_stage.h"
#include "targets.h"

namespace serval::experiment {

namespace {

class StageClock {
 public:
  StageClock(Dataset& dataset, std::string stage)
      : dataset_(dataset), stage_(std::move(stage)), started_s_(monotonic_s()) {}
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;
  ~StageClock() {
    dataset_.seconds.emplace_back(stage_, monotonic_s() - started_s_);
    dataset_.peak_bytes.emplace_back(stage_, peak_memory_bytes());
  }

 private:
  Dataset& dataset_;
  std::string stage_;
  double started_s_;
};

// Keeps the recordings that the store holds, and what is known of them; returns the ids of the others.
std::vector<std::string> keep_usable(corpus::Manifest& manifest, std::vector<train::Target>& targets,
                                     const store::Store& audio) {
  std::vector<std::string> skipped;
  auto usable = audio.ids().begin();  // in the manifest's order
  if (audio.items() == static_cast<std::int64_t>(manifest.recordings.size())) return skipped;
  std::vector<std::size_t> numbers;
  corpus::Manifest kept;
  kept.classes = manifest.classes;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    if (usable == audio.ids().end() || *usable != manifest.recordings[r].id) {
      skipped.push_back(manifest.recordings[r].id);
    } else {
      ++usable;
      numbers.push_back(r);
      kept.recordings.push_back(std::move(manifest.recordings[r]));
      kept.class_of.push_back(manifest.class_of[r]);
    }
  }
  if (kept.recordings.empty()) throw DataError("not one recording can be used; the warnings above say why");
  manifest = std::move(kept);
  for (train::Target& target : targets) target = kept_target(target, numbers);
  return skipped;
}

}  // namespace

corpus::Manifest find_manifest(const ExperimentSettings& settings, int threads) {
  std::vector<corpus::Recording> recordings;
  for (const corpus::CorpusUse& use : settings.corpora) {
    std::vector<corpus::Recording> found = corpus::find_recordings(use);
    if (recordings.empty()) {
      recordings = std::move(found);
    } else {
      std::move(found.begin(), found.end(), std::back_inserter(recordings));
    }
  }
  corpus::Manifest manifest =
      corpus::build_manifest(std::move(recordings), corpus::label_set(settings.labels));
  corpus::hash_contents(manifest.recordings, threads);
  return manifest;
}

Dataset make_dataset(const ExperimentSettings& settings, const DatasetOptions& options) {
  // What depends on features and sample rate together is wrong before anything is decoded, or not at all.
  check_features(settings);
  Dataset dataset;
  {
    const StageClock clock(dataset, "finding recordings");
    dataset.manifest = find_manifest(settings, options.threads);
  }
  log_info(cat(dataset.manifest.recordings.size(), " recordings of ", dataset.manifest.actors().size(),
               " actors, classes ", join(dataset.manifest.classes, " ")));
  // Before anything is decoded, so that a mistake in a table shows at once.
  std::vector<train::Target> targets;
  if (options.load_values) targets = read_targets(settings, dataset.manifest);
  std::shared_ptr<const store::Store> audio;
  {
    const StageClock clock(dataset, "audio");
    audio = std::make_shared<const store::Store>(audio_stage(settings, dataset.manifest, options.threads));
    dataset.skipped = keep_usable(dataset.manifest, targets, *audio);
    if (!dataset.skipped.empty())
      log_warning(
          cat(dataset.skipped.size(), " unusable recordings are left out: ", first_few(dataset.skipped)));
    if (options.load_values) dataset.waveform_hashes = audio->read_hashes();
  }
  if (options.load_values) {
    const StageClock clock(dataset, "comparing sounds");
    dataset.near_duplicates = sound_stage(*audio, settings.store, options.threads);
  }
  if (options.features) {
    const StageClock clock(dataset, "features");
    for (const auto& [name, feature] : settings.features) {
      switch (feature.type) {
        case features::FeatureType::kExternal:
          dataset.features.push_back(
              external_stage(settings, name, feature.external, dataset.manifest, options));
          break;
        case features::FeatureType::kGender:
          dataset.features.push_back(gender_stage(name, dataset.manifest));
          break;
        default:
          dataset.features.push_back(feature_stage(settings, name, feature, *audio, options));
      }
    }
  }
  for (train::Target& target : targets)
    dataset.targets.push_back(std::make_shared<const train::Target>(std::move(target)));
  if (settings.augment.enabled() && options.load_values) dataset.audio = audio;
  return dataset;
}

}  // namespace serval::experiment
