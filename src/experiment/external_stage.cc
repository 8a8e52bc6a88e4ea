#include "external_stage.h"

#include <vector>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/version.h"
#include "serval/store/external.h"

#include "fill_store.h"
#include "stage_log.h"

namespace serval::experiment {

namespace {

store::ImportedFeatures import(const ExperimentSettings& settings, const std::string& name,
                               const features::ExternalSettings& external, const corpus::Manifest& manifest) {
  std::vector<store::ExternalRecording> recordings;
  for (const corpus::Recording& recording : manifest.recordings)
    recordings.push_back({recording.id, recording.path});
  try {
    return store::import_external(external, recordings, settings.store, cat("serval ", kVersion),
                                  store_limits(settings));
  } catch (const DataError& error) {
    throw DataError(cat("features.", name, ": ", error.what()));
  } catch (const ConfigError& error) {
    throw ConfigError(cat("features.", name, ": ", error.what()));
  }
}

}  // namespace

FeatureSet external_stage(const ExperimentSettings& settings, const std::string& name,
                          const features::ExternalSettings& external, const corpus::Manifest& manifest,
                          const DatasetOptions& options) {
  const double started_s = monotonic_s();
  const store::ImportedFeatures imported = import(settings, name, external, manifest);
  const store::Store& store = imported.store;
  FeatureSet set;
  set.name = name;
  set.key = store.info().key.hash;
  set.dimension = store.info().dimension;
  set.offsets = store.offsets();
  if (options.load_values) set.values = store.read_all();
  const std::string path = store::store_path(settings.store, store.info().key).string();
  log_info(with_seconds(cat("features ", name, ": ", store.rows(), " frames of ", set.dimension, " values ",
                            imported.already_there ? cat("of ", external.path, " read from ", path)
                                                   : cat("copied from ", external.path, " into ", path)),
                        started_s));
  return set;
}

}  // namespace serval::experiment
