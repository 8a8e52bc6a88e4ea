#include <algorithm>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/store/external.h"

#include "external_source.h"

namespace serval::store {

namespace {

using Path = std::vector<std::string>;

Path split_path(const std::string& text) {
  Path parts;
  std::string part;
  const auto finish = [&] {
    if (!part.empty() && part != ".") parts.push_back(part);
    part.clear();
  };
  for (const char c : text) {
    if (c == '/' || c == '\\') {
      finish();
    } else {
      part += c;
    }
  }
  finish();
  return parts;
}

// Without ".wav", ".flac" and the like. "clip.2" keeps its digit: that may be a part of the name.
std::string without_ending(const std::string& file) {
  const std::size_t dot = file.rfind('.');
  if (dot == std::string::npos || dot == 0 || file.size() - dot > 6 || file.size() - dot < 2) return file;
  if (std::isalpha(static_cast<unsigned char>(file[dot + 1])) == 0) return file;
  const bool plain = std::all_of(file.begin() + static_cast<std::ptrdiff_t>(dot) + 1, file.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0; });
  return plain ? file.substr(0, dot) : file;
}

std::string join_from(const Path& parts, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < parts.size(); ++i) text += (i > first ? "/" : "") + parts[i];
  return text;
}

// Recordings by id and by every end of their path, with and without the file's ending.
class Index {
 public:
  explicit Index(std::span<const ExternalRecording> recordings) : recordings_(recordings) {
    for (std::size_t r = 0; r < recordings.size(); ++r) {
      by_id_[recordings[r].id] = r;
      Path parts = split_path(recordings[r].path);
      if (parts.empty()) continue;
      add(parts, r);
      const std::string bare = without_ending(parts.back());
      if (bare == parts.back()) continue;
      parts.back() = bare;
      add(parts, r);
    }
  }

  // Recordings that the parts from `first` on fit; the sharper way of looking wins.
  std::set<std::size_t> find(Path parts, std::size_t first) const {
    std::set<std::size_t> found = find_as_is(join_from(parts, first));
    if (!found.empty()) return found;
    const std::string bare = without_ending(parts.back());
    if (bare == parts.back()) return {};
    parts.back() = bare;
    return find_as_is(join_from(parts, first));
  }

 private:
  void add(const Path& parts, std::size_t recording) {
    for (std::size_t first = 0; first < parts.size(); ++first)
      by_path_[join_from(parts, first)].insert(recording);
  }
  std::set<std::size_t> find_as_is(const std::string& text) const {
    if (const auto id = by_id_.find(text); id != by_id_.end()) return {id->second};
    if (const auto path = by_path_.find(text); path != by_path_.end()) return path->second;
    return {};
  }

  std::span<const ExternalRecording> recordings_;
  std::map<std::string, std::size_t> by_id_;
  std::map<std::string, std::set<std::size_t>> by_path_;
};

// How many folders all names start with; the last part of a name is never a folder.
std::size_t common_folders(const std::vector<Path>& names) {
  if (names.empty()) return 0;
  std::size_t common = names.front().size();
  for (const Path& name : names) {
    common = std::min(common, name.empty() ? 0 : name.size() - 1);
    for (std::size_t i = 0; i < common; ++i) {
      if (name[i] != names.front()[i]) common = i;
    }
  }
  return common;
}

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

std::vector<std::vector<std::size_t>> fitting_recordings(const std::vector<std::string>& names,
                                                         std::span<const ExternalRecording> recordings) {
  const Index index(recordings);
  std::vector<Path> paths;
  for (const std::string& name : names) paths.push_back(split_path(name));
  const std::size_t common = common_folders(paths);
  std::vector<std::vector<std::size_t>> out;
  for (const Path& path : paths) {
    std::set<std::size_t> fits;
    if (!path.empty()) fits = index.find(path, 0);
    if (!path.empty() && fits.empty() && common > 0) fits = index.find(path, common);
    out.emplace_back(fits.begin(), fits.end());
  }
  return out;
}

std::vector<std::size_t> match_names(const std::vector<std::string>& names,
                                     std::span<const ExternalRecording> recordings,
                                     const std::string& where) {
  const std::vector<std::vector<std::size_t>> fitting = fitting_recordings(names, recordings);
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> item_of(recordings.size(), kNone);
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::vector<std::size_t>& fits = fitting[i];
    if (fits.empty()) continue;
    const std::size_t r = fits.front();
    if (fits.size() > 1) {
      problems.push_back(cat(quoted(names[i]), " fits ", recordings[r].id, " and ", recordings[fits[1]].id,
                             "; name it by the id"));
    } else if (item_of[r] != kNone) {
      problems.push_back(cat(recordings[r].id, " is there twice, as ", quoted(names[item_of[r]]), " and ",
                             quoted(names[i])));
    } else {
      item_of[r] = i;
    }
  }
  if (!problems.empty())
    throw DataError(cat(where, ": its items cannot be told apart:", first_lines(problems)));

  std::vector<std::string> missing;
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    if (item_of[r] == kNone) missing.push_back(recordings[r].id);
  }
  if (!missing.empty()) {
    const bool all = missing.size() == recordings.size();
    throw DataError(cat(where, ": has features of ",
                        all ? std::string("none") : cat("only ", recordings.size() - missing.size()),
                        " of the ", recordings.size(), " recordings; missing:", first_lines(missing),
                        "\nits ", names.size(), names.size() == 1 ? " item is" : " items are", " named like ",
                        quoted(names.empty() ? "" : names.front()),
                        "; a name must be a recording's id, its file's name, or the end of its path"));
  }
  return item_of;
}

}  // namespace serval::store
