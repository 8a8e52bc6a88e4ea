// Folders and files for tests of corpora: gone again at the test's end.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "serval/core/error.h"

namespace serval::corpus {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "serval-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string str() const { return path_.string(); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  // A file with this content; its folders are made.
  std::string write(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }
  void write_all(const std::vector<std::string>& names) const {
    for (const std::string& name : names) write(name, "content of " + name);
  }

 private:
  std::filesystem::path path_;
};

// The message of the error of type E that `action` throws; fails the test when it throws none or another one.
template <class E, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "an error of another type: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error";
  return "";
}

// Tests know where the sources are, and use the descriptions from there.
class CorpusTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("SERVAL_DATA", SERVAL_SOURCE_DIR "/data", 1); }
  void TearDown() override { ::unsetenv("SERVAL_DATA"); }
  TempFolder folder_;
};

}  // namespace serval::corpus
