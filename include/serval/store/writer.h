// Writing a store, so that a killed writer loses one shard at most.
//
//   StoreWriter writer(folder, info, ids);
//   while (const auto gap = writer.next_gap()) {
//     for (std::int64_t source = gap->begin; source < gap->end; ++source) writer.append(source, ...);
//   }
//   writer.finish();
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "serval/features/feature_matrix.h"
#include "serval/store/store.h"

namespace serval::store {

// A shard is closed with the item that brings its size to `shard_bytes`. Its size is that of its rows, or of
// what they were made from where the writer says that this is more, and 64 bytes an item. So where shards
// begin and end follows from the content alone, and a continued store has the bytes of an uninterrupted one.
struct StoreLimits {
  std::int64_t shard_bytes = std::int64_t{256} << 20;
};

// Writes one store, source by source in the manifest's order; a source may be left out. Shards of the same key
// that are there already are verified and kept, and only the gaps between them are asked for: what a killed
// writer finished, or all but a damaged one. A store that fits into one shard is written as one file.
// Holds kBatchBytes, the item being appended, about 100 bytes for each item of the open shard and 16 for each
// source; nothing grows with the rows.
// Any number of writers, on any machines, may write the same store at once: each has files of its own until
// they are published, and the last one stays. Files that a writer on this machine left behind when it was
// killed are deleted first (core/files.h: is_abandoned).
// Throws DiskError when there is no room, ConfigError when the folder cannot be made, DataError otherwise;
// finished shards stay, and the next writer continues.
class StoreWriter {
 public:
  static constexpr std::size_t kBatchBytes = Store::kBatchBytes;

  // `sources` are the ids of all that the store may hold, in order; the texts must outlive the writer.
  StoreWriter(const std::filesystem::path& folder, StoreInfo info, std::vector<std::string_view> sources,
              const StoreLimits& limits = {});
  ~StoreWriter();  // without finish(): finished shards stay, nothing else does
  StoreWriter(StoreWriter&&) noexcept;
  StoreWriter& operator=(StoreWriter&&) noexcept;

  // How many sources are in shards that were kept.
  std::int64_t sources_kept() const;

  // The next sources [begin, end) to append; asked for once those of the last gap are done. None: finish().
  struct Gap {
    std::int64_t begin = 0, end = 0;
  };
  std::optional<Gap> next_gap();

  // In ascending order, within the gap. Audio goes to audio stores, features of the store's dimension to
  // feature stores. `made_from_bytes` counts for the shard's size where it is more than the rows.
  void append(std::int64_t source, const audio::QuantisedAudio& audio);
  void append(std::int64_t source, const features::FeatureMatrix& features, std::int64_t made_from_bytes = 0);

  // Publishes the store and returns its path.
  std::filesystem::path finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace serval::store
