#include "serval/corpus/recognise.h"

#include <algorithm>
#include <utility>

#include "serval/core/error.h"
#include "serval/corpus/scan.h"

namespace serval::corpus {
namespace fs = std::filesystem;

std::string first_folder(const std::string& relative) {
  const std::size_t slash = relative.find('/');
  return slash == std::string::npos ? "." : relative.substr(0, slash);
}

Recogniser::Recogniser(fs::path root) : root_(std::move(root)), root_marked_(is_marked_synthetic(root_)) {
  for (const CorpusDescription& description : known_descriptions())
    readers_.push_back(std::make_unique<NameReader>(description));
}

const NameReader* Recogniser::owner(const fs::path& file, ParsedName& name) {
  const std::string top = first_folder(file.lexically_relative(root_).string());
  if (marked_.count(top) == 0) marked_[top] = root_marked_ || is_marked_synthetic(root_ / top);
  for (const auto& reader : readers_) {
    if (reader->description().synthetic != marked_[top] || !reader->accepts_ending(file)) continue;
    name = reader->parse(file);
    if (name.kind != ParsedName::Kind::kStray) return reader.get();
  }
  return nullptr;
}

std::vector<Recording> recognise_recordings(const std::string& folder) {
  const fs::path root = fs::absolute(folder).lexically_normal();
  const std::vector<fs::path> files = list_files(root);
  Recogniser recogniser(root);
  std::map<std::string, Recording> by_id;
  for (const fs::path& file : files) {
    ParsedName name;
    const NameReader* owner = recogniser.owner(file, name);
    if (owner == nullptr || name.kind != ParsedName::Kind::kRecording) continue;
    name.recording.path = file.string();
    name.recording.synthetic = owner->description().synthetic;
    by_id.emplace(name.recording.id, std::move(name.recording));
  }
  if (by_id.empty()) {
    throw DataError(
        cat(root.string(), ": no recording of a known corpus among ", files.size(),
            " files; a corpus of your own goes before the folder, by its description or manifest"));
  }
  std::vector<Recording> out;
  for (auto& [id, recording] : by_id) out.push_back(std::move(recording));
  return out;
}

}  // namespace serval::corpus
