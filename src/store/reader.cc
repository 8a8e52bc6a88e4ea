#include <algorithm>
#include <utility>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/store/store.h"

#include "part.h"
#include "part_files.h"
#include "store_layout.h"

namespace serval::store {
namespace fs = std::filesystem;

Store::Store(const fs::path& folder, StoreInfo info)
    : info_(std::move(info)), files_(std::make_unique<PartFiles>(folder, info_.key)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

void Store::add(Part part) {
  files_->add(part);
  const std::int64_t rows = offsets_.back();
  for (std::size_t i = 1; i < part.offsets.size(); ++i) offsets_.push_back(rows + part.offsets[i]);
  std::move(part.ids.begin(), part.ids.end(), std::back_inserter(ids_));
  scale_.insert(scale_.end(), part.scale.begin(), part.scale.end());
  first_item_.push_back(items());
}

std::int64_t Store::row_of(std::int64_t item) const { return offsets_[static_cast<std::size_t>(item)]; }

void Store::check_items(std::int64_t first, std::int64_t count) const {
  SERVAL_CHECK(first >= 0 && count >= 0 && first + count <= items(), "items ", first, " + ", count, " of ",
               items());
}

// The items [first, first + count), all of one part.
void Store::read_part(std::size_t part, std::int64_t first, std::int64_t count, std::span<float> out) const {
  const std::int64_t part_row = row_of(first_item_[part]);
  const std::int64_t begin = row_of(first), end = row_of(first + count);
  if (info_.key.kind == StoreKind::kFeatures) {
    files_->read_rows(part, begin - part_row, out);
    return;
  }
  // Codes come in batches that do not care where items begin; each is scaled item by item.
  constexpr std::int64_t kBatchRows = kBatchBytes / sizeof(std::int16_t);
  std::vector<std::int16_t> codes(static_cast<std::size_t>(std::min(kBatchRows, end - begin)));
  auto item = static_cast<std::size_t>(first);
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t batch_end = std::min(end, row + kBatchRows);
    const std::span<std::int16_t> batch(codes.data(), static_cast<std::size_t>(batch_end - row));
    files_->read_rows(part, row - part_row, batch);
    const std::int64_t batch_begin = row;
    while (row < batch_end) {
      while (offsets_[item + 1] <= row) ++item;
      const auto length = static_cast<std::size_t>(std::min(batch_end, offsets_[item + 1]) - row);
      audio::dequantise(batch.subspan(static_cast<std::size_t>(row - batch_begin), length), scale_[item],
                        out.subspan(static_cast<std::size_t>(row - begin), length));
      row += static_cast<std::int64_t>(length);
    }
  }
}

std::size_t Store::part_of(std::int64_t item) const {
  const auto above = std::upper_bound(first_item_.begin(), first_item_.end(), item);
  return static_cast<std::size_t>(above - first_item_.begin()) - 1;
}

void Store::read(std::int64_t first, std::int64_t count, std::span<float> out) const {
  check_items(first, count);
  const std::int64_t rows = row_of(first + count) - row_of(first);
  SERVAL_CHECK(static_cast<std::int64_t>(out.size()) == rows * info_.dimension, out.size(), " values for ",
               rows, " rows of ", info_.dimension);
  while (count > 0) {
    const std::size_t part = part_of(first);
    const std::int64_t here = std::min(count, first_item_[part + 1] - first);
    const auto values = static_cast<std::size_t>((row_of(first + here) - row_of(first)) * info_.dimension);
    read_part(part, first, here, out.subspan(0, values));
    out = out.subspan(values);
    first += here;
    count -= here;
  }
}

std::vector<float> Store::read(std::int64_t first, std::int64_t count) const {
  check_items(first, count);
  std::vector<float> out(static_cast<std::size_t>((row_of(first + count) - row_of(first)) * info_.dimension));
  read(first, count, out);
  return out;
}

features::FeatureMatrix Store::read_features(std::int64_t item) const {
  SERVAL_CHECK(info_.key.kind == StoreKind::kFeatures, "features from a store of audio");
  features::FeatureMatrix out;
  out.values = read(item, 1);
  out.dimension = info_.dimension;
  out.frames = static_cast<std::int64_t>(out.values.size()) / out.dimension;
  return out;
}

audio::QuantisedAudio Store::read_audio(std::int64_t item) const {
  SERVAL_CHECK(info_.key.kind == StoreKind::kAudio, "audio from a store of features");
  check_items(item, 1);
  const std::size_t part = part_of(item);
  audio::QuantisedAudio out{
      std::vector<std::int16_t>(static_cast<std::size_t>(row_of(item + 1) - row_of(item))),
      scale_[static_cast<std::size_t>(item)]};
  files_->read_rows(part, row_of(item) - row_of(first_item_[part]), std::span<std::int16_t>(out.codes));
  return out;
}

std::vector<std::string> Store::read_hashes() const {
  SERVAL_CHECK(info_.key.kind == StoreKind::kAudio, "hashes of audio from a store of features");
  std::vector<std::string> out;
  for (std::size_t part = 0; part + 1 < first_item_.size(); ++part) {
    for (std::string& hash : files_->read_texts(part, layout::kHash)) out.push_back(std::move(hash));
  }
  return out;
}

namespace {

// The parts of a sharded store. Every shard is looked at, so that one warning names each that is wrong.
std::optional<std::vector<Part>> read_shards(const fs::path& folder, const Index& index) {
  std::vector<Part> parts;
  bool sound = true;
  for (std::size_t i = 0; i < index.shards.size(); ++i) {
    const ShardRow& row = index.shards[i];
    const fs::path path = part_path(folder, index.info.key, static_cast<int>(i));
    try {
      Part part = read_part(path, index.info.key, static_cast<int>(i));
      if (part.place.source_begin != row.source_begin || part.place.source_end != row.source_end ||
          part.place.sources != index.sources || static_cast<std::int64_t>(part.ids.size()) != row.items ||
          part.offsets.back() != row.rows) {
        throw DataError(cat(path.string(), ": is not the shard that the store's index names"));
      }
      if (sound) parts.push_back(std::move(part));
    } catch (const DataError& why) {
      log_warning(cat(why.what(), "; it is not used and will be made again"));
      sound = false;
    }
  }
  if (!sound) return std::nullopt;
  return parts;
}

}  // namespace

std::optional<Store> open_store(const fs::path& folder, const StoreKey& key) {
  const fs::path path = store_path(folder, key);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    if (!is_index(path, key)) {
      Part part = read_part(path, key, kWhole);
      Store store(folder, part.info);
      store.add(std::move(part));
      return store;
    }
    const Index index = read_index(path, key);
    std::optional<std::vector<Part>> parts = read_shards(folder, index);
    if (!parts) return std::nullopt;
    Store store(folder, index.info);
    for (Part& part : *parts) store.add(std::move(part));
    return store;
  } catch (const DataError& why) {
    log_warning(cat(why.what(), "; it is not used and will be made again"));
    return std::nullopt;
  }
}

}  // namespace serval::store
