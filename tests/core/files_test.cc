#include "serval/core/files.h"

#include <cerrno>
#include <fstream>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "serval/core/error.h"

namespace serval {
namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() : folder_(fs::temp_directory_path() / cat("serval-files-test-", ::getpid())) {
    fs::create_directories(folder_);
  }
  ~FilesTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder_)) out.insert(entry.path().filename());
    return out;
  }
  fs::path folder_;
};

TEST_F(FilesTest, AtomicWritesReplaceOrLeaveEverythingAlone) {
  const fs::path path = folder_ / "x.txt";
  write_atomically(path, "old");
  write_atomically(path, "new");
  EXPECT_EQ(read_text(path), "new");
  const auto fails_midway = [](const fs::path& temporary) {
    std::ofstream(temporary) << "a part";
    throw std::runtime_error("midway");
  };
  EXPECT_THROW(write_atomically(path, fails_midway), std::runtime_error);
  EXPECT_EQ(read_text(path), "new");
  EXPECT_EQ(names(), std::set<std::string>{"x.txt"});
}

TEST_F(FilesTest, ATemporaryFileIsPublishedOrGone) {
  const fs::path path = folder_ / "x.txt";
  {
    const TemporaryFile dropped(path), published(path);
    EXPECT_NE(dropped.path(), published.path());
    EXPECT_EQ(published.path().parent_path(), folder_);
    std::ofstream(dropped.path()) << "dropped";
    std::ofstream(published.path()) << "published";
    published.publish();
  }
  EXPECT_EQ(read_text(path), "published");
  EXPECT_EQ(names(), std::set<std::string>{"x.txt"});
}

TEST_F(FilesTest, NoRoomIsAnErrorOfItsOwn) {
  for (const int full : {ENOSPC, EDQUOT, EFBIG}) EXPECT_THROW(fail_errno("x", "y", full), DiskError);
  try {
    fail_errno("some/file", "cannot be opened", EACCES);
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("some/file: cannot be opened: "));
  }
}

}  // namespace
}  // namespace serval
