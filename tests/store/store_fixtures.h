// Folders and example stores for the store tests.
#pragma once

#include <atomic>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/philox.h"
#include "serval/store/store.h"
#include "serval/store/writer.h"

namespace serval::store {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() / cat("serval-store-test-", ::getpid(), "-", count++);
    std::filesystem::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      out.push_back(entry.path().filename());
    return out;
  }

 private:
  std::filesystem::path path_;
};

inline std::vector<float> noise(std::uint64_t seed, std::size_t count, float level = 1) {
  const RandomStream random{seed};
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = level * (2 * random.uniform(i) - 1);
  return out;
}

inline StoreInfo audio_info(const std::string& tag = "") {
  const std::vector<Source> sources = {{"demo/a", "11"}, {"demo/b" + tag, "22"}};
  StoreInfo info;
  info.key = audio_key(3, R"({"sample_rate_hz": 16000})", sources);
  info.stage_version = 3;
  info.settings = R"({"sample_rate_hz": 16000})";
  info.sample_rate_hz = 16000;
  info.computed_on = "cpu";
  info.creator = "serval test";
  return info;
}

inline StoreInfo features_info(std::int64_t dimension, const std::string& tag = "") {
  StoreInfo info = audio_info(tag);
  info.settings = R"({"n_mels": 64})";
  info.key = features_key(1, info.settings, info.key, "cpu");
  info.stage_version = 1;
  info.dimension = dimension;
  return info;
}

inline features::FeatureMatrix matrix(std::uint64_t seed, std::int64_t frames, std::int64_t dimension) {
  return {frames, dimension, noise(seed, static_cast<std::size_t>(frames * dimension))};
}

// Ids "demo/0" and so on, which live as long as the program.
inline std::vector<std::string_view> demo_ids(std::size_t count) {
  static std::mutex mutex;
  static std::deque<std::string> all;
  const std::lock_guard lock(mutex);
  while (all.size() < count) all.push_back(cat("demo/", all.size()));
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Appends what make(source) gives for every source that the writer lacks, and publishes. Returns the sources
// that were made.
template <class Make>
std::vector<std::int64_t> fill(StoreWriter& writer, Make make) {
  std::vector<std::int64_t> made;
  while (const auto gap = writer.next_gap()) {
    for (std::int64_t source = gap->begin; source < gap->end; ++source) {
      writer.append(source, make(source));
      made.push_back(source);
    }
  }
  writer.finish();
  return made;
}

// Features of three items, one of them without frames.
inline std::filesystem::path write_example(const std::filesystem::path& folder, const StoreInfo& info) {
  StoreWriter writer(folder, info, {"demo/a", "demo/b", "demo/c"});
  fill(writer, [&](std::int64_t source) {
    constexpr std::int64_t kFrames[] = {7, 0, 4};
    return matrix(static_cast<std::uint64_t>(source + 1), kFrames[source], info.dimension);
  });
  return store_path(folder, info.key);
}

inline void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace serval::store
