// A feature set made elsewhere: wav2vec 2.0, openSMILE, librosa, anything that writes HDF5, NumPy or CSV.
// What the files look like is told in docs/external_features.md; store/external.h reads them.
#pragma once

#include <optional>
#include <string>

#include "serval/core/settings.h"

namespace serval::features {

enum class ExternalLayout {
  kAuto,      // found out from the file
  kDatasets,  // HDF5: one dataset a recording, named after it
  kRagged,    // HDF5 or .npz: data [rows, dimension], offsets [items + 1], ids [items]
  kMatrix,    // HDF5, .npz or .npy: features [items, dimension] or [items, time, dimension], ids [items]
  kFiles,     // a folder of .npy files or an .npz file: one array a recording, named after it
  kTable,     // CSV: one row a recording, or rows with their start times
};
const char* to_string(ExternalLayout layout);  // as in an experiment file

struct ExternalSettings {
  std::string path;
  ExternalLayout layout = ExternalLayout::kAuto;
  std::string group;  // inside an HDF5 file
};
void describe(SettingsVisitor& v, ExternalSettings& s);

}  // namespace serval::features
