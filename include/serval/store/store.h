// Stores: decoded audio or features of a whole manifest in one HDF5 file, keyed by what it was made from.
//
// A store is <folder>/<kind>-<hash>.h5, sealed (store/seal.h) and published by one rename:
//   /data     features: float32 [rows, dimension], a row is a frame; audio: int16 [rows, 1], a row is a sample
//   /offsets  int64 [items + 1]: item i has the rows [offsets[i], offsets[i + 1])
//   /ids      text [items], in the manifest's order
//   /scale    float32 [items], audio alone: sample = code * scale
// with attributes format, kind, key, stage_version, settings (resolved JSON), dimension, sample_rate_hz,
// computed_on and creator.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serval/features/feature_matrix.h"
#include "serval/store/hdf5.h"
#include "serval/store/quantise.h"

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
// Features follow from the audio, and their bits from what computed them ("cpu", "cuda", ...).
StoreKey features_key(int stage_version, const std::string& settings, const StoreKey& audio,
                      const std::string& computed_on);

// "<folder>/<kind>-<hash>.h5"
std::filesystem::path store_path(const std::filesystem::path& folder, const StoreKey& key);

struct StoreInfo {
  StoreKey key;
  int stage_version = 0;
  std::string settings;
  std::int64_t dimension = 1;  // 1 for audio
  int sample_rate_hz = 0;
  std::string computed_on;
  std::string creator;  // "serval 0.1.0"
};

// Writes one store, item by item in the manifest's order. Holds kBatchBytes, the item being appended, and
// about 100 bytes an item; nothing grows with the rows. Any number of writers, on any machines, may write the
// same store at once: each has a file of its own until its finish(), and the last one stays. Throws DiskError
// when there is no room, ConfigError when the folder cannot be made, DataError otherwise.
class StoreWriter {
 public:
  static constexpr std::size_t kBatchBytes = std::size_t{4} << 20;

  StoreWriter(const std::filesystem::path& folder, StoreInfo info);
  ~StoreWriter();  // without finish(): nothing was published and nothing stays
  StoreWriter(StoreWriter&&) noexcept;
  StoreWriter& operator=(StoreWriter&&) noexcept;

  // Ids are unique. Audio goes to audio stores, features of the store's dimension to feature stores.
  void append(const std::string& id, const QuantisedAudio& audio);
  void append(const std::string& id, const features::FeatureMatrix& features);
  // Publishes the store and returns its path.
  std::filesystem::path finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// An open store, its checksum verified. Holds offsets and ids; rows are read when asked for.
class Store {
 public:
  const StoreInfo& info() const { return info_; }
  std::int64_t items() const { return static_cast<std::int64_t>(ids_.size()); }
  std::int64_t rows() const { return offsets_.back(); }
  const std::vector<std::int64_t>& offsets() const { return offsets_; }  // [items + 1], in rows
  const std::vector<std::string>& ids() const { return ids_; }

  // The rows of items [first, first + count), one after another: [rows, dimension]. Audio comes as samples.
  // `out` has room for exactly that. Holds kBatchBytes more at most.
  void read(std::int64_t first, std::int64_t count, std::span<float> out) const;
  std::vector<float> read(std::int64_t first, std::int64_t count) const;
  std::vector<float> read_all() const { return read(0, items()); }
  features::FeatureMatrix read_features(std::int64_t item) const;
  QuantisedAudio read_audio(std::int64_t item) const;

 private:
  friend std::optional<Store> open_store(const std::filesystem::path& folder, const StoreKey& key);
  explicit Store(Hdf5File file);

  Hdf5File file_;
  StoreInfo info_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::string> ids_;
  std::vector<float> scale_;  // audio alone
};

// None when there is no such store. Also none when it is torn, corrupt or of another key, with a warning that
// names the file and the reason: the caller makes it again. HDF5 sees no byte before the checksum was right.
std::optional<Store> open_store(const std::filesystem::path& folder, const StoreKey& key);

}  // namespace serval::store
