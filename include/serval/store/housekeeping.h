// Looking after a folder of stores: what `serval store ls|verify|prune` shows and does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace serval::store {

struct StoreFacts {
  std::filesystem::path path;
  std::string kind, key;
  std::int64_t items = 0;
  std::int64_t bytes = 0;  // the file's size
  std::string created;     // UTC, "2026-11-23T08:00:00Z"
  std::string problem;     // "" for a store that is well as far as was looked
  bool damaged = false;    // the problem is in the file's bytes, not in reading or in naming it
};

// The stores of a folder by file name. Reads seals only, so a flipped byte in the data goes unnoticed. Throws
// ConfigError when there is no such folder or it cannot be listed.
std::vector<StoreFacts> list_stores(const std::filesystem::path& folder);
// The same with every checksum verified.
std::vector<StoreFacts> verify_stores(const std::filesystem::path& folder);

struct Pruned {
  std::filesystem::path path;
  std::int64_t bytes = 0;
  std::string reason;
};
// Deletes stores that are torn or corrupt (every checksum is verified), those created more than
// `older_than_days` ago when given, and files that writers left behind more than a day ago. Nothing else in
// the folder is touched; a store that cannot be read, which may be sound, is named in a warning. Throws
// ConfigError as above, DataError when a file cannot be deleted.
std::vector<Pruned> prune_stores(const std::filesystem::path& folder, std::optional<double> older_than_days);

}  // namespace serval::store
