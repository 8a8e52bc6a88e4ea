#include "serval/features/external.h"

namespace serval::features {

namespace {

const Options<ExternalLayout>& layouts() {
  static const Options<ExternalLayout> all = {
      {"auto", ExternalLayout::kAuto},     {"datasets", ExternalLayout::kDatasets},
      {"ragged", ExternalLayout::kRagged}, {"matrix", ExternalLayout::kMatrix},
      {"files", ExternalLayout::kFiles},   {"table", ExternalLayout::kTable}};
  return all;
}

}  // namespace

const char* to_string(ExternalLayout layout) {
  for (const auto& [name, value] : layouts()) {
    if (value == layout) return name;
  }
  return "?";
}

void describe(SettingsVisitor& v, ExternalSettings& s) {
  v.path("path", s.path,
         {"HDF5, .npz, .npy or CSV file, or folder of .npy files, with the features of every recording", "",
          Need::kRequired});
  v.choice(
      "layout", s.layout, layouts(),
      {"datasets: one HDF5 dataset a recording; ragged: data, offsets, ids; matrix: features, ids; files: "
       "one .npy array a recording; table: CSV; auto finds out"});
  v.text("group", s.group, {"the group of an HDF5 file that holds the set; empty: the file itself"});
}

}  // namespace serval::features
