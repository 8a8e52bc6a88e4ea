#include "serval/store/housekeeping.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include <sys/stat.h>
#include <time.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"

#include "part.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

constexpr double kSecondsPerDay = 86400;
// Longer than any writer takes between two writes to its file.
constexpr double kAbandonedAfterDays = 1;

// A file as it was when it was looked at; deleted only if it still is.
struct Look {
  dev_t device = 0;
  ino_t inode = 0;
  std::int64_t bytes = 0;
  timespec written{};
  bool there = false;

  explicit Look(const fs::path& path) {
    struct stat status {};
    there = ::stat(path.c_str(), &status) == 0;
    if (!there) return;
    device = status.st_dev;
    inode = status.st_ino;
    bytes = status.st_size;
    written = status.st_mtim;
  }
  bool same(const Look& other) const {
    return there == other.there && device == other.device && inode == other.inode && bytes == other.bytes &&
           written.tv_sec == other.written.tv_sec && written.tv_nsec == other.written.tv_nsec;
  }
  double age_days() const {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<double>(now.tv_sec - written.tv_sec) / kSecondsPerDay;
  }
};

struct FileFacts {
  StoreFile file;
  Look look;
  Seal seal{};
  std::string problem{};
  bool damaged = false;
  bool stale = false;  // a shard that the store's index does not name

  explicit FileFacts(const StoreFile& named) : file(named), look(named.path) {}
};

// All files of one key.
struct FileSet {
  std::vector<FileFacts> temporaries;
  std::optional<FileFacts> main;  // the store or its index
  std::vector<FileFacts> shards;
  std::optional<Index> index;

  bool being_written() const {
    return std::any_of(temporaries.begin(), temporaries.end(), [](const FileFacts& t) {
      return t.look.there && !is_abandoned(t.file.path) && t.look.age_days() <= kAbandonedAfterDays;
    });
  }
};

// Only what is provably broken counts as damaged, not what this program or machine cannot read.
void note_problem(FileFacts& facts, const DataError& error) {
  facts.problem = error.what();
  facts.damaged = dynamic_cast<const DamagedError*>(&error) != nullptr;
}

void look_at(FileFacts& facts, bool verify) {
  const fs::path& path = facts.file.path;
  try {
    facts.seal = verify ? verify_seal(path) : read_seal(path);
    const bool index =
        facts.file.number == kWhole && facts.seal.kind == part_seal(facts.file.key, kIndex, 0).kind;
    const Seal wanted = part_seal(facts.file.key, index ? kIndex : facts.file.number, 0);
    if (facts.seal.kind != wanted.kind || facts.seal.key != wanted.key) {
      facts.problem = cat(path.string(), ": holds ", facts.seal.kind, " of key ", facts.seal.key,
                          ", not what its name says");
    }
  } catch (const DataError& error) {
    note_problem(facts, error);
  }
}

std::map<std::string, FileSet> look(const fs::path& folder, bool verify) {
  std::map<std::string, FileSet> sets;
  for (const StoreFile& file : list_store_files(folder)) {
    FileSet& set = sets[cat(to_string(file.key.kind), "-", file.key.hash)];
    FileFacts facts(file);
    if (file.temporary) {
      set.temporaries.push_back(std::move(facts));
      continue;
    }
    look_at(facts, verify);
    if (file.number == kWhole) {
      set.main = std::move(facts);
    } else {
      set.shards.push_back(std::move(facts));
    }
  }
  for (auto& [name, set] : sets) {
    std::sort(set.shards.begin(), set.shards.end(),
              [](const FileFacts& a, const FileFacts& b) { return a.file.number < b.file.number; });
    if (!set.main || !set.main->problem.empty()) continue;
    const StoreKey& key = set.main->file.key;
    if (set.main->seal.kind == part_seal(key, kIndex, 0).kind) {
      try {
        set.index = read_index(set.main->file.path, key);  // small, and verified in any case
      } catch (const DataError& error) {
        note_problem(*set.main, error);
        continue;
      }
    }
    for (FileFacts& shard : set.shards) {
      shard.stale = !set.index || shard.file.number >= static_cast<int>(set.index->shards.size());
    }
  }
  return sets;
}

void add_problem(StoreFacts& facts, const std::string& problem) {
  if (problem.empty()) return;
  facts.problem += (facts.problem.empty() ? "" : "; ") + problem;
}

void take_note(StoreFacts& facts, const fs::path& path) {
  if (!facts.parameters.empty()) return;
  try {
    const std::string note = read_note(path);
    const JsonValue json = parse_json(note, path.string());
    const JsonValue* sources = json.find("sources");
    if (sources != nullptr && sources->kind == JsonValue::Kind::kInteger) facts.sources = sources->integer;
    facts.parameters = note;
  } catch (const Error&) {
    // Not a note: another program's bytes, or damaged; the checksum decides about the file, not this.
  }
}

