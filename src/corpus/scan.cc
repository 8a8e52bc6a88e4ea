#include "serval/corpus/scan.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/corpus/file_name.h"

namespace serval::corpus {
namespace fs = std::filesystem;

namespace {

void list_into(const fs::path& folder, std::set<fs::path>& visited, std::vector<fs::path>& files) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (!error && !visited.insert(real).second) return;
  fs::directory_iterator entries(folder, error);
  if (error) throw ConfigError(cat(folder.string(), ": cannot be listed: ", error.message()));
  for (const fs::directory_entry& entry : entries) {
    if (entry.path().filename().string().front() == '.') continue;
    std::error_code ignored;  // a link to nowhere is neither
    if (entry.is_directory(ignored)) {
      list_into(entry.path(), visited, files);
    } else if (entry.is_regular_file(ignored)) {
      files.push_back(entry.path());
    }
  }
}

constexpr std::size_t kMaxNamed = 10;

// The first few of a list, and how many more there are.
std::string first_few(const std::vector<std::string>& all, const std::string& separator) {
  const std::vector<std::string> named(all.begin(), all.begin() + std::min(all.size(), kMaxNamed));
  return join(named, separator) +
         (all.size() > kMaxNamed ? cat(separator, "and ", all.size() - kMaxNamed, " more") : "");
}

void throw_unknown_labels(const CorpusDescription& description, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& [raw, label] : description.labels) known.push_back(cat(raw, " (", label, ")"));
  throw DataError(cat("unknown label in the name of\n  ", first_few(names, "\n  "), "\n", description.name,
                      " knows ", join(known, ", ")));
}

void throw_nothing_found(const CorpusDescription& description, const std::string& folder, std::size_t files) {
  throw DataError(
      cat(folder, ": no recording of ", description.name, " found; looked for names like ",
          description.names.front().form, " that end in ", join(description.endings, " "), "; ",
          files == 0 ? std::string("the folder is empty") : cat("none of the ", files, " files in it fits")));
}

// Sorts by id. Of several files with one id and the same bytes, the first by path stays.
void drop_copies(ScanResult& result) {
  std::vector<Recording>& all = result.recordings;
  std::stable_sort(all.begin(), all.end(),
                   [](const Recording& a, const Recording& b) { return a.id < b.id; });
  std::vector<Recording> kept;
  for (Recording& recording : all) {
    if (kept.empty() || kept.back().id != recording.id) {
      kept.push_back(std::move(recording));
      continue;
    }
    if (hash_file(kept.back().path) != hash_file(recording.path)) {
      throw DataError(cat("two different files are named alike:\n  ", kept.back().path, "\n  ",
                          recording.path, "\nremove one of them"));
    }
    result.copies.push_back({recording.path, cat("copy of ", kept.back().path)});
  }
  all = std::move(kept);
}

}  // namespace

std::vector<fs::path> list_files(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw ConfigError(cat(folder.string(),
                          fs::exists(folder, ignored) ? ": is not a folder" : ": there is no such folder",
                          "; name the folder that holds the recordings"));
  }
  std::set<fs::path> visited;
  std::vector<fs::path> files;
  list_into(folder, visited, files);
  std::sort(files.begin(), files.end());
  return files;
}

bool is_marked_synthetic(const fs::path& folder) {
  constexpr std::string_view kMark = "SYNTHETIC";
  std::ifstream in(folder / "README.txt", std::ios::binary);
  std::string start(kMark.size(), '\0');
  return in.read(start.data(), static_cast<std::streamsize>(start.size())) && start == kMark;
}

ScanResult scan(const CorpusDescription& description, const std::string& folder) {
  const fs::path root = fs::absolute(folder).lexically_normal();
  const NameReader reader(description);
  const bool marked = is_marked_synthetic(root);
  const std::vector<fs::path> files = list_files(root);
  ScanResult result;
  std::vector<std::string> unknown;
  for (const fs::path& path : files) {
    if (!reader.accepts_ending(path)) continue;
    ParsedName name = reader.parse(path);
    switch (name.kind) {
      case ParsedName::Kind::kRecording:
        name.recording.path = path.string();
        name.recording.synthetic |= marked;
        if (!name.note.empty()) result.quirks.push_back({path.string(), name.note});
        result.recordings.push_back(std::move(name.recording));
        break;
      case ParsedName::Kind::kUnknownLabel:
        unknown.push_back(cat(path.string(), " (", name.note, ")"));
        break;
      case ParsedName::Kind::kIgnored:
        result.ignored.push_back({path.string(), name.note});
        break;
      case ParsedName::Kind::kStray:
        result.strays.push_back({path.string(), "fits no form of name"});
        break;
    }
  }
  if (!unknown.empty()) throw_unknown_labels(description, unknown);
  if (result.recordings.empty()) throw_nothing_found(description, root.string(), files.size());
  drop_copies(result);
  return result;
}

void hash_contents(std::vector<Recording>& recordings, int threads) {
  Progress progress("reading recordings", static_cast<std::int64_t>(recordings.size()));
  parallel_for(recordings.size(), threads, [&](std::size_t i) {
    check_interrupted();
    recordings[i].content_hash = hash_file(recordings[i].path);
    progress.advance();
  });
}

}  // namespace serval::corpus
