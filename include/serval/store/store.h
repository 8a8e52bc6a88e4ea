// Stores: decoded audio or features of a whole manifest, keyed by what they were made from.
//
// A small store is one HDF5 file, <folder>/<kind>-<hash>.h5, sealed (store/seal.h) and published by one rename:
//   /data     features: float32 [rows, dimension], a row is a frame; audio: int16 [rows, 1], a row is a sample
//   /offsets  int64 [items + 1]: item i has the rows [offsets[i], offsets[i + 1])
//   /ids      text [items], in the manifest's order
//   /scale    float32 [items], audio alone: sample = code * scale
//   /hash     text [items], audio alone: of scale and codes
// with attributes format, kind, key, stage_version, settings (resolved JSON), dimension, sample_rate_hz,
// computed_on and creator, and sources, source_begin, source_end: which of the manifest's recordings it was
// made from.
// A large one is several such files, its shards <kind>-<hash>.000.h5 and so on, each sealed and whole by itself
// (offsets from 0), and an index under the store's own name, published last:
//   /shards   int64 [shards, 4]: source_begin, source_end, items, rows
// with the same attributes. Shards without an index are a store that is not finished; store/writer.h continues
// it. Readers see no difference. The parameters also stand as JSON in each file's note (store/seal.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serval/audio/quantise.h"
#include "serval/core/hash.h"
#include "serval/features/feature_matrix.h"
#include "serval/store/hdf5.h"

namespace serval::store {

enum class StoreKind { kAudio, kFeatures };
const char* to_string(StoreKind kind);  // "audio", "features"

struct StoreKey {
  StoreKind kind = StoreKind::kAudio;
  std::string hash;  // 32 hexadecimal digits
  friend bool operator==(const StoreKey&, const StoreKey&) = default;
};

struct Source {
  std::string id;
  std::string content_hash;  // of the recording's file
};

// `stage_version` is a number in the code that makes the content: raised whenever its output may change.
// `settings` is the stage's resolved settings as JSON text.
StoreKey audio_key(int stage_version, const std::string& settings, std::span<const Source> sources);
// The same, fed source by source.
class AudioKeyMaker {
 public:
  AudioKeyMaker(int stage_version, const std::string& settings, std::size_t sources);
  void add(const std::string& id, const std::string& content_hash);
  StoreKey key() const { return {StoreKind::kAudio, hasher_.hex()}; }

 private:
  Hasher hasher_;
};
// Features follow from the audio, and their bits from what computed them ("cpu", "cuda", ...).
StoreKey features_key(int stage_version, const std::string& settings, const StoreKey& audio,
                      const std::string& computed_on);

// "<folder>/<kind>-<hash>.h5": the store, or its index.
std::filesystem::path store_path(const std::filesystem::path& folder, const StoreKey& key);

struct StoreInfo {
  StoreKey key;
  int stage_version = 0;
  std::string settings;        // JSON, or ""
  std::int64_t dimension = 1;  // 1 for audio
  int sample_rate_hz = 0;
  std::string computed_on;
  std::string creator;  // "serval 0.1.0"
};

struct Part;      // src/store/part.h
class PartFiles;  // src/store/part_files.h

// An open store, its checksums verified. Holds offsets and ids, about 100 bytes an item; rows are read when
// asked for. Several threads may read at once; they take turns. Throws DataError when a file has gone since.
class Store {
 public:
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  const StoreInfo& info() const { return info_; }
  std::int64_t items() const { return static_cast<std::int64_t>(ids_.size()); }
  std::int64_t rows() const { return offsets_.back(); }
  const std::vector<std::int64_t>& offsets() const { return offsets_; }  // [items + 1], in rows
  const std::vector<std::string>& ids() const { return ids_; }
  std::int64_t files() const { return static_cast<std::int64_t>(first_item_.size()) - 1; }  // that hold data

  // The rows of items [first, first + count), one after another: [rows, dimension]. Audio comes as samples.
  // `out` has room for exactly that. Holds kBatchBytes more at most.
  static constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
  void read(std::int64_t first, std::int64_t count, std::span<float> out) const;
  std::vector<float> read(std::int64_t first, std::int64_t count) const;
  std::vector<float> read_all() const { return read(0, items()); }
  features::FeatureMatrix read_features(std::int64_t item) const;
  audio::QuantisedAudio read_audio(std::int64_t item) const;
  // [items] what hash_of (audio/quantise.h) says of each; audio alone.
  std::vector<std::string> read_hashes() const;

 private:
  friend std::optional<Store> open_store(const std::filesystem::path& folder, const StoreKey& key);
  Store(const std::filesystem::path& folder, StoreInfo info);
  void add(Part part);
  void check_items(std::int64_t first, std::int64_t count) const;
  std::int64_t row_of(std::int64_t item) const;
  void read_part(std::size_t part, std::int64_t first, std::int64_t count, std::span<float> out) const;
  std::size_t part_of(std::int64_t item) const;

  StoreInfo info_;
  std::vector<std::int64_t> offsets_ = {0};
  std::vector<std::string> ids_;
  std::vector<float> scale_;                    // audio alone
  std::vector<std::int64_t> first_item_ = {0};  // [parts + 1]
  std::unique_ptr<PartFiles> files_;
};

// None when there is no such store. Also none when one of its files is missing, torn, corrupt or of another
// key, with a warning that names each and the reason: the caller makes it again with a StoreWriter, which
// keeps what is sound. HDF5 sees no byte before the checksum was right.
std::optional<Store> open_store(const std::filesystem::path& folder, const StoreKey& key);

}  // namespace serval::store
