// Writes one file of a store: all of it, or a shard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "serval/core/files.h"
#include "serval/features/feature_matrix.h"
#include "serval/store/hdf5.h"
#include "serval/store/store.h"

#include "part.h"

namespace serval::store {

class PartWriter {
 public:
  // Makes a temporary file; the number only names it.
  PartWriter(const std::filesystem::path& folder, const StoreInfo& info, int number);

  void append(const std::string& id, const audio::QuantisedAudio& audio);
  void append(const std::string& id, const features::FeatureMatrix& features);
  std::int64_t items() const { return static_cast<std::int64_t>(ids_.size()); }
  std::int64_t rows() const { return offsets_.back(); }

  // Writes the rest, seals, and publishes under the name of `place`.
  void publish(const PartPlace& place);

 private:
  template <class T>
  void flush(std::vector<T>& batch);
  template <class T>
  void append_rows(const std::string& id, std::vector<T>& batch, std::span<const T> rows);

  std::filesystem::path folder_;
  const StoreInfo& info_;
  TemporaryFile temporary_;
  Hdf5File file_;
  std::vector<std::int64_t> offsets_ = {0};
  std::vector<std::string> ids_;
  std::vector<float> scale_;
  std::vector<std::string> hashes_;
  // Rows on their way to the file; one of the two is in use.
  std::vector<float> values_;
  std::vector<std::int16_t> codes_;
};

}  // namespace serval::store
