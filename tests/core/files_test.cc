#include "serval/core/files.h"

#include <cerrno>
#include <fstream>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
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

TEST_F(FilesTest, ATemporaryFileCanTakeAnotherName) {
  const TemporaryFile file(folder_ / "x.txt");
  std::ofstream(file.path()) << "x";
  file.publish_as(folder_ / "y.txt");
  EXPECT_EQ(names(), std::set<std::string>{"y.txt"});
}

TEST_F(FilesTest, OnlyTheFileOfAProcessThatIsGoneForSureIsAbandoned) {
  const TemporaryFile own(folder_ / "x.h5");
  EXPECT_FALSE(is_abandoned(own.path()));
  // A process that has ended, and was waited for, so that its number is free.
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  std::string name = own.path().filename().string();
  const std::string pid = cat("-", ::getpid(), "-");
  const std::size_t at = name.rfind(pid);
  ASSERT_NE(at, std::string::npos);
  name.replace(at, pid.size(), cat("-", child, "-"));
  EXPECT_TRUE(is_abandoned(folder_ / name));
  // Process 1 lives, whether or not we may send it signals.
  EXPECT_FALSE(is_abandoned(folder_ / (name.substr(0, name.rfind(cat("-", child, "-"))) + "-1-1")));
  // The same number elsewhere, or before the machine started anew.
  std::string elsewhere = name;
  elsewhere[at - 1] = elsewhere[at - 1] == '0' ? '1' : '0';
  EXPECT_FALSE(is_abandoned(folder_ / elsewhere));
  EXPECT_FALSE(is_abandoned(folder_ / cat("x.h5.tmp-othernode.0123456789abcdef-", child, "-1")));
  for (const std::string& odd :
       {name + "x", name.substr(0, name.rfind('-')), std::string("x.h5"), std::string("x.tmp-")}) {
    EXPECT_FALSE(is_abandoned(folder_ / odd)) << odd;
  }
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
