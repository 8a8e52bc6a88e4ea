// A bundle's files, wherever they lie: in a folder, or in one file (archive.h). All of them are read once, checked against
// SHA256SUMS, and believed only then; so what memory they take is bounded by what lies on the disk.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace serval::deploy {

// By name below the bundle, with their content.
using NamedFiles = std::vector<std::pair<std::string, std::string>>;

inline constexpr const char* kSums = "SHA256SUMS";
// A name that ends so is one file.
inline constexpr const char* kOneFileEnding = ".serval";

// A path below the bundle, and none that leads out of it.
bool plain_path(const std::string& name);

class BundleFiles {
 public:
  // Throws DataError naming the file: no bundle, one that is missing, cut short or changed.
  explicit BundleFiles(std::string path);

  std::string place(const std::string& name) const;  // as messages have it
  // The content, which the caller keeps. DataError unless the sums cover a file of that name.
  std::string take(const std::string& name);

 private:
  std::string path_;
  std::map<std::string, std::string> files_;
};

// Writes them with their sums, whole or not at all: a folder, or one file where the name ends in ".serval". What is there
// already is not touched (ConfigError). Throws DiskError.
void write_bundle_files(const std::string& path, const NamedFiles& files);

}  // namespace serval::deploy
