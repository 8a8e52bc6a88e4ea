#include "hdf5_driver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace serval::store {

namespace {

struct DriverInfo {
  int* error;
};

struct PlainFile {
  H5FD_t common{};  // HDF5's own part comes first: it passes pointers to it
  int descriptor = -1;
  int* error = nullptr;
  haddr_t allocated = 0;  // what HDF5 counts as its own
  haddr_t end = 0;        // the file's size, as it would be had every write succeeded
};

PlainFile& plain(H5FD_t* file) { return *reinterpret_cast<PlainFile*>(file); }
const PlainFile& plain(const H5FD_t* file) { return *reinterpret_cast<const PlainFile*>(file); }

void remember(const PlainFile& file, int error) {
  if (*file.error == 0) *file.error = error;
}

H5FD_t* open_plain(const char* name, unsigned flags, hid_t access, haddr_t /*maxaddr*/) {
  int* const error = static_cast<const DriverInfo*>(H5Pget_driver_info(access))->error;
  int how = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
  if ((flags & H5F_ACC_CREAT) != 0) how |= O_CREAT;
  if ((flags & H5F_ACC_TRUNC) != 0) how |= O_TRUNC;
  if ((flags & H5F_ACC_EXCL) != 0) how |= O_EXCL;
  const int descriptor = ::open(name, how | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    *error = errno;
    if (descriptor >= 0) ::close(descriptor);
    return nullptr;
  }
  auto* const file = new PlainFile;
  file->descriptor = descriptor;
  file->error = error;
  file->end = static_cast<haddr_t>(status.st_size);
  return &file->common;
}

herr_t close_plain(H5FD_t* file) {
  PlainFile& own = plain(file);
  // A network file system may say only now that there was no room.
  if (::close(own.descriptor) != 0) remember(own, errno);
  delete &own;
  return 0;
}

herr_t query_plain(const H5FD_t* /*file*/, unsigned long* flags) {
  if (flags != nullptr) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
  }
  return 0;
}

haddr_t get_allocated(const H5FD_t* file, H5FD_mem_t /*type*/) { return plain(file).allocated; }
herr_t set_allocated(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t address) {
  plain(file).allocated = address;
  return 0;
}
haddr_t get_end(const H5FD_t* file, H5FD_mem_t /*type*/) { return plain(file).end; }

herr_t read_plain(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                  void* buffer) {
  auto* out = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::pread(plain(file).descriptor, out, size, static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      remember(plain(file), errno);
      return -1;
    }
    if (got == 0) {  // behind the end HDF5 expects zeros
      std::memset(out, 0, size);
      break;
    }
    out += got;
    address += static_cast<haddr_t>(got);
    size -= static_cast<size_t>(got);
  }
  return 0;
}

herr_t write_plain(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                   const void* buffer) {
  PlainFile& own = plain(file);
  own.end = std::max(own.end, address + size);
  const auto* in = static_cast<const char*>(buffer);
  while (size > 0 && *own.error == 0) {
    const ssize_t put = ::pwrite(own.descriptor, in, size, static_cast<off_t>(address));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      remember(own, put < 0 ? errno : ENOSPC);
      break;
    }
    in += put;
    address += static_cast<haddr_t>(put);
    size -= static_cast<size_t>(put);
  }
  return 0;
}

// Makes the file as long as HDF5 counts it, also where nothing was written yet.
herr_t truncate_plain(H5FD_t* file, hid_t /*transfer*/, hbool_t /*closing*/) {
  PlainFile& own = plain(file);
  if (own.allocated == own.end) return 0;
  if (*own.error == 0 && ::ftruncate(own.descriptor, static_cast<off_t>(own.allocated)) != 0)
    remember(own, errno);
  own.end = own.allocated;
  return 0;
}

H5FD_class_t make_class() {
  H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION  // HDF5 1.14 added these two
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(511);
#endif
  driver.name = "serval_plain";
  driver.maxaddr = (haddr_t{1} << 62) - 1;
  driver.fc_degree = H5F_CLOSE_STRONG;  // closing a file closes what is still open in it
  driver.fapl_size = sizeof(DriverInfo);
  driver.open = open_plain;
  driver.close = close_plain;
  driver.query = query_plain;
  driver.get_eoa = get_allocated;
  driver.set_eoa = set_allocated;
  driver.get_eof = get_end;
  driver.read = read_plain;
  driver.write = write_plain;
  driver.truncate = truncate_plain;
  constexpr H5FD_mem_t kMap[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(kMap), std::end(kMap), driver.fl_map);
  return driver;
}

}  // namespace

hid_t plain_file_access(int* error) {
  static const H5FD_class_t driver = make_class();
  static const hid_t driver_id = H5FDregister(&driver);
  const DriverInfo info{error};
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_driver(access, driver_id, &info);
  return access;
}

}  // namespace serval::store
