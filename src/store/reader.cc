#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/store/seal.h"
#include "serval/store/store.h"

#include "store_layout.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

StoreInfo read_info(const Hdf5File& file) {
  const std::int64_t format = file.read_integer_attribute(layout::kFormatAttribute);
  if (format != layout::kFormat) {
    throw DataError(
        cat(file.path().string(), ": has format ", format, "; this program reads ", layout::kFormat));
  }
  StoreInfo info;
  info.key.kind = file.read_text_attribute(layout::kKind) == to_string(StoreKind::kAudio)
                      ? StoreKind::kAudio
                      : StoreKind::kFeatures;
  info.key.hash = file.read_text_attribute(layout::kKey);
  info.stage_version = static_cast<int>(file.read_integer_attribute(layout::kStageVersion));
  info.settings = file.read_text_attribute(layout::kSettings);
  info.dimension = file.read_integer_attribute(layout::kDimension);
  info.sample_rate_hz = static_cast<int>(file.read_integer_attribute(layout::kSampleRate));
  info.computed_on = file.read_text_attribute(layout::kComputedOn);
  info.creator = file.read_text_attribute(layout::kCreator);
  return info;
}

}  // namespace

Store::Store(Hdf5File file) : file_(std::move(file)), info_(read_info(file_)) {
  offsets_ = file_.read_int64s(layout::kOffsets);
  ids_ = file_.read_texts(layout::kIds);
  if (info_.key.kind == StoreKind::kAudio) scale_ = file_.read_floats(layout::kScale);
  const bool whole = offsets_.size() == ids_.size() + 1 && offsets_.front() == 0 &&
                     std::is_sorted(offsets_.begin(), offsets_.end()) &&
                     file_.shape(layout::kData) == Shape{offsets_.back(), info_.dimension} &&
                     (info_.key.kind == StoreKind::kFeatures || scale_.size() == ids_.size());
  if (!whole) throw DataError(cat(file_.path().string(), ": its offsets, ids and data do not fit together"));
}

void Store::read(std::int64_t first, std::int64_t count, std::span<float> out) const {
  SERVAL_CHECK(first >= 0 && count >= 0 && first + count <= items(), "items ", first, " + ", count, " of ",
               items());
  const std::int64_t begin = offsets_[static_cast<std::size_t>(first)];
  const std::int64_t end = offsets_[static_cast<std::size_t>(first + count)];
  SERVAL_CHECK(static_cast<std::int64_t>(out.size()) == (end - begin) * info_.dimension, out.size(),
               " values for ", end - begin, " rows of ", info_.dimension);
  if (info_.key.kind == StoreKind::kFeatures) {
    file_.read_rows(layout::kData, begin, out);
    return;
  }
  // Codes come in batches that do not care where items begin; each is scaled item by item.
  constexpr std::int64_t kBatchRows = StoreWriter::kBatchBytes / sizeof(std::int16_t);
  std::vector<std::int16_t> codes(static_cast<std::size_t>(std::min(kBatchRows, end - begin)));
  auto item = static_cast<std::size_t>(first);
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t batch_end = std::min(end, row + kBatchRows);
    const std::span<std::int16_t> batch(codes.data(), static_cast<std::size_t>(batch_end - row));
    file_.read_rows(layout::kData, row, batch);
    const std::int64_t batch_begin = row;
    while (row < batch_end) {
      while (offsets_[item + 1] <= row) ++item;
      const auto length = static_cast<std::size_t>(std::min(batch_end, offsets_[item + 1]) - row);
      dequantise(batch.subspan(static_cast<std::size_t>(row - batch_begin), length), scale_[item],
                 out.subspan(static_cast<std::size_t>(row - begin), length));
      row += static_cast<std::int64_t>(length);
    }
  }
}

std::vector<float> Store::read(std::int64_t first, std::int64_t count) const {
  SERVAL_CHECK(first >= 0 && count >= 0 && first + count <= items(), "items ", first, " + ", count, " of ",
               items());
  const std::int64_t rows =
      offsets_[static_cast<std::size_t>(first + count)] - offsets_[static_cast<std::size_t>(first)];
  std::vector<float> out(static_cast<std::size_t>(rows * info_.dimension));
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

QuantisedAudio Store::read_audio(std::int64_t item) const {
  SERVAL_CHECK(info_.key.kind == StoreKind::kAudio, "audio from a store of features");
  SERVAL_CHECK(item >= 0 && item < items(), "item ", item, " of ", items());
  const auto i = static_cast<std::size_t>(item);
  QuantisedAudio out{std::vector<std::int16_t>(static_cast<std::size_t>(offsets_[i + 1] - offsets_[i])),
                     scale_[i]};
  file_.read_rows(layout::kData, offsets_[i], std::span<std::int16_t>(out.codes));
  return out;
}

std::optional<Store> open_store(const fs::path& folder, const StoreKey& key) {
  const fs::path path = store_path(folder, key);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    const Seal seal = verify_seal(path);
    if (seal.kind != to_string(key.kind) || seal.key != key.hash) {
      throw DataError(
          cat(path.string(), ": holds ", seal.kind, " of key ", seal.key, ", not what its name says"));
    }
    Store store(Hdf5File::open(path));
    if (store.info().key != key) throw DataError(cat(path.string(), ": its attributes and its seal differ"));
    return store;
  } catch (const DataError& why) {
    log_warning(cat(why.what(), "; it is not used and will be made again"));
    return std::nullopt;
  }
}

}  // namespace serval::store
