// From a folder of recordings to a list of what is in it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "serval/corpus/description.h"
#include "serval/corpus/manifest.h"

namespace serval::corpus {

struct FileNote {
  std::string path;
  std::string note;
};

struct ScanResult {
  std::vector<Recording> recordings;  // by id
  std::vector<FileNote> quirks;       // recordings whose name has an odd form; what is odd
  std::vector<FileNote> ignored;      // left out on purpose; why
  std::vector<FileNote> strays;       // an accepted ending, but no form of name fits
  std::vector<FileNote> copies;       // same name and same bytes as a recording; which one
};

// Every file under `folder`, sorted by path. Hidden files (".x", which takes in the "._x" of macOS) and
// hidden folders are left out; links to folders are followed, each folder once. Throws ConfigError when the
// folder is missing or cannot be listed.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder);

// A folder made by a program says so: its README.txt starts with "SYNTHETIC".
bool is_marked_synthetic(const std::filesystem::path& folder);

// Recordings of one corpus under `folder`; they are marked synthetic if the description or the folder is.
// Throws ConfigError for a missing folder, DataError when no name fits, when a label is not among the
// description's, and when two different files have one name.
ScanResult scan(const CorpusDescription& description, const std::string& folder);

// Fills content_hash of every recording from its file's bytes.
void hash_contents(std::vector<Recording>& recordings, int threads);

}  // namespace serval::corpus
