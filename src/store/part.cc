#include "part.h"

#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"

#include "store_layout.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

std::string sealed_kind(StoreKind kind, int number) {
  const char* ending = number == kIndex ? "-index" : number == kWhole ? "" : "-shard";
  return cat(to_string(kind), ending);
}

// The seal must be of what the name says.
void require_seal(const fs::path& path, const Seal& seal, const StoreKey& key, int number) {
  const Seal wanted = part_seal(key, number, 0);
  if (seal.kind == wanted.kind && seal.key == wanted.key) return;
  throw DataError(
      cat(path.string(), ": holds ", seal.kind, " of key ", seal.key, ", not what its name says"));
}

[[noreturn]] void fail_content(const fs::path& path, const char* what) {
  throw DataError(cat(path.string(), ": ", what, " do not fit together"));
}

}  // namespace

Seal part_seal(const StoreKey& key, int number, std::int64_t items) {
  Seal seal;
  seal.kind = sealed_kind(key.kind, number);
  seal.key = number >= 0 ? cat(key.hash, ".", number) : key.hash;
  seal.items = items;
  return seal;
}

void write_info(Hdf5File& file, const StoreInfo& info, const PartPlace& place) {
  file.write_attribute(layout::kFormatAttribute, layout::kFormat);
  file.write_attribute(layout::kKind, to_string(info.key.kind));
  file.write_attribute(layout::kKey, info.key.hash);
  file.write_attribute(layout::kStageVersion, info.stage_version);
  file.write_attribute(layout::kSettings, info.settings);
  file.write_attribute(layout::kDimension, info.dimension);
  file.write_attribute(layout::kSampleRate, info.sample_rate_hz);
  file.write_attribute(layout::kComputedOn, info.computed_on);
  file.write_attribute(layout::kCreator, info.creator);
  file.write_attribute(layout::kSources, place.sources);
  file.write_attribute(layout::kSourceBegin, place.source_begin);
  file.write_attribute(layout::kSourceEnd, place.source_end);
}

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

std::string info_note(const StoreInfo& info, std::int64_t sources) {
  JsonValue note = JsonValue::object();
  note.set("stage_version", JsonValue::of(info.stage_version));
  note.set("dimension", JsonValue::of(info.dimension));
  note.set("sample_rate_hz", JsonValue::of(info.sample_rate_hz));
  note.set("computed_on", JsonValue::of(info.computed_on));
  note.set("creator", JsonValue::of(info.creator));
  note.set("sources", JsonValue::of(sources));
  const std::string without = write_json(note);
  if (!info.settings.empty()) note.set("settings", parse_json(info.settings, "settings"));
  const std::string with = write_json(note);
  // Settings beyond all measure are in the attributes alone.
  return with.size() <= kMaxNoteBytes ? with : without.size() <= kMaxNoteBytes ? without : "";
}

Part read_part(const fs::path& path, const StoreKey& key, int number) {
  check_interrupted();  // a large store has many, and each is read as a whole
  const Seal seal = verify_seal(path);
  require_seal(path, seal, key, number);
  const Hdf5File file = Hdf5File::open(path);
  Part part;
  part.checksum = seal.checksum;
  part.info = read_info(file);
  if (part.info.key != key) throw DataError(cat(path.string(), ": its attributes and its seal differ"));
  part.place = {number, file.read_integer_attribute(layout::kSourceBegin),
                file.read_integer_attribute(layout::kSourceEnd),
                file.read_integer_attribute(layout::kSources)};
  part.offsets = file.read_int64s(layout::kOffsets);
  part.ids = file.read_texts(layout::kIds);
  const bool audio = key.kind == StoreKind::kAudio;
  if (audio) part.scale = file.read_floats(layout::kScale);
  const PartPlace& place = part.place;
  const bool whole = part.offsets.size() == part.ids.size() + 1 && part.offsets.front() == 0 &&
                     std::is_sorted(part.offsets.begin(), part.offsets.end()) &&
                     file.shape(layout::kData) == Shape{part.offsets.back(), part.info.dimension} &&
                     (!audio || part.scale.size() == part.ids.size());
  const bool placed = 0 <= place.source_begin && place.source_begin <= place.source_end &&
                      place.source_end <= place.sources &&
                      static_cast<std::int64_t>(part.ids.size()) <= place.source_end - place.source_begin;
  if (!whole) fail_content(path, "its offsets, ids and data");
  if (!placed) fail_content(path, "its sources and ids");
  return part;
}

void write_index(const fs::path& folder, const Index& index) {
  std::vector<std::int64_t> values;
  std::int64_t items = 0;
  for (const ShardRow& row : index.shards) {
    for (const std::int64_t value : {row.source_begin, row.source_end, row.items, row.rows})
      values.push_back(value);
    items += row.items;
  }
  const fs::path path = store_path(folder, index.info.key);
  write_atomically(path, [&](const fs::path& name) {
    Hdf5File file = Hdf5File::create(name);
    file.write(layout::kShards, std::span<const std::int64_t>(values),
               Shape{static_cast<std::int64_t>(index.shards.size()), 4});
    write_info(file, index.info, {kIndex, 0, index.sources, index.sources});
    file.close();
    seal_file(name, part_seal(index.info.key, kIndex, items), info_note(index.info, index.sources));
  });
}

Index read_index(const fs::path& path, const StoreKey& key) {
  require_seal(path, verify_seal(path), key, kIndex);
  const Hdf5File file = Hdf5File::open(path);
  Index index;
  index.info = read_info(file);
  if (index.info.key != key) throw DataError(cat(path.string(), ": its attributes and its seal differ"));
  index.sources = file.read_integer_attribute(layout::kSources);
  const std::vector<std::int64_t> values = file.read_int64s(layout::kShards);
  if (file.shape(layout::kShards) != Shape{static_cast<std::int64_t>(values.size() / 4), 4})
    fail_content(path, "its shards");
  std::int64_t at = 0;
  for (std::size_t i = 0; i < values.size(); i += 4) {
    const ShardRow row{values[i], values[i + 1], values[i + 2], values[i + 3]};
    if (row.source_begin != at || row.source_end < at || row.source_end > index.sources || row.items < 0 ||
        row.rows < 0) {
      fail_content(path, "its shards");
    }
    at = row.source_end;
    index.shards.push_back(row);
  }
  return index;
}

bool is_index(const fs::path& path, const StoreKey& key) {
  return read_seal(path).kind == part_seal(key, kIndex, 0).kind;
}

}  // namespace serval::store
