// What every layout of external features gives: named items with shapes, and their values one item at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/settings.h"
#include "serval/features/external.h"

namespace serval::store {

struct ExternalItem {
  std::string name;   // as the file has it
  std::string place;  // for messages: file, and dataset or line
  std::int64_t frames = 0;
  std::int64_t dimension = 0;
  std::string problem;  // why it cannot be used; an error only if a recording needs it
};

class ExternalSource {
 public:
  ExternalSource() = default;
  ExternalSource(const ExternalSource&) = delete;
  ExternalSource& operator=(const ExternalSource&) = delete;
  virtual ~ExternalSource() = default;

  // `out` has frames * dimension values of an item without a problem: [frame, dimension].
  virtual void read(std::size_t item, std::span<float> out) = 0;

  const std::vector<ExternalItem>& items() const { return items_; }
  features::ExternalLayout layout() const { return layout_; }
  // Every file that the set was read from, in a fixed order: the name that its hash covers, and the file.
  const std::vector<std::pair<std::string, std::filesystem::path>>& files() const { return files_; }
  const NamedList<std::string>& attributes() const { return attributes_; }

 protected:
  std::vector<ExternalItem> items_;
  features::ExternalLayout layout_ = features::ExternalLayout::kAuto;
  std::vector<std::pair<std::string, std::filesystem::path>> files_;
  NamedList<std::string> attributes_;
};

// Each throws ConfigError when the settings do not fit the file, DataError for what is wrong inside.
std::unique_ptr<ExternalSource> open_external_hdf5(const features::ExternalSettings& settings);
std::unique_ptr<ExternalSource> open_external_npy(const features::ExternalSettings& settings);  // matrix
std::unique_ptr<ExternalSource> open_external_folder(
    const features::ExternalSettings& settings);  // files or matrix
std::unique_ptr<ExternalSource> open_external_npz(const features::ExternalSettings& settings);
std::unique_ptr<ExternalSource> open_external_table(const features::ExternalSettings& settings);

// One recording may have this many values: 4 GiB of them. More is a broken header rather than speech.
inline constexpr std::int64_t kMaxExternalValues = std::int64_t{1} << 30;

// Fills frames and dimension from an array's shape: [dimension] or [time, dimension]; or says the problem.
void set_item_shape(ExternalItem& item, std::span<const std::int64_t> shape);

// "[1499, 768]"
std::string shape_text(std::span<const std::int64_t> shape);

// Item names of ragged and matrix sets: throws DataError unless there are `items` of them, no one empty or twice.
void check_ids(const std::vector<std::string>& ids, std::int64_t items, const std::string& place,
               const std::string& items_place);

// Of ragged sets: throws DataError unless they begin with 0, never fall, and end with `rows`.
void check_offsets(const std::vector<std::int64_t>& offsets, std::int64_t rows, const std::string& place);

// The first ten lines, and how many more there are.
std::string first_lines(const std::vector<std::string>& lines);

}  // namespace serval::store
