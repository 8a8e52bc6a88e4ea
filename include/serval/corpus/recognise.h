// Which known corpus a file belongs to, told by its name.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serval/corpus/file_name.h"

namespace serval::corpus {

class Recogniser {
 public:
  explicit Recogniser(std::filesystem::path root);  // a folder of corpora

  // The corpus whose forms the name fits, and what the name says; null for a stray. Files of a first-level folder that is
  // marked synthetic are taken for synthetic corpora only, others for the others only: RAVDESS' names are the demo
  // corpus' too.
  const NameReader* owner(const std::filesystem::path& file, ParsedName& name);

 private:
  std::filesystem::path root_;
  bool root_marked_ = false;
  std::map<std::string, bool> marked_;  // first-level folder -> made by a program
  std::vector<std::unique_ptr<NameReader>> readers_;
};

// "." for a file of the folder itself; `relative` is a path below it.
std::string first_folder(const std::string& relative);

// Every recording of a known corpus in the folder and below it, by id; of copies the first. Throws ConfigError when the
// folder is missing, DataError when it holds none.
std::vector<Recording> recognise_recordings(const std::string& folder);

}  // namespace serval::corpus
