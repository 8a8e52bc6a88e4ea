#include "hdf5_handle.h"

#include "serval/core/error.h"

namespace serval::store {

namespace {

std::recursive_mutex& hdf5_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

// The last entry of a downward walk is where the trouble began.
herr_t keep_reason(unsigned /*depth*/, const H5E_error2_t* entry, void* reason) {
  if (entry->desc != nullptr && *entry->desc != '\0') *static_cast<std::string*>(reason) = entry->desc;
  return 0;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(hdf5_mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Handle dataset_creation() {
  Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  return creation;
}

void FileUse::fail(const std::string& what) const {
  if (error != 0) fail_errno(path, what, error);
  std::string reason = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_reason, &reason);
  throw DataError(cat(path.string(), ": ", what, ": ", reason));
}

Handle FileUse::dataset(const std::string& name) const {
  return {checked(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "cannot read \"" + name + "\""), H5Dclose};
}

Handle FileUse::new_dataset(const std::string& name, hid_t type, hid_t space, hid_t creation) const {
  const std::string what = "cannot write \"" + name + "\"";
  // Groups one by one: HDF5's own way of making them cannot leave out their times.
  for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string group = name.substr(0, slash);
    if (H5Lexists(file, group.c_str(), H5P_DEFAULT) > 0) continue;
    const Handle untimed(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_obj_track_times(untimed.get(), false);
    const Handle made(checked(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, untimed.get(), H5P_DEFAULT), what),
                      H5Gclose);
  }
  return {checked(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT), what),
          H5Dclose};
}

}  // namespace serval::store
