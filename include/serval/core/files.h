// Files that are either whole or absent.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace serval {

// Whole file as text; throws DataError naming the path.
std::string read_text(const std::filesystem::path& path);

// Writes through a temporary name beside `path`, then fsync and rename, so that a reader sees the old content
// or the new, never a part. Throws DiskError when there is no room (nothing is left behind), DataError
// otherwise.
void write_atomically(const std::filesystem::path& path, std::string_view content);

// The same for a writer that needs a path of its own (HDF5). `write` gets the temporary path.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path&)>& write);

// Creates the folder and its parents; throws ConfigError when that is not allowed.
void make_folder(const std::filesystem::path& path);

}  // namespace serval