void add_missing(StoreFacts& facts, const FileSet& set, const fs::path& folder, const StoreKey& key) {
  std::vector<std::string> missing;
  auto shard = set.shards.begin();
  for (int number = 0; number < static_cast<int>(set.index->shards.size()); ++number) {
    while (shard != set.shards.end() && shard->file.number < number) ++shard;
    if (shard != set.shards.end() && shard->file.number == number) continue;
    missing.push_back(part_path(folder, key, number).filename().string());
  }
  if (missing.empty()) return;
  add_problem(facts, cat(facts.path.string(), ": ", first_few(missing), missing.size() == 1 ? " is" : " are",
                         " missing; the same command makes it again"));
  facts.damaged = true;
}

StoreFacts facts_of(const fs::path& folder, const FileSet& set) {
  const StoreKey& key = set.main ? set.main->file.key : set.shards.front().file.key;
  StoreFacts facts;
  facts.path = store_path(folder, key);
  facts.kind = to_string(key.kind);
  facts.key = key.hash;
  facts.being_written = set.being_written();
  facts.finished = set.main.has_value();
  std::vector<const FileFacts*> files;
  if (set.main) files.push_back(&*set.main);
  for (const FileFacts& shard : set.shards) {
    if (!shard.stale) files.push_back(&shard);
  }
  for (const FileFacts* file : files) {
    facts.bytes += file->look.bytes;
    add_problem(facts, file->problem);
    facts.damaged = facts.damaged || file->damaged;
    if (file->file.number != kWhole) ++facts.shards;
    if (!file->problem.empty()) continue;
    facts.created = std::max(facts.created, file->seal.created);
    if (file->file.number == kWhole || !facts.finished) facts.items += file->seal.items;
    take_note(facts, file->file.path);
  }
  if (set.index) add_missing(facts, set, folder, key);
  return facts;
}

std::vector<StoreFacts> all_facts(const fs::path& folder, bool verify) {
  std::vector<StoreFacts> out;
  for (const auto& [name, set] : look(folder, verify)) {
    if (set.main || !set.shards.empty()) out.push_back(facts_of(folder, set));
  }
  return out;
}

double age_days(const std::string& created) {
  std::tm parts{};
  ::strptime(created.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::difftime(std::time(nullptr), ::timegm(&parts)) / kSecondsPerDay;
}

class Pruning {
 public:
  Pruning(fs::path folder, std::optional<double> older_than_days)
      : folder_(std::move(folder)), older_than_days_(older_than_days) {}

  void prune(const FileSet& set) {
    if (set.being_written()) {
      log_info(
          cat(set.temporaries.front().file.path.string(), ": is being written; its store is left as it is"));
      return;
    }
    for (const FileFacts& file : set.temporaries) {
      if (file.look.there) remove(file, "left behind by a writer that did not finish");
    }
    if (!set.main && set.shards.empty()) return;
    const StoreFacts facts = facts_of(folder_, set);
    const bool old =
        older_than_days_ && !facts.created.empty() && age_days(facts.created) > *older_than_days_;
    // The index goes first: shards without it are an unfinished store, an index without them a damaged one.
    if (set.main) look_over(*set.main, old, facts.created);
    for (const FileFacts& shard : set.shards) look_over(shard, old, facts.created);
  }
  std::vector<Pruned> out;

 private:
  void look_over(const FileFacts& file, bool old, const std::string& created) {
    if (file.damaged) {
      remove(file, file.problem);
    } else if (!file.problem.empty()) {
      log_warning(cat(file.problem, "; left as it is"));
    } else if (file.stale) {
      remove(file, "a shard that its store does not have");
    } else if (old) {
      remove(file, "created " + created);
    }
  }

  void remove(const FileFacts& file, const std::string& reason) {
    // Somebody may have put a sound file in its place since.
    if (!file.look.same(Look(file.file.path))) {
      log_info(cat(file.file.path.string(), ": has changed since it was looked at; left as it is"));
      return;
    }
    std::error_code error;
    fs::remove(file.file.path, error);
    if (error) throw DataError(cat(file.file.path.string(), ": cannot be deleted: ", error.message()));
    out.push_back({file.file.path, file.look.bytes, reason});
  }

  fs::path folder_;
  std::optional<double> older_than_days_;
};

}  // namespace

std::vector<StoreFacts> list_stores(const fs::path& folder) { return all_facts(folder, false); }
std::vector<StoreFacts> verify_stores(const fs::path& folder) { return all_facts(folder, true); }

std::vector<Pruned> prune_stores(const fs::path& folder, std::optional<double> older_than_days) {
  Pruning pruning(folder, older_than_days);
  for (const auto& [name, set] : look(folder, true)) pruning.prune(set);
  return std::move(pruning.out);
}

}  // namespace serval::store
