// Stores of several files: the same to a reader, continued by a writer, and each wrong file named and made again.
#include <algorithm>
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "serval/store/housekeeping.h"
#include "serval/store/seal.h"

#include "store_fixtures.h"

namespace serval::store {
namespace {

using audio::quantise;
using audio::QuantisedAudio;

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kSources = 40;
constexpr StoreLimits kSmall{4000};  // a few items a shard

// Lengths differ, and some sources have no rows at all.
QuantisedAudio sound(std::int64_t source) {
  const auto length = static_cast<std::size_t>(source % 7 == 3 ? 0 : 100 + 37 * (source % 11));
  return quantise(noise(static_cast<std::uint64_t>(source), length, source % 2 == 0 ? 0.9f : 0.02f), "demo");
}
features::FeatureMatrix rows(std::int64_t source) {
  return matrix(static_cast<std::uint64_t>(source), 5 + source % 9, 3);
}

class Shards : public ::testing::Test {
 protected:
  StoreWriter writer(const StoreLimits& limits = kSmall) const {
    return {folder_.path(), info_, demo_ids(kSources), limits};
  }
  // Writes what is lacking; returns the sources that were made.
  std::vector<std::int64_t> write(const StoreLimits& limits = kSmall) const {
    StoreWriter out = writer(limits);
    return fill(out, sound);
  }
  fs::path shard(int number) const {
    char digits[16];
    std::snprintf(digits, sizeof digits, ".%03d.h5", number);
    return folder_.path() / ("audio-" + info_.key.hash + digits);
  }
  fs::path index() const { return store_path(folder_.path(), info_.key); }
  int shards() const {
    int count = 0;
    while (fs::exists(shard(count))) ++count;
    return count;
  }
  std::optional<Store> open() const { return open_store(folder_.path(), info_.key); }
  // Opens, or not, and says what was said.
  std::string said() const {
    ::testing::internal::CaptureStderr();
    const bool opened = open().has_value();
    const std::string text = ::testing::internal::GetCapturedStderr();
    return opened ? "opened" : text;
  }
  // All files with their bytes, but for the seals, which hold the time.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (const std::string& name : folder_.names()) out[name] = read_text(folder_.path() / name).substr(512);
    return out;
  }
  std::vector<float> expected(std::int64_t first, std::int64_t count) const {
    std::vector<float> out;
    for (std::int64_t source = first; source < first + count; ++source) {
      const std::vector<float> more = samples(sound(source));
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }

  TemporaryFolder folder_;
  StoreInfo info_ = audio_info();
};

TEST_F(Shards, AReaderSeesOneStore) {
  EXPECT_EQ(write().size(), static_cast<std::size_t>(kSources));
  EXPECT_GT(shards(), 4);
  const std::optional<Store> store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(store->items(), kSources);
  EXPECT_EQ(store->files(), shards());
  for (std::int64_t first = 0; first <= kSources; ++first) {
    for (std::int64_t count = 0; first + count <= kSources; ++count)
      ASSERT_EQ(store->read(first, count), expected(first, count)) << first << " " << count;
  }
  std::vector<std::string> hashes;
  for (std::int64_t source = 0; source < kSources; ++source) {
    EXPECT_EQ(store->ids()[static_cast<std::size_t>(source)], cat("demo/", source));
    EXPECT_EQ(store->read_audio(source).codes, sound(source).codes);
    EXPECT_EQ(store->read_audio(source).scale, sound(source).scale);
    hashes.push_back(hash_of(sound(source)));
  }
  EXPECT_EQ(store->read_hashes(), hashes);
  EXPECT_EQ(store->info().settings, info_.settings);
  EXPECT_EQ(store->info().key, info_.key);
}

TEST_F(Shards, FeaturesToo) {
  const StoreInfo info = features_info(3);
  StoreWriter out(folder_.path(), info, demo_ids(kSources), {500});
  fill(out, rows);
  const std::optional<Store> store = open_store(folder_.path(), info.key);
  ASSERT_TRUE(store);
  EXPECT_GT(store->files(), 4);
  std::vector<float> all;
  for (std::int64_t source = 0; source < kSources; ++source) {
    EXPECT_EQ(store->read_features(source).values, rows(source).values);
    const std::vector<float> more = rows(source).values;
    all.insert(all.end(), more.begin(), more.end());
  }
  EXPECT_EQ(store->read_all(), all);
}

TEST_F(Shards, WhatTheyWereMadeFromCountsToo) {
  const StoreInfo info = features_info(3);
  StoreWriter out(folder_.path(), info, demo_ids(10), {10000});
  out.next_gap();
  for (std::int64_t source = 0; source < 10; ++source) out.append(source, rows(source), 4000);
  out.finish();
  EXPECT_EQ(open_store(folder_.path(), info.key)->files(), 4);  // 3 + 3 + 3 + 1
}

TEST_F(Shards, MoreFilesThanAreHeldOpen) {
  write({1});
  EXPECT_EQ(shards(), kSources);
  const std::optional<Store> store = open();
  ASSERT_TRUE(store);
  const auto descriptors = [] {
    const fs::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = descriptors();
  for (int round = 0; round < 2; ++round) EXPECT_EQ(store->read_all(), expected(0, kSources));
  EXPECT_LE(descriptors(), before + 16);
}

TEST_F(Shards, ASmallStoreIsOneFile) {
  write({std::int64_t{1} << 20});
  EXPECT_THAT(folder_.names(), ElementsAre(index().filename()));
  EXPECT_EQ(open()->files(), 1);
}

TEST_F(Shards, AStoreThatIsThereIsNotMadeAgain) {
  write();
  EXPECT_THAT(write(), IsEmpty());
  EXPECT_EQ(writer().sources_kept(), kSources);
}

TEST_F(Shards, LeftOutSourcesChangeNothingElse) {
  const auto leave_out = [](std::int64_t source) {
    return source < 2 || (source > 11 && source < 19) || source > 36;
  };
  const auto write_some = [&](std::int64_t stop_at) {
    StoreWriter out = writer();
    std::vector<std::int64_t> asked;
    while (const auto gap = out.next_gap()) {
      for (std::int64_t source = gap->begin; source < gap->end; ++source) {
        if (source == stop_at) return asked;
        asked.push_back(source);
        if (!leave_out(source)) out.append(source, sound(source));
      }
    }
    out.finish();
    return asked;
  };
  write_some(-1);
  const std::map<std::string, std::string> whole = contents();
  std::vector<std::string> kept;
  for (std::int64_t source = 0; source < kSources; ++source) {
    if (!leave_out(source)) kept.push_back(cat("demo/", source));
  }
  EXPECT_EQ(open()->ids(), kept);
  for (std::int64_t stop_at = 1; stop_at < kSources; stop_at += 6) {
    for (const std::string& name : folder_.names()) fs::remove(folder_.path() / name);
    write_some(stop_at);
    write_some(-1);
    ASSERT_EQ(contents(), whole) << stop_at;
  }
}

// A writer that goes away after any source, as a killed one does once its temporary file is gone.
TEST_F(Shards, AContinuedStoreHasTheBytesOfAnUninterruptedOne) {
  write();
  const std::map<std::string, std::string> whole = contents();
  for (std::int64_t stop_at = 0; stop_at <= kSources; stop_at += 3) {
    for (const std::string& name : folder_.names()) fs::remove(folder_.path() / name);
    {
      StoreWriter out = writer();
      const auto gap = out.next_gap();
      for (std::int64_t source = 0; source < stop_at; ++source) out.append(source, sound(source));
      EXPECT_EQ(gap->end, kSources);
    }
    EXPECT_FALSE(fs::exists(index()));
    EXPECT_EQ(said(), "");  // an unfinished store is none, and nothing to worry about
    const int there = shards();
    const std::int64_t kept = writer().sources_kept();
    const std::vector<std::int64_t> made = write();
    ASSERT_EQ(static_cast<std::int64_t>(made.size()), kSources - kept);
    if (there > 0) EXPECT_GT(kept, 0);
    ASSERT_EQ(contents(), whole) << stop_at;
  }
}

TEST_F(Shards, AnyLostShardsAloneAreMadeAgain) {
  write();
  const std::map<std::string, std::string> whole = contents();
  const int count = shards();
  ASSERT_LE(count, 16);
  std::vector<std::int64_t> sources(static_cast<std::size_t>(count));  // of each shard
  for (int i = 0; i < count; ++i) {
    fs::rename(shard(i), folder_.path() / "aside");
    sources[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(write().size());
    fs::remove(folder_.path() / "aside");
    ASSERT_EQ(contents(), whole) << i;
  }
  for (unsigned lost = 0; lost < (1u << count); lost += 13) {
    std::int64_t wanted = 0;
    for (int i = 0; i < count; ++i) {
      if ((lost >> i & 1) == 0) continue;
      fs::remove(shard(i));
      wanted += sources[static_cast<std::size_t>(i)];
    }
    if (lost % 2 == 0) fs::remove(index());
    ASSERT_EQ(static_cast<std::int64_t>(write().size()), wanted) << lost;
    ASSERT_EQ(contents(), whole) << lost;
  }
}

TEST_F(Shards, AWrongShardIsNamedAndMadeAgainAlone) {
  write();
  const std::map<std::string, std::string> whole = contents();
  const std::string bytes = read_text(shard(1));
  const std::int64_t items = read_seal(shard(1)).items;
  std::string flipped = bytes;
  flipped[bytes.size() - 700] ^= 1;
  struct Case {
    std::string content;
    const char* message;
  };
  // A shard of another key, sound in itself.
  StoreInfo other = audio_info("other");
  const TemporaryFolder elsewhere;
  StoreWriter out(elsewhere.path(), other, demo_ids(kSources), kSmall);
  fill(out, sound);
  const std::string foreign = read_text(elsewhere.path() / ("audio-" + other.key.hash + ".001.h5"));
  for (const Case& wrong :
       {Case{bytes.substr(0, bytes.size() / 2), "torn"}, Case{"", "torn"}, Case{flipped, "corrupt"},
        Case{std::string(9000, 'x'), "not sealed"}, Case{foreign, "not what its name says"},
        Case{read_text(shard(2)), "not what its name says"},
        Case{read_text(index()), "not what its name says"}}) {
    overwrite(shard(1), wrong.content);
    ::testing::internal::CaptureStderr();
    EXPECT_FALSE(open());
    const std::vector<std::int64_t> made = write();
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr(shard(1).string()), HasSubstr(wrong.message), HasSubstr("made again")));
    EXPECT_EQ(static_cast<std::int64_t>(made.size()), items);
    EXPECT_EQ(contents(), whole) << wrong.message;
    EXPECT_TRUE(open());
  }
}

TEST_F(Shards, EveryWrongShardIsNamedAtOnce) {
  write();
  for (const int number : {0, 3}) overwrite(shard(number), read_text(shard(number)).substr(0, 2000));
  EXPECT_THAT(said(), AllOf(HasSubstr(shard(0).filename()), HasSubstr(shard(3).filename())));
}

TEST_F(Shards, AnIndexWithoutShardsIsNotBelieved) {
  write();
  const int count = shards();
  for (int i = 0; i < count; ++i) fs::remove(shard(i));
  EXPECT_THAT(said(), AllOf(HasSubstr(shard(0).string()), HasSubstr("made again")));
  EXPECT_EQ(write().size(), static_cast<std::size_t>(kSources));
  EXPECT_TRUE(open());
}

TEST_F(Shards, AFlippedBitInTheIndexIsNoticed) {
  write();
  const std::string whole = read_text(index());
  for (std::size_t at = 0; at < whole.size(); at += 61) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    overwrite(index(), bytes);
    ASSERT_FALSE(open()) << at;
  }
  EXPECT_THAT(write(), IsEmpty());  // the shards are all there
  EXPECT_TRUE(open());
}

TEST_F(Shards, AnotherShardSizeKeepsWhatLinesUp) {
  for (const std::int64_t bytes : {std::int64_t{1500}, std::int64_t{9000}, std::int64_t{1} << 30}) {
    for (const int lost : {0, 2}) {
      for (const std::string& name : folder_.names()) fs::remove(folder_.path() / name);
      write();
      fs::remove(index());
      fs::remove(shard(lost));
      write({bytes});
      const std::optional<Store> store = open();
      ASSERT_TRUE(store) << bytes << " " << lost;
      EXPECT_EQ(store->read_all(), expected(0, kSources)) << bytes << " " << lost;
    }
  }
}

TEST_F(Shards, AStoreThatAnotherWriterPublishesAgainIsStillRead) {
  write();
  const std::optional<Store> store = open();
  ASSERT_TRUE(store);
  for (int i = 0; i < shards(); ++i) {
    // The same content with another seal, as from a second writer of the same store.
    const Seal seal = read_seal(shard(i));
    std::this_thread::sleep_for(std::chrono::milliseconds(i == 0 ? 1100 : 0));  // its time is in seconds
    seal_file(shard(i), {.kind = seal.kind, .key = seal.key, .items = seal.items}, read_note(shard(i)));
  }
  EXPECT_EQ(store->read_all(), expected(0, kSources));
  const std::optional<Store> again = open();
  fs::remove(shard(1));
  try {
    again->read_all();
    FAIL() << "read a file that is gone";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(shard(1).string()));
  }
}

