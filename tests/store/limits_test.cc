// A disk that fills up, and memory that must not.
#include <algorithm>
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "serval/store/store.h"

#include "store_fixtures.h"

namespace serval::store {
namespace {

using audio::quantise;
using audio::QuantisedAudio;

// Files may not grow beyond `bytes` while this lives: writes fail as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

// Writes items until there is no room for them, or for what finish() adds.
void write_items(const std::filesystem::path& folder, int items) {
  StoreWriter writer(folder, features_info(64), demo_ids(static_cast<std::size_t>(items)));
  fill(writer, [](std::int64_t) { return matrix(1, 500, 64); });
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

TEST(StoreLimits, AFullDiskIsSaidAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::ptrdiff_t descriptors = open_descriptors();
  // From no room for the first block, over no room in the middle of the rows, to no room for the last bytes.
  for (const rlim_t room : {rlim_t{0}, rlim_t{1000}, rlim_t{300000}, rlim_t{6000000}, rlim_t{7700000}}) {
    const FileSizeLimit limit(room);
    try {
      write_items(folder.path(), 60);
      FAIL() << "written into " << room << " bytes";
    } catch (const DiskError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(folder.path().string()));
      EXPECT_THAT(error.what(), ::testing::HasSubstr("free some space"));
    }
    EXPECT_TRUE(folder.names().empty()) << room;
    EXPECT_EQ(open_descriptors(), descriptors) << room;
  }
  // With room again, the same call works.
  write_items(folder.path(), 60);
  const std::optional<Store> store = open_store(folder.path(), features_info(64).key);
  ASSERT_TRUE(store);
  EXPECT_EQ(store->items(), 60);
}

std::int64_t status_kib(const std::string& field) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stoll(line.substr(field.size() + 1));
  }
  return -1;
}

// The largest resident size since this was made, beyond the size then.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << 5;  // resets the peak
    start_ = status_kib("VmRSS");
  }
  std::int64_t mib() const { return (status_kib("VmHWM") - start_) / 1024; }

 private:
  std::int64_t start_ = 0;
};

TEST(StoreLimits, MemoryDoesNotGrowWithTheRows) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "under a sanitizer the process's memory is not the program's own";
#endif
  const TemporaryFolder folder;
  constexpr std::int64_t kMostMib = 16;
  constexpr int kItems = 250;
  const StoreInfo info = audio_info();
  const QuantisedAudio audio = quantise(noise(1, 200000), "demo/a");
  {
    const PeakMemory peak;
    StoreWriter writer(folder.path(), info, demo_ids(kItems));
    fill(writer, [&](std::int64_t) { return audio; });
    EXPECT_LT(peak.mib(), kMostMib);
  }
  ASSERT_GT(std::filesystem::file_size(store_path(folder.path(), info.key)), 90u << 20);
  const PeakMemory peak;
  const std::optional<Store> store = open_store(folder.path(), info.key);
  ASSERT_TRUE(store);
  std::vector<float> one(200000);
  for (std::int64_t i = 0; i < store->items(); ++i) store->read(i, 1, one);
  EXPECT_LT(peak.mib(), kMostMib);
  EXPECT_EQ(one, samples(audio));
}

}  // namespace
}  // namespace serval::store
