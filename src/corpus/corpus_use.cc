#include "serval/corpus/corpus_use.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/corpus/description.h"
#include "serval/corpus/manifest_csv.h"
#include "serval/corpus/scan.h"

namespace serval::corpus {
namespace fs = std::filesystem;

void describe(SettingsVisitor& v, CorpusUse& s) {
  v.text("use", s.use, {.text = "name of a known corpus: ravdess, tess, crema_d, savee, demo"});
  v.path("file", s.file,
         {.text = "instead of use: a corpus description (.json) or a manifest (.csv) of your own"});
  v.check(s.use.empty() != s.file.empty(), "", "name the corpus by \"use\" or by \"file\", one of the two");
  v.check(s.use.find_first_of("/.") == std::string::npos, "use",
          "must be a name; a path is given by \"file\"");
  v.path("path", s.path, {.text = "folder of the recordings; a manifest may do without"});
  v.check(!s.path.empty() || fs::path(s.file).extension() == ".csv", "path",
          "must name the folder of the recordings");
  v.texts("actors", s.actors, {.text = "use only these actors; empty: all"});
  v.integer("most_per_class", s.most_per_class, {.min = 0},
            {"of each actor and label at most so many recordings, the first ones by id; 0: all"});
}

namespace {

void check_files_exist(const std::vector<Recording>& recordings, const std::string& file) {
  std::vector<std::string> missing;
  for (const Recording& recording : recordings) {
    std::error_code ignored;
    if (!fs::is_regular_file(recording.path, ignored)) missing.push_back(recording.path);
  }
  if (missing.empty()) return;
  const std::size_t named = std::min<std::size_t>(missing.size(), 10);
  throw DataError(cat(file, ": ", missing.size(), " of ", recordings.size(), " recordings are not there:\n  ",
                      join({missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(named)}, "\n  "),
                      missing.size() > named ? "\n  ..." : ""));
}

void log_notes(const std::vector<FileNote>& notes, const std::string& what) {
  if (notes.empty()) return;
  log_info(cat("  ", notes.size(), " ", what, ", such as ", notes.front().path, ": ", notes.front().note));
}

std::vector<Recording> scan_and_log(const CorpusDescription& description, const std::string& folder) {
  ScanResult result = scan(description, folder);
  log_info(cat(description.name, ": ", result.recordings.size(), " recordings in ", folder));
  log_notes(result.quirks, "with an odd name");
  log_notes(result.ignored, "left out");
  log_notes(result.strays, "files of another kind");
  log_notes(result.copies, "copies left out");
  return std::move(result.recordings);
}

std::vector<Recording> all_recordings(const CorpusUse& use) {
  if (!use.use.empty()) return scan_and_log(find_description(use.use), use.path);
  const std::string ending = fs::path(use.file).extension().string();
  if (ending == ".json") return scan_and_log(read_description(use.file), use.path);
  if (ending != ".csv")
    throw ConfigError(cat(use.file, ": must be a description (.json) or a manifest (.csv)"));
  std::vector<Recording> recordings = read_manifest_csv(use.file, use.path);
  check_files_exist(recordings, use.file);
  std::sort(recordings.begin(), recordings.end(),
            [](const Recording& a, const Recording& b) { return a.id < b.id; });
  return recordings;
}

void keep_actors(std::vector<Recording>& recordings, const std::vector<std::string>& actors) {
  std::set<std::string> present;
  for (const Recording& recording : recordings) present.insert(recording.actor);
  std::set<std::string> kept;
  for (const std::string& actor : actors) {
    const auto fits = [&](const std::string& full) { return full.substr(full.find('/') + 1) == actor; };
    std::vector<std::string> found;
    if (present.count(actor) > 0) {
      found = {actor};
    } else {
      std::copy_if(present.begin(), present.end(), std::back_inserter(found), fits);
    }
    if (found.empty()) {
      throw ConfigError(cat("actors: there is no actor \"", actor, "\"; there are ",
                            join({present.begin(), present.end()}, ", ")));
    }
    if (found.size() > 1)
      throw ConfigError(cat("actors: \"", actor, "\" may be ", join(found, " or "), "; write which"));
    kept.insert(found.front());
  }
  std::erase_if(recordings, [&](const Recording& recording) { return kept.count(recording.actor) == 0; });
}

void keep_first(std::vector<Recording>& recordings, int most_per_class) {
  std::map<std::pair<std::string, std::string>, int> seen;
  std::erase_if(recordings, [&](const Recording& recording) {
    return ++seen[{recording.actor, recording.label}] > most_per_class;
  });
}

}  // namespace

CorpusUse corpus_use(const std::string& what, const std::string& folder) {
  CorpusUse use;
  (what.ends_with(".json") || what.ends_with(".csv") ? use.file : use.use) = what;
  use.path = folder;
  return use;
}

std::vector<Recording> find_recordings(const CorpusUse& use) {
  std::vector<Recording> recordings = all_recordings(use);
  check_actor_names(recordings);  // before a choice of actors could hide one of the two
  if (!use.actors.empty()) keep_actors(recordings, use.actors);
  if (use.most_per_class > 0) keep_first(recordings, use.most_per_class);
  return recordings;
}

}  // namespace serval::corpus
