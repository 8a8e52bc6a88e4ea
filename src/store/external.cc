#include "serval/store/external.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/core/text.h"

#include "external_source.h"

namespace serval::store {
namespace fs = std::filesystem;
using features::ExternalLayout;

namespace {

// Raised whenever the same file would be read to other values than before.
constexpr int kExternalVersion = 1;

constexpr std::size_t kMaxNamed = 10;

std::string lowered_ending(const fs::path& path) { return lower(path.extension().string()); }

std::unique_ptr<ExternalSource> open_source(const features::ExternalSettings& settings) {
  const auto refuse = [&](const std::string& what, const std::string& layouts) {
    throw ConfigError(cat(settings.path, ": ", what, " has no layout \"", to_string(settings.layout),
                          "\"; it may be ", layouts));
  };
  const ExternalLayout layout = settings.layout;
  const auto is_one_of = [&](std::initializer_list<ExternalLayout> allowed) {
    return layout == ExternalLayout::kAuto ||
           std::find(allowed.begin(), allowed.end(), layout) != allowed.end();
  };
  std::error_code error;
  const fs::file_status status = fs::status(settings.path, error);
  if (!fs::exists(status)) throw ConfigError(cat(settings.path, ": there is no such file or folder"));
  const std::string ending = lowered_ending(settings.path);
  const bool hdf5 = ending == ".h5" || ending == ".hdf5" || ending == ".hdf" || ending == ".he5";
  if (!hdf5 && !settings.group.empty())
    throw ConfigError(cat(settings.path, ": only an HDF5 file has a group \"", settings.group, "\""));
  if (fs::is_directory(status)) {
    if (!is_one_of({ExternalLayout::kFiles, ExternalLayout::kMatrix})) refuse("a folder", "files or matrix");
    return open_external_folder(settings);
  }
  if (fs::file_size(settings.path, error) == 0) throw DataError(cat(settings.path, ": is empty"));
  if (hdf5) {
    if (!is_one_of({ExternalLayout::kDatasets, ExternalLayout::kRagged, ExternalLayout::kMatrix}))
      refuse("an HDF5 file", "datasets, ragged or matrix");
    return open_external_hdf5(settings);
  }
  if (ending == ".npy") {
    if (!is_one_of({ExternalLayout::kMatrix})) refuse("a .npy file", "matrix");
    return open_external_npy(settings);
  }
  if (ending == ".npz") {
    if (!is_one_of({ExternalLayout::kFiles, ExternalLayout::kRagged, ExternalLayout::kMatrix}))
      refuse("a .npz archive", "files, ragged or matrix");
    return open_external_npz(settings);
  }
  if (ending == ".csv") {
    if (!is_one_of({ExternalLayout::kTable})) refuse("a CSV file", "table");
    return open_external_table(settings);
  }
  throw ConfigError(
      cat(settings.path, ": its ending says nothing; must be .h5, .hdf5, .npz, .npy, .csv, or a folder"));
}

std::string hash_content(const ExternalSource& source, const features::ExternalSettings& settings) {
  Hasher hasher;
  hasher.text(to_string(source.layout())).text(settings.group);
  for (const auto& [name, path] : source.files()) {
    check_interrupted();
    hasher.text(name).text(hash_file(path.string()));
  }
  return hasher.hex();
}

}  // namespace

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += cat(i > 0 ? ", " : "", shape[i]);
  return text + "]";
}

void set_item_shape(ExternalItem& item, std::span<const std::int64_t> shape) {
  const bool batch_of_one = shape.size() == 3 && shape[0] == 1;
  if (shape.empty() || shape.size() > 2) {
    item.problem =
        cat(item.place, " has the shape ", shape_text(shape), "; must be [dimension], or [time, dimension]",
            batch_of_one ? ": leave out the batch's axis" : "");
    return;
  }
  item.frames = shape.size() == 2 ? shape[0] : 1;
  item.dimension = shape.back();
  if (item.frames == 0 || item.dimension == 0) {
    item.problem = cat(item.place, " has no values: its shape is ", shape_text(shape));
  } else if (item.frames > kMaxExternalValues / item.dimension) {
    item.problem =
        cat(item.place, " has the shape ", shape_text(shape), ", more than ", kMaxExternalValues, " values");
  }
}

void check_ids(const std::vector<std::string>& ids, std::int64_t items, const std::string& place,
               const std::string& items_place) {
  if (static_cast<std::int64_t>(ids.size()) != items)
    throw DataError(cat(place, " has ", ids.size(), " ids, but ", items_place, " has ", items, " items"));
  if (ids.empty()) throw DataError(cat(place, " is empty: there are no items"));
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i].empty()) throw DataError(cat(place, ": the id of item ", i, " is empty"));
    const auto [first, is_new] = seen.emplace(ids[i], i);
    if (!is_new)
      throw DataError(cat(place, ": items ", first->second, " and ", i, " are both \"", ids[i], "\""));
  }
}

void check_offsets(const std::vector<std::int64_t>& offsets, std::int64_t rows, const std::string& place) {
  if (!offsets.empty() && offsets.front() == 0 && offsets.back() == rows &&
      std::is_sorted(offsets.begin(), offsets.end())) {
    return;
  }
  throw DataError(cat(place, " must begin with 0, never fall, and end with the ", rows, " rows of data; it ",
                      offsets.empty() ? std::string("is empty")
                                      : cat("goes from ", offsets.front(), " to ", offsets.back())));
}

