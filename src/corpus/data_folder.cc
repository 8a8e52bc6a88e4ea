#include "serval/corpus/data_folder.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "serval/core/error.h"

namespace serval::corpus {
namespace fs = std::filesystem;

namespace {

bool holds_corpora(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "corpora", ignored);
}

std::vector<fs::path> candidates() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    for (fs::path folder = program.parent_path();; folder = folder.parent_path()) {
      folders.push_back(folder / "share" / "serval");
      folders.push_back(folder / "data");
      if (folder == folder.root_path() || folder.empty()) break;
    }
  }
  const fs::path source = __FILE__;  // <sources>/src/corpus/data_folder.cc
  if (source.is_absolute()) folders.push_back(source.parent_path().parent_path().parent_path() / "data");
  return folders;
}

}  // namespace

std::string data_folder() {
  if (const char* given = std::getenv("SERVAL_DATA"); given != nullptr && *given != '\0') {
    if (holds_corpora(given)) return given;
    throw ConfigError(cat("SERVAL_DATA=", given, ": there is no folder corpora in it"));
  }
  for (const fs::path& folder : candidates()) {
    if (holds_corpora(folder)) return folder.string();
  }
  throw ConfigError(
      "the folder with the corpus descriptions was not found; set SERVAL_DATA to the folder that holds "
      "corpora/, "
      "such as <prefix>/share/serval");
}

}  // namespace serval::corpus
