// What src/store/hdf5*.cc share: one lock, handles that close themselves, and errors with HDF5's own reason.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <utility>

#include <hdf5.h>

#include "serval/core/files.h"

namespace serval::store {

// Held around every HDF5 call, because the library may be built without thread support. Also keeps the
// library from printing its errors: they travel in exceptions.
class Hdf5Lock {
 public:
  Hdf5Lock();

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) closer_(id_);
  }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  Closer closer_;
};

// One file for the span of a call.
struct FileUse {
  const std::filesystem::path& path;
  hid_t file;
  const int& error;  // the driver's errno, 0 for none
  Hdf5Lock lock{};

  // For results where a negative number means failure: throws with the system's reason, or else HDF5's.
  // To be called in the same expression as what it checks: closing a handle wipes out HDF5's reason.
  template <class T>
  T checked(T result, const std::string& what) const {
    if (result < 0) fail(what);
    return result;
  }
  // After writing: HDF5 does not know of failed writes (hdf5_driver.h).
  void check_disk() const {
    if (error != 0) fail_errno(path, "cannot be written", error);
  }
  [[noreturn]] void fail(const std::string& what) const;

  Handle dataset(const std::string& name) const;
  // Makes the groups on the way as well.
  Handle new_dataset(const std::string& name, hid_t type, hid_t space, hid_t creation) const;
};

// For new datasets: without times, so that equal content gives equal bytes.
Handle dataset_creation();

}  // namespace serval::store
