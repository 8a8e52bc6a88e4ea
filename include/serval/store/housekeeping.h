// Looking after a folder of stores: what `serval store ls|verify|prune` shows and does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace serval::store {

// One store, whole or in shards, finished or not.
struct StoreFacts {
  std::filesystem::path path;  // of the store or its index, also where that is not there yet
  std::string kind, key;
  std::int64_t items = 0;      // of an unfinished store: in the shards that are there
  std::int64_t sources = 0;    // recordings that it was or is made from; 0: not known
  std::int64_t shards = 0;     // that are there; 0: the store is one file
  std::int64_t bytes = 0;      // of all its files
  std::string created;         // UTC, "2026-11-23T08:00:00Z"; of the last of its files
  std::string parameters;      // JSON: settings, rate, dimension, what computed it; "" when unknown
  bool finished = true;        // false: shards without an index; the command that began it continues
  bool being_written = false;  // somebody has a file of it open, or wrote one in the last day and may be back
  std::string problem;   // "" for a store that is well as far as was looked; each file that is not, "; "
  bool damaged = false;  // the problem is in the files' bytes or a file is missing; the rest is kept
};

// The stores of a folder by name. Reads seals and indexes only, so a flipped byte in the data goes unnoticed.
// Throws ConfigError when there is no such folder or it cannot be listed.
std::vector<StoreFacts> list_stores(const std::filesystem::path& folder);
// The same with every checksum verified.
std::vector<StoreFacts> verify_stores(const std::filesystem::path& folder);

struct Pruned {
  std::filesystem::path path;
  std::int64_t bytes = 0;
  std::string reason;
};
// Deletes, file by file:
//   - what is torn or corrupt (every checksum is verified), and shards that no index of theirs names;
//   - whole stores, finished or not, whose newest file was created more than `older_than_days` ago, when given;
//   - temporary files whose writer is gone: known to be on this machine (core/files.h: is_abandoned), and
//     taken to be elsewhere when nothing was written for a day.
// Nothing of a store that is being written is touched, that is one with a temporary file that is none of the
// above. Sound shards of an unfinished store stay. Nothing else in the folder is touched; a file that cannot
// be read, which may be sound, is named in a warning. Throws ConfigError as above, DataError when a file cannot
// be deleted.
std::vector<Pruned> prune_stores(const std::filesystem::path& folder, std::optional<double> older_than_days);

}  // namespace serval::store
