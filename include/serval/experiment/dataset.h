// The first half of an experiment: from recordings to features, through the stores.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serval/audit/near_duplicates.h"
#include "serval/core/context.h"
#include "serval/corpus/manifest.h"
#include "serval/experiment/settings.h"
#include "serval/store/store.h"
#include "serval/train/target.h"

namespace serval::experiment {

// One feature set over the whole manifest, in memory.
struct FeatureSet {
  std::string name;
  std::string key;     // of its store: changes with everything that it was made from
  bool stored = true;  // false: it is so little that it has no store
  std::int64_t dimension = 0;
  std::vector<std::int64_t> offsets;  // [recordings + 1], in frames
  std::vector<float> values;          // [total frames, dimension]; empty when only the store was wanted
};

struct Dataset {
  corpus::Manifest manifest;                 // usable recordings only
  std::vector<std::string> skipped;          // ids left out because they could not be used
  std::vector<std::string> waveform_hashes;  // [recording], of the decoded samples; empty like values
  std::vector<audit::NearDuplicate> near_duplicates;          // by recording numbers; empty like values
  std::vector<FeatureSet> features;                           // in the experiment's order
  std::vector<std::shared_ptr<const train::Target>> targets;  // in the experiment's order; empty like values
  // The usable recordings; null when nothing is augmented, or the stores alone were wanted.
  std::shared_ptr<const store::Store> audio;
  std::vector<std::pair<std::string, double>> seconds;  // per stage
  std::vector<std::pair<std::string, std::int64_t>>
      peak_bytes;  // the most memory that was held, up to its end
};

struct DatasetOptions {
  Device device;
  int threads = 1;
  bool load_values = true;  // false: fill the stores only; then memory does not grow with the recordings'
                            // length, and by about 1 KB with each of them
  bool features = true;     // false: recordings and what the audit needs to know of them alone
};

// Finds, decodes, extracts; reads the stores where they hold it already and says which it did.
Dataset make_dataset(const ExperimentSettings& settings, const DatasetOptions& options);

// Recordings and labels alone, with content hashes.
corpus::Manifest find_manifest(const ExperimentSettings& settings, int threads);

}  // namespace serval::experiment
