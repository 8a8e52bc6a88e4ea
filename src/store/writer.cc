#include "serval/store/writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"

#include "part.h"
#include "part_writer.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kItemBytes = 64;

// Whether all ids stand among the sources of their place, in the same order.
bool in_order(const Part& part, const std::vector<std::string_view>& sources) {
  std::size_t at = static_cast<std::size_t>(part.place.source_begin);
  const auto end = static_cast<std::size_t>(part.place.source_end);
  for (const std::string& id : part.ids) {
    while (at < end && sources[at] != id) ++at;
    if (at++ == end) return false;
  }
  return true;
}

}  // namespace

struct StoreWriter::State {
  fs::path folder;
  StoreInfo info;
  std::vector<std::string_view> sources;
  StoreLimits limits;

  std::map<int, ShardRow> found{};     // sound shards that lie ahead, by number
  std::vector<ShardRow> done{};        // shards that are published, from number 0 on
  std::unique_ptr<PartWriter> open{};  // number done.size()
  std::int64_t open_begin = 0;         // its first source
  std::int64_t open_bytes = 0;
  std::int64_t position = 0;  // sources before it are dealt with
  std::optional<Gap> gap{};
  std::int64_t kept = 0;

  std::int64_t source_count() const { return static_cast<std::int64_t>(sources.size()); }
  int number() const { return static_cast<int>(done.size()); }

  void find_shards();
  void close_shard(std::int64_t source_end);
  void end_gap();
  template <class Content>
  void append(std::int64_t source, const Content& content, std::int64_t bytes);
};

// Shards of this key that are sound. A damaged one is named; what is not taken up is written over.
void StoreWriter::State::find_shards() {
  for (const StoreFile& file : list_store_files(folder)) {
    if (file.temporary && is_abandoned(file.path)) {
      std::error_code error;
      if (fs::remove(file.path, error)) log_info(cat(file.path.string(), ": deleted; its writer is gone"));
      continue;
    }
    if (file.temporary || file.number == kWhole || file.key != info.key) continue;
    try {
      const Part part = read_part(file.path, info.key, file.number);
      if (part.place.sources != source_count() || part.info.dimension != info.dimension || part.ids.empty() ||
          !in_order(part, sources)) {
        throw DataError(cat(file.path.string(), ": holds other recordings than its key says"));
      }
      found[file.number] = {part.place.source_begin, part.place.source_end,
                            static_cast<std::int64_t>(part.ids.size()), part.offsets.back()};
      kept += part.place.source_end - part.place.source_begin;
    } catch (const DataError& why) {
      log_warning(cat(why.what(), "; it is not used and will be made again"));
    }
  }
}

void StoreWriter::State::close_shard(std::int64_t source_end) {
  open->publish({number(), open_begin, source_end, source_count()});
  done.push_back({open_begin, source_end, open->items(), open->rows()});
  open.reset();
}

// The open shard ends with the gap when the shard that was found behind it has the next number. Otherwise the
// limits have changed since: then what was found does not line up, and is made again.
void StoreWriter::State::end_gap() {
  if (!gap) return;
  position = gap->end;
  gap.reset();
  const bool has_items = open && open->items() > 0;
  const auto next = found.find(number() + (has_items ? 1 : 0));
  if (next == found.end() || next->second.source_begin != position) {
    found.clear();
  } else if (has_items) {
    close_shard(position);
  } else {
    open.reset();
  }
}

template <class Content>
void StoreWriter::State::append(std::int64_t source, const Content& content, std::int64_t bytes) {
  SERVAL_CHECK(gap && source >= position && source < gap->end, "source ", source,
               " is not the next of the gap");
  if (!open) {
    open = std::make_unique<PartWriter>(folder, info, number());
    open_begin = position;
    open_bytes = 0;
  }
  open->append(std::string(sources[static_cast<std::size_t>(source)]), content);
  position = source + 1;
  open_bytes += bytes + kItemBytes;
  if (open_bytes >= limits.shard_bytes && position < source_count()) close_shard(position);
}

StoreWriter::StoreWriter(const fs::path& folder, StoreInfo info, std::vector<std::string_view> sources,
                         const StoreLimits& limits) {
  SERVAL_CHECK(info.dimension > 0 && (info.key.kind == StoreKind::kFeatures || info.dimension == 1),
               "dimension ", info.dimension, " of ", to_string(info.key.kind));
  make_folder(folder);
  state_ = std::make_unique<State>(State{folder, std::move(info), std::move(sources), limits});
  state_->find_shards();
}

StoreWriter::~StoreWriter() = default;
StoreWriter::StoreWriter(StoreWriter&&) noexcept = default;
StoreWriter& StoreWriter::operator=(StoreWriter&&) noexcept = default;

std::int64_t StoreWriter::sources_kept() const { return state_->kept; }

std::optional<StoreWriter::Gap> StoreWriter::next_gap() {
  SERVAL_CHECK(state_, "the store is finished");
  State& state = *state_;
  state.end_gap();
  for (auto next = state.found.find(state.number());
       !state.open && next != state.found.end() && next->second.source_begin == state.position;
       next = state.found.find(state.number())) {
    state.done.push_back(next->second);
    state.position = next->second.source_end;
    state.found.erase(next);
  }
  if (state.position == state.source_count()) return std::nullopt;
  Gap gap{state.position, state.source_count()};
  for (const auto& [number, shard] : state.found) {
    if (number > state.number() && shard.source_begin > gap.begin)
      gap.end = std::min(gap.end, shard.source_begin);
  }
  // Made before anything is computed, so that a folder that cannot be written is noticed now.
  if (!state.open) {
    state.open = std::make_unique<PartWriter>(state.folder, state.info, state.number());
    state.open_begin = state.position;
    state.open_bytes = 0;
  }
  state.gap = gap;
  return gap;
}

void StoreWriter::append(std::int64_t source, const audio::QuantisedAudio& audio) {
  SERVAL_CHECK(state_ && state_->info.key.kind == StoreKind::kAudio,
               "audio; the store is of features, or finished");
  state_->append(source, audio, static_cast<std::int64_t>(audio.codes.size() * sizeof(std::int16_t)));
}

void StoreWriter::append(std::int64_t source, const features::FeatureMatrix& features,
                         std::int64_t made_from_bytes) {
  SERVAL_CHECK(state_ && state_->info.key.kind == StoreKind::kFeatures,
               "features; the store is of audio, or finished");
  SERVAL_CHECK(features.dimension == state_->info.dimension &&
                   static_cast<std::int64_t>(features.values.size()) == features.frames * features.dimension,
               features.values.size(), " values, ", features.frames, " x ", features.dimension);
  const auto bytes = static_cast<std::int64_t>(features.values.size() * sizeof(float));
  state_->append(source, features, std::max(bytes, made_from_bytes));
}

fs::path StoreWriter::finish() {
  SERVAL_CHECK(state_ && !next_gap(), "the store lacks sources, or is finished");
  const std::unique_ptr<State> state = std::move(state_);
  const fs::path path = store_path(state->folder, state->info.key);
  const std::int64_t count = state->source_count();
  if (state->done.empty()) {
    if (!state->open) state->open = std::make_unique<PartWriter>(state->folder, state->info, kWhole);
    state->open->publish({kWhole, 0, count, count});
    return path;
  }
  if (state->open && state->open->items() > 0) state->close_shard(count);
  write_index(state->folder, {state->info, count, state->done});
  return path;
}

}  // namespace serval::store
