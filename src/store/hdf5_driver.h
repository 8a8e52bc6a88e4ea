// HDF5's way to the disk, so that a full disk is an error like any other.
//
// The library does not survive a failed write: it cannot close the file any more and may crash when the
// program ends. So this driver never reports one. It remembers the first errno, drops what comes after, and
// leaves it to Hdf5File to look after every call. It takes no locks: network file systems may have none.
#pragma once

#include <hdf5.h>

namespace serval::store {

// File access properties with this driver; errors go to `error` (an errno, 0 for none), which must live until
// the file is closed. To be closed with H5Pclose.
hid_t plain_file_access(int* error);

}  // namespace serval::store
