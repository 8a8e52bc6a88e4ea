#include "part_writer.h"

#include "serval/audio/quantise.h"
#include "serval/core/error.h"

#include "store_layout.h"

namespace serval::store {
namespace fs = std::filesystem;

PartWriter::PartWriter(const fs::path& folder, const StoreInfo& info, int number)
    : folder_(folder),
      info_(info),
      temporary_(part_path(folder, info.key, number)),
      file_(Hdf5File::create(temporary_.path())) {
  const bool audio = info.key.kind == StoreKind::kAudio;
  file_.create_rows(layout::kData, audio ? Element::kInt16 : Element::kFloat32, info.dimension);
}

template <class T>
void PartWriter::flush(std::vector<T>& batch) {
  file_.append_rows(layout::kData, batch);
  batch.clear();
}

template <class T>
void PartWriter::append_rows(const std::string& id, std::vector<T>& batch, std::span<const T> rows) {
  constexpr std::size_t kBatchValues = Store::kBatchBytes / sizeof(T);
  if (batch.size() + rows.size() > kBatchValues) flush(batch);
  if (rows.size() > kBatchValues) {
    file_.append_rows(layout::kData, rows);
  } else {
    batch.reserve(kBatchValues);
    batch.insert(batch.end(), rows.begin(), rows.end());
  }
  ids_.push_back(id);
  offsets_.push_back(offsets_.back() + static_cast<std::int64_t>(rows.size()) / info_.dimension);
}

void PartWriter::append(const std::string& id, const audio::QuantisedAudio& audio) {
  append_rows(id, codes_, std::span<const std::int16_t>(audio.codes));
  scale_.push_back(audio.scale);
  hashes_.push_back(audio::hash_of(audio));
}

void PartWriter::append(const std::string& id, const features::FeatureMatrix& features) {
  append_rows(id, values_, std::span<const float>(features.values));
}

void PartWriter::publish(const PartPlace& place) {
  flush(values_);
  flush(codes_);
  file_.write(layout::kOffsets, std::span<const std::int64_t>(offsets_), Shape{items() + 1});
  file_.write_texts(layout::kIds, ids_);
  if (info_.key.kind == StoreKind::kAudio) {
    file_.write(layout::kScale, std::span<const float>(scale_), Shape{items()});
    file_.write_texts(layout::kHash, hashes_);
  }
  write_info(file_, info_, place);
  file_.close();
  seal_file(temporary_.path(), part_seal(info_.key, place.number, items()), info_note(info_, place.sources));
  temporary_.publish_as(part_path(folder_, info_.key, place.number));
}

}  // namespace serval::store
