#include "run_directory.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/experiment/resolve.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

// Settings that change no result may differ between the runs that share a directory.
bool changes_nothing(const std::string& path) {
  return path == "store" || path == "store_shard_mib" || path == "train.checkpoint_every_s" ||
         path == "train.parallel_models" || path == "description";
}

std::string brief(const JsonValue* value) {
  if (value == nullptr) return "absent";
  std::string text = write_json(*value);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.size() > 120 ? text.substr(0, 117) + "..." : text;
}

void list_differences(const JsonValue* there, const JsonValue* here, const std::string& path,
                      std::vector<std::string>& out) {
  if (changes_nothing(path)) return;
  const bool objects = there != nullptr && here != nullptr && there->kind == JsonValue::Kind::kObject &&
                       here->kind == JsonValue::Kind::kObject;
  if (!objects) {
    if (brief(there) != brief(here) ||
        (there != nullptr && here != nullptr && write_json(*there) != write_json(*here))) {
      out.push_back(cat("  ", path, ": ", brief(there), " there, ", brief(here), " here"));
    }
    return;
  }
  const auto child = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : there->members) list_differences(&value, here->find(key), child(key), out);
  for (const auto& [key, value] : here->members) {
    if (there->find(key) == nullptr) list_differences(nullptr, &value, child(key), out);
  }
}

}  // namespace

RunDirectory::RunDirectory(const std::string& folder, const ExperimentSettings& settings)
    : folder_(fs::absolute(folder).lexically_normal().string()) {
  make_folder(folder_);
  lock();
  try {
    claim(settings);
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

void RunDirectory::lock() {
  const std::string path = file(".lock");
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) {
    if (errno == ENOSPC || errno == EDQUOT) throw DiskError(cat(folder_, ": no room on the disk"));
    throw ConfigError(cat(folder_, ": cannot be written; choose another folder with --out"));
  }
  // Some network file systems have no locks; there the check is left out.
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(lock_);
    lock_ = -1;
    throw ConfigError(cat(folder_, ": another process is running this experiment there"));
  }
}

void RunDirectory::claim(const ExperimentSettings& settings) const {
  const std::string path = file("experiment.json");
  const JsonValue here = resolved_json(settings);
  if (!fs::exists(path)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (name == ".lock" || name == "log.txt" || name.find(".tmp-") != std::string::npos) continue;
      throw ConfigError(
          cat(folder_, ": holds ", name,
              " but no experiment.json, so it is no run's directory; choose another with --out"));
    }
    write_atomically(path, write_json(here));
    return;
  }
  std::vector<std::string> differences;
  const JsonValue there = parse_json_file(path);
  list_differences(&there, &here, "", differences);
  // A run that stopped before it trained anything has nothing to lose: what made it stop may be mended now.
  if (!differences.empty() && !fs::exists(file("models")) && !finished()) {
    write_atomically(path, write_json(here));
    return;
  }
  if (!differences.empty()) {
    throw ConfigError(cat(folder_, ": holds a run of a different experiment:\n", join(differences, "\n"),
                          "\nchoose another folder with --out, or delete this one"));
  }
}

bool RunDirectory::finished() const { return fs::exists(file("results.json")); }

std::string model_folder(const std::string& run_folder, const std::string& model, int fold,
                         std::uint64_t seed) {
  char name[64];
  std::snprintf(name, sizeof name, "/fold-%02d_seed-%llu", fold + 1, static_cast<unsigned long long>(seed));
  return run_folder + "/models/" + model + name;
}

}  // namespace serval::experiment
