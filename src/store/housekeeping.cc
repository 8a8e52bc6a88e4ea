#include "serval/store/housekeeping.h"

#include <algorithm>
#include <chrono>
#include <regex>

#include <time.h>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/store/seal.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

constexpr double kSecondsPerDay = 86400;
// Longer than any writer works on one file.
constexpr double kAbandonedAfterDays = 1;

const std::regex kStoreName("(audio|features)-([0-9a-f]{32})\\.h5");
const std::regex kTemporaryName("(audio|features)-[0-9a-f]{32}\\.h5\\.tmp-.*");

std::vector<fs::path> files_named(const fs::path& folder, const std::regex& pattern) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (std::regex_match(entry->path().filename().string(), pattern)) out.push_back(entry->path());
  }
  if (error) {
    throw ConfigError(cat(folder.string(), ": cannot be listed: ", error.message(),
                          "; name the folder that an experiment's \"store\" names"));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::int64_t size_of(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

StoreFacts facts_of(const fs::path& path, bool verify) {
  StoreFacts facts;
  facts.path = path;
  facts.bytes = size_of(path);
  const std::string name = path.filename().string();
  std::smatch parts;
  std::regex_match(name, parts, kStoreName);
  facts.kind = parts[1];
  facts.key = parts[2];
  try {
    const Seal seal = verify ? verify_seal(path) : read_seal(path);
    facts.items = seal.items;
    facts.created = seal.created;
    if (seal.kind != facts.kind || seal.key != facts.key) {
      facts.problem =
          cat(path.string(), ": holds ", seal.kind, " of key ", seal.key, ", not what its name says");
    }
  } catch (const DataError& error) {
    facts.problem = error.what();
    facts.damaged = dynamic_cast<const DamagedError*>(&error) != nullptr;
  }
  return facts;
}

std::vector<StoreFacts> look(const fs::path& folder, bool verify) {
  std::vector<StoreFacts> out;
  for (const fs::path& path : files_named(folder, kStoreName)) out.push_back(facts_of(path, verify));
  return out;
}

double age_days(const std::string& created) {
  std::tm parts{};
  ::strptime(created.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::difftime(std::time(nullptr), ::timegm(&parts)) / kSecondsPerDay;
}

double age_days(const fs::path& path) {
  std::error_code error;
  const fs::file_time_type written = fs::last_write_time(path, error);
  if (error) return 0;
  return std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count() / kSecondsPerDay;
}

}  // namespace

std::vector<StoreFacts> list_stores(const fs::path& folder) { return look(folder, false); }
std::vector<StoreFacts> verify_stores(const fs::path& folder) { return look(folder, true); }

std::vector<Pruned> prune_stores(const fs::path& folder, std::optional<double> older_than_days) {
  std::vector<Pruned> out;
  const auto remove = [&](const fs::path& path, const std::string& reason) {
    const std::int64_t bytes = size_of(path);
    std::error_code error;
    fs::remove(path, error);
    if (error) throw DataError(cat(path.string(), ": cannot be deleted: ", error.message()));
    out.push_back({path, bytes, reason});
  };
  for (const StoreFacts& facts : verify_stores(folder)) {
    if (facts.damaged) {
      remove(facts.path, facts.problem);
    } else if (!facts.problem.empty()) {
      log_warning(cat(facts.problem, "; left as it is"));
    } else if (older_than_days && age_days(facts.created) > *older_than_days) {
      remove(facts.path, "created " + facts.created);
    }
  }
  for (const fs::path& path : files_named(folder, kTemporaryName)) {
    if (age_days(path) > kAbandonedAfterDays) remove(path, "left behind by a writer that did not finish");
  }
  return out;
}

}  // namespace serval::store