TEST_F(Shards, WritersThatRaceLeaveOneSoundStore) {
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 0;
      try {
        for (int round = 0; round < 3; ++round) {
          if (p == 0 && round % 2 == 1) fs::remove(shard(round));
          write();
        }
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        code = 1;
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  write();
  const std::optional<Store> store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(store->read_all(), expected(0, kSources));
  for (const std::string& name : folder_.names()) EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
}

TEST_F(Shards, AKilledWritersTemporaryFileIsDeletedByTheNext) {
  const pid_t child = ::fork();
  if (child == 0) {
    StoreWriter out = writer();
    out.next_gap();
    for (std::int64_t source = 0; source < 17; ++source) out.append(source, sound(source));
    ::_exit(0);  // nothing is cleaned up
  }
  ::waitpid(child, nullptr, 0);
  const auto temporaries = [&] {
    const std::vector<std::string> names = folder_.names();
    return std::count_if(names.begin(), names.end(),
                         [](const std::string& name) { return name.find(".tmp-") != std::string::npos; });
  };
  EXPECT_EQ(temporaries(), 1);
  // That of a writer elsewhere stays, and that of a live one here.
  const std::string elsewhere = "audio-" + std::string(32, 'b') + ".000.h5.tmp-node1.0123456789abcdef-17-1";
  overwrite(folder_.path() / elsewhere, "half");
  StoreWriter live(folder_.path(), features_info(3), demo_ids(3));
  live.next_gap();
  EXPECT_EQ(temporaries(), 2);  // the live one deleted the dead one's
  write();
  EXPECT_EQ(temporaries(), 2);
  EXPECT_TRUE(fs::exists(folder_.path() / elsewhere));
}

}  // namespace
}  // namespace serval::store
