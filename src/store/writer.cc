#include <unordered_set>
#include <utility>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/store/seal.h"
#include "serval/store/store.h"

#include "store_layout.h"

namespace serval::store {
namespace fs = std::filesystem;

struct StoreWriter::State {
  StoreInfo info;
  fs::path path;
  TemporaryFile temporary;
  Hdf5File file;
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::string> ids;
  std::vector<float> scale;
  std::unordered_set<std::string> seen{};
  // Rows on their way to the file; one of the two is in use.
  std::vector<float> values{};
  std::vector<std::int16_t> codes{};

  State(StoreInfo wanted, const fs::path& store)
      : info(std::move(wanted)), path(store), temporary(store), file(Hdf5File::create(temporary.path())) {}

  template <class T>
  void flush(std::vector<T>& batch) {
    file.append_rows(layout::kData, batch);
    batch.clear();
  }

  template <class T>
  void append(const std::string& id, std::vector<T>& batch, std::span<const T> rows) {
    constexpr std::size_t kBatchValues = kBatchBytes / sizeof(T);
    SERVAL_CHECK(seen.insert(id).second, "\"", id, "\" is in the store already");
    if (batch.size() + rows.size() > kBatchValues) flush(batch);
    if (rows.size() > kBatchValues) {
      file.append_rows(layout::kData, rows);
    } else {
      batch.reserve(kBatchValues);
      batch.insert(batch.end(), rows.begin(), rows.end());
    }
    ids.push_back(id);
    offsets.push_back(offsets.back() + static_cast<std::int64_t>(rows.size()) / info.dimension);
  }

  void write_the_rest() {
    flush(values);
    flush(codes);
    const auto items = static_cast<std::int64_t>(ids.size());
    file.write(layout::kOffsets, std::span<const std::int64_t>(offsets), Shape{items + 1});
    file.write_texts(layout::kIds, ids);
    if (info.key.kind == StoreKind::kAudio)
      file.write(layout::kScale, std::span<const float>(scale), Shape{items});
    file.write_attribute(layout::kFormatAttribute, layout::kFormat);
    file.write_attribute(layout::kKind, to_string(info.key.kind));
    file.write_attribute(layout::kKey, info.key.hash);
    file.write_attribute(layout::kStageVersion, info.stage_version);
    file.write_attribute(layout::kSettings, info.settings);
    file.write_attribute(layout::kDimension, info.dimension);
    file.write_attribute(layout::kSampleRate, info.sample_rate_hz);
    file.write_attribute(layout::kComputedOn, info.computed_on);
    file.write_attribute(layout::kCreator, info.creator);
    file.close();
  }
};

StoreWriter::StoreWriter(const fs::path& folder, StoreInfo info) {
  SERVAL_CHECK(info.dimension > 0 && (info.key.kind == StoreKind::kFeatures || info.dimension == 1),
               "dimension ", info.dimension, " of ", to_string(info.key.kind));
  make_folder(folder);
  const fs::path path = store_path(folder, info.key);
  state_ = std::make_unique<State>(std::move(info), path);
  const bool audio = state_->info.key.kind == StoreKind::kAudio;
  state_->file.create_rows(layout::kData, audio ? Element::kInt16 : Element::kFloat32,
                           state_->info.dimension);
}

StoreWriter::~StoreWriter() = default;
StoreWriter::StoreWriter(StoreWriter&&) noexcept = default;
StoreWriter& StoreWriter::operator=(StoreWriter&&) noexcept = default;

void StoreWriter::append(const std::string& id, const QuantisedAudio& audio) {
  SERVAL_CHECK(state_ && state_->info.key.kind == StoreKind::kAudio, id,
               " is audio; the store is not, or finished");
  state_->append(id, state_->codes, std::span<const std::int16_t>(audio.codes));
  state_->scale.push_back(audio.scale);
}

void StoreWriter::append(const std::string& id, const features::FeatureMatrix& features) {
  SERVAL_CHECK(state_ && state_->info.key.kind == StoreKind::kFeatures, id,
               " is features; the store is not, or finished");
  SERVAL_CHECK(features.dimension == state_->info.dimension &&
                   static_cast<std::int64_t>(features.values.size()) == features.frames * features.dimension,
               id, " has ", features.values.size(), " values, ", features.frames, " x ", features.dimension);
  state_->append(id, state_->values, std::span<const float>(features.values));
}

fs::path StoreWriter::finish() {
  SERVAL_CHECK(state_, "the store is finished");
  const std::unique_ptr<State> state = std::move(state_);
  state->write_the_rest();
  seal_file(state->temporary.path(), {.kind = to_string(state->info.key.kind),
                                      .key = state->info.key.hash,
                                      .items = static_cast<std::int64_t>(state->ids.size())});
  state->temporary.publish();
  return state->path;
}

}  // namespace serval::store
