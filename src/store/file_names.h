// The names of a store's files: "<kind>-<hash>.h5", "<kind>-<hash>.007.h5", and either with ".tmp-..." while it
// is being written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "serval/store/store.h"

namespace serval::store {

inline constexpr int kWhole = -1;  // instead of a shard's number

std::filesystem::path part_path(const std::filesystem::path& folder, const StoreKey& key, int number);

struct StoreFile {
  std::filesystem::path path;
  StoreKey key;
  int number = kWhole;
  bool temporary = false;
};
std::optional<StoreFile> parse_store_file(const std::filesystem::path& path);

// The files of stores in a folder, by name; files of other names are not looked at. Throws ConfigError when
// the folder cannot be listed.
std::vector<StoreFile> list_store_files(const std::filesystem::path& folder);

}  // namespace serval::store