std::string first_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kMaxNamed); ++i) text += "\n  " + lines[i];
  if (lines.size() > kMaxNamed) text += cat("\n  and ", lines.size() - kMaxNamed, " more");
  return text;
}

ExternalFeatures::ExternalFeatures(const features::ExternalSettings& settings)
    : settings_(settings), source_(open_source(settings)), content_hash_(hash_content(*source_, settings)) {
  for (const ExternalItem& item : source_->items()) names_.push_back(item.name);
}

ExternalFeatures::~ExternalFeatures() = default;
ExternalFeatures::ExternalFeatures(ExternalFeatures&&) noexcept = default;
ExternalFeatures& ExternalFeatures::operator=(ExternalFeatures&&) noexcept = default;

ExternalLayout ExternalFeatures::layout() const { return source_->layout(); }

std::string ExternalFeatures::provenance() const {
  JsonValue json = JsonValue::object();
  json.set("type", JsonValue::of("external"));
  json.set("path", JsonValue::of(settings_.path));
  json.set("layout", JsonValue::of(to_string(layout())));
  if (!settings_.group.empty()) json.set("group", JsonValue::of(settings_.group));
  json.set("content_hash", JsonValue::of(content_hash_));
  JsonValue attributes = JsonValue::object();
  for (const auto& [name, value] : source_->attributes()) attributes.set(name, JsonValue::of(value));
  json.set("attributes", std::move(attributes));
  return write_json(json);
}

std::int64_t ExternalFeatures::dimension(std::span<const std::size_t> items,
                                         std::span<const ExternalRecording> ids) const {
  SERVAL_CHECK(items.size() == ids.size() && !items.empty(), items.size(), " items of ", ids.size());
  std::vector<std::string> problems;
  const ExternalItem* first = nullptr;
  for (std::size_t r = 0; r < items.size(); ++r) {
    const ExternalItem& item = source_->items()[items[r]];
    if (!item.problem.empty()) {
      problems.push_back(cat(ids[r].id, ": ", item.problem));
    } else if (first == nullptr) {
      first = &item;
    } else if (item.dimension != first->dimension) {
      problems.push_back(cat(ids[r].id, ": ", item.place, " has ", item.dimension, " values a frame, but ",
                             first->place, " has ", first->dimension));
    }
  }
  if (!problems.empty()) {
    throw DataError(cat(settings_.path, ": the features of ", problems.size(), " of ", items.size(),
                        " recordings cannot be used:", first_lines(problems)));
  }
  return first->dimension;
}

features::FeatureMatrix ExternalFeatures::read(std::size_t item) const {
  const ExternalItem& from = source_->items().at(item);
  SERVAL_CHECK(from.problem.empty(), from.problem);
  features::FeatureMatrix matrix;
  matrix.frames = from.frames;
  matrix.dimension = from.dimension;
  matrix.values.resize(static_cast<std::size_t>(from.frames * from.dimension));
  source_->read(item, matrix.values);
  const auto bad = std::find_if_not(matrix.values.begin(), matrix.values.end(),
                                    [](float value) { return std::isfinite(value); });
  if (bad != matrix.values.end()) {
    const std::int64_t at = bad - matrix.values.begin();
    throw DataError(cat(from.place, ": frame ", at / from.dimension, ", value ", at % from.dimension, " is ",
                        *bad, ", not a finite number of float32"));
  }
  return matrix;
}

ImportedFeatures import_external(const features::ExternalSettings& settings,
                                 std::span<const ExternalRecording> recordings, const fs::path& folder,
                                 const std::string& creator, const StoreLimits& limits) {
  const ExternalFeatures external(settings);
  const std::vector<std::size_t> items = match_names(external.names(), recordings, settings.path);
  Hasher hasher;
  hasher.text("external features").integer(kExternalVersion).text(external.content_hash());
  for (std::size_t r = 0; r < items.size(); ++r) {
    hasher.text(recordings[r].id).text(external.names()[items[r]]);
  }
  StoreInfo info;
  info.key = {StoreKind::kFeatures, hasher.hex()};
  if (auto store = open_store(folder, info.key)) return {std::move(*store), true};

  if (const std::size_t extra = external.names().size() - items.size(); extra > 0) {
    std::vector<bool> used(external.names().size(), false);
    for (const std::size_t item : items) used[item] = true;
    const auto unused = static_cast<std::size_t>(std::find(used.begin(), used.end(), false) - used.begin());
    log_info(cat(settings.path, ": ", extra, " of its ", used.size(),
                 " items belong to no recording of the experiment, such as \"", external.names()[unused],
                 "\""));
  }
  info.stage_version = kExternalVersion;
  info.settings = external.provenance();
  info.dimension = external.dimension(items, recordings);
  info.computed_on = "elsewhere";
  info.creator = creator;
  std::vector<std::string_view> ids;
  for (const ExternalRecording& recording : recordings) ids.emplace_back(recording.id);
  StoreWriter writer(folder, info, ids, limits);
  Progress progress("reading " + settings.path, static_cast<std::int64_t>(items.size()));
  progress.advance(writer.sources_kept());
  while (const auto gap = writer.next_gap()) {
    for (std::int64_t r = gap->begin; r < gap->end; ++r) {
      check_interrupted();
      writer.append(r, external.read(items[static_cast<std::size_t>(r)]));
      progress.advance();
    }
  }
  writer.finish();
  auto store = open_store(folder, info.key);
  if (!store)
    throw DataError(cat(store_path(folder, info.key).string(), ": cannot be read back after writing"));
  return {std::move(*store), false};
}

}  // namespace serval::store
