// Features made elsewhere, from their files into a feature store.
//
// An item of the file belongs to the recording that its name fits, tried in this order (a name's own ending, such
// as ".wav", counts or not):
//   the recording's id                 "ravdess/03-01-01-01-01-01-01"
//   the end of the recording's path    "03-01-01-01-01-01-01.wav", "Actor_01/03-01-01-01-01-01-01"
//   both again without the folders that all names of the file start with: "/home/me/ravdess/..." of a machine where
//   the recordings lie elsewhere
// Nothing is dropped in silence: a recording without an item, with two of them, or a name that fits two recordings
// is an error. Items that fit no recording are left out and said.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "serval/features/external.h"
#include "serval/features/feature_matrix.h"
#include "serval/store/store.h"
#include "serval/store/writer.h"

namespace serval::store {

class ExternalSource;  // src/store/external_source.h

struct ExternalRecording {
  std::string id;    // "<corpus>/<file name without ending>"
  std::string path;  // where its sound is
};

// The recordings that each name fits, as numbers, ascending; none for a name that fits nowhere.
std::vector<std::vector<std::size_t>> fitting_recordings(const std::vector<std::string>& names,
                                                         std::span<const ExternalRecording> recordings);

// Throws DataError when a recording has no item or two, or an item's name fits two recordings; the message starts
// with `where`. Returns the item of each recording.
std::vector<std::size_t> match_names(const std::vector<std::string>& names,
                                     std::span<const ExternalRecording> recordings, const std::string& where);

class ExternalFeatures {
 public:
  // Looks at the whole file or folder, but loads no values, a CSV's excepted. Throws ConfigError when there is no
  // such file or `layout` cannot be in it, DataError naming what is wrong with its structure.
  explicit ExternalFeatures(const features::ExternalSettings& settings);
  ~ExternalFeatures();
  ExternalFeatures(ExternalFeatures&&) noexcept;
  ExternalFeatures& operator=(ExternalFeatures&&) noexcept;

  features::ExternalLayout layout() const;                          // never kAuto
  const std::vector<std::string>& names() const { return names_; }  // of its items, in its order
  // Of every byte that was looked at, names of files included, and of how it was read; not of where it lies.
  const std::string& content_hash() const { return content_hash_; }
  // JSON: path, layout, content hash, and the HDF5 group's attributes that are texts or numbers.
  std::string provenance() const;

  // Shapes of these items: throws DataError unless each has at least one frame of finite size and all have the same
  // dimension, which is returned. `ids` are of the recordings, for the message.
  std::int64_t dimension(std::span<const std::size_t> items, std::span<const ExternalRecording> ids) const;
  // float16, float32, float64 and integers become float32. Throws DataError for a value that is no finite number.
  features::FeatureMatrix read(std::size_t item) const;

 private:
  features::ExternalSettings settings_;
  std::unique_ptr<ExternalSource> source_;
  std::vector<std::string> names_;
  std::string content_hash_;
};

struct ImportedFeatures {
  Store store;
  bool already_there = false;
};

// The store of the features of these recordings, in their order: opened, or copied from the file where there is none.
// Its key covers the content hash, the recordings and which item each got, so a changed file is a new set.
ImportedFeatures import_external(const features::ExternalSettings& settings,
                                 std::span<const ExternalRecording> recordings,
                                 const std::filesystem::path& folder, const std::string& creator,
                                 const StoreLimits& limits = {});

}  // namespace serval::store
