// A part: one file of a store, all of it or a shard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "serval/store/seal.h"
#include "serval/store/store.h"

#include "file_names.h"

namespace serval::store {

// Which of the manifest's recordings a part was made from. Those that could not be used have no item.
struct PartPlace {
  int number = kWhole;
  std::int64_t source_begin = 0, source_end = 0;
  std::int64_t sources = 0;  // of the whole store
};

struct Part {
  std::string checksum;  // of its seal
  StoreInfo info;
  PartPlace place;
  std::vector<std::int64_t> offsets;
  std::vector<std::string> ids;
  std::vector<float> scale;  // audio alone
};

// What a part's seal says, or (number == kIndex) that of an index.
inline constexpr int kIndex = -2;
Seal part_seal(const StoreKey& key, int number, std::int64_t items);

// Verifies the file and then reads all but its rows. Throws DamagedError or DataError naming what is wrong: not
// a sealed file, one of another key or number, or one whose content does not fit together. Throws
// InterruptedError before it begins.
Part read_part(const std::filesystem::path& path, const StoreKey& key, int number);

// The attributes that parts and indexes share.
void write_info(Hdf5File& file, const StoreInfo& info, const PartPlace& place);
StoreInfo read_info(const Hdf5File& file);

// The parameters of a store as JSON, for a file's note.
std::string info_note(const StoreInfo& info, std::int64_t sources);

struct ShardRow {
  std::int64_t source_begin = 0, source_end = 0, items = 0, rows = 0;
};
struct Index {
  StoreInfo info;
  std::int64_t sources = 0;
  std::vector<ShardRow> shards;
};
void write_index(const std::filesystem::path& folder, const Index& index);
// Throws like read_part.
Index read_index(const std::filesystem::path& path, const StoreKey& key);
// Whether the file under the store's own name is an index; throws like read_part.
bool is_index(const std::filesystem::path& path, const StoreKey& key);

}  // namespace serval::store
