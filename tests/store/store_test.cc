#include "serval/store/store.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "serval/store/seal.h"

#include "store_fixtures.h"

namespace serval::store {
namespace {

using audio::quantise;
using audio::QuantisedAudio;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The warning of an open_store that must not succeed.
std::string refusal(const std::filesystem::path& folder, const StoreKey& key) {
  ::testing::internal::CaptureStderr();
  const bool opened = open_store(folder, key).has_value();
  const std::string warning = ::testing::internal::GetCapturedStderr();
  return opened ? "opened" : warning;
}

// What is wrong with a file; open_store says so too, but the same warning only once.
std::string damage(const std::filesystem::path& path) {
  try {
    verify_seal(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Store, FeaturesComeBack) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(3);
  EXPECT_EQ(write_example(folder.path(), info), store_path(folder.path(), info.key));
  EXPECT_THAT(folder.names(), ElementsAre("features-" + info.key.hash + ".h5"));

  const std::optional<Store> store = open_store(folder.path(), info.key);
  ASSERT_TRUE(store);
  EXPECT_EQ(store->info().key, info.key);
  EXPECT_EQ(store->info().stage_version, 1);
  EXPECT_EQ(store->info().settings, info.settings);
  EXPECT_EQ(store->info().dimension, 3);
  EXPECT_EQ(store->info().sample_rate_hz, 16000);
  EXPECT_EQ(store->info().computed_on, "cpu");
  EXPECT_EQ(store->info().creator, "serval test");
  EXPECT_THAT(store->ids(), ElementsAre("demo/a", "demo/b", "demo/c"));
  EXPECT_THAT(store->offsets(), ElementsAre(0, 7, 7, 11));
  EXPECT_EQ(store->rows(), 11);

  const features::FeatureMatrix last = store->read_features(2);
  EXPECT_EQ(last.frames, 4);
  EXPECT_EQ(last.dimension, 3);
  EXPECT_EQ(last.values, noise(3, 12));
  EXPECT_EQ(store->read_features(1).frames, 0);
  std::vector<float> all = noise(1, 21);
  const std::vector<float> tail = noise(3, 12);
  all.insert(all.end(), tail.begin(), tail.end());
  EXPECT_EQ(store->read_all(), all);
  EXPECT_EQ(store->read(1, 2), tail);
  EXPECT_TRUE(store->read(3, 0).empty());
  EXPECT_THROW(store->read(2, 2), InternalError);
  EXPECT_THROW(store->read_audio(0), InternalError);
}

TEST(Store, AudioComesBackAsQuantised) {
  const TemporaryFolder folder;
  const StoreInfo info = audio_info();
  // The long one spans several of the reader's batches; levels differ so that a wrong scale shows.
  const std::vector<std::vector<float>> recordings = {
      noise(1, 1000, 0.9f), {}, noise(2, 5000000, 0.01f), noise(3, 77, 4)};
  std::vector<float> expected;
  std::vector<std::string> hashes;
  StoreWriter writer(folder.path(), info, demo_ids(recordings.size()));
  fill(writer, [&](std::int64_t r) {
    const QuantisedAudio audio = quantise(recordings[static_cast<std::size_t>(r)], "demo/a");
    const std::vector<float> back = samples(audio);
    expected.insert(expected.end(), back.begin(), back.end());
    hashes.push_back(hash_of(audio));
    return audio;
  });

  const std::optional<Store> store = open_store(folder.path(), info.key);
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->read_all() == expected);
  EXPECT_TRUE(store->read(1, 2) == std::vector<float>(expected.begin() + 1000, expected.begin() + 5001000));
  const QuantisedAudio last = store->read_audio(3);
  EXPECT_EQ(last.codes, quantise(recordings[3], "demo/a").codes);
  EXPECT_EQ(last.scale, quantise(recordings[3], "demo/a").scale);
  EXPECT_EQ(store->read_hashes(), hashes);
  EXPECT_NE(hashes[0], hashes[3]);
  EXPECT_THROW(store->read_features(0), InternalError);
}

TEST(Store, MayBeEmpty) {
  const TemporaryFolder folder;
  StoreWriter(folder.path(), audio_info(), {}).finish();
  const std::optional<Store> store = open_store(folder.path(), audio_info().key);
  ASSERT_TRUE(store);
  EXPECT_EQ(store->items(), 0);
  EXPECT_TRUE(store->read_all().empty());
}

TEST(Store, KeysFollowEverythingThatMakesTheContent) {
  const std::vector<Source> sources = {{"a", "1"}, {"b", "2"}};
  const StoreKey base = audio_key(1, "{}", sources);
  EXPECT_EQ(base, audio_key(1, "{}", sources));
  EXPECT_EQ(base.hash.size(), 32u);
  const std::vector<std::vector<Source>> others = {{{"b", "2"}, {"a", "1"}},
                                                   {{"a", "1"}},
                                                   {{"a", "1"}, {"b", "3"}},
                                                   {{"a", "1"}, {"c", "2"}},
                                                   {{"a", "1b"}, {"", "2"}}};
  for (const std::vector<Source>& other : others) EXPECT_NE(base, audio_key(1, "{}", other));
  EXPECT_NE(base, audio_key(2, "{}", sources));
  EXPECT_NE(base, audio_key(1, "{ }", sources));
  EXPECT_THROW(audio_key(1, "{}", std::vector<Source>{{"a", ""}}), InternalError);

  const StoreKey features = features_key(1, "{}", base, "cpu");
  EXPECT_NE(features, features_key(2, "{}", base, "cpu"));
  EXPECT_NE(features, features_key(1, "[]", base, "cpu"));
  EXPECT_NE(features, features_key(1, "{}", base, "cuda"));
  EXPECT_NE(features, features_key(1, "{}", audio_key(2, "{}", sources), "cpu"));
}

TEST(Store, AbsentOnesAreNoneWithoutAWord) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal(folder.path(), audio_info().key), "");
  EXPECT_EQ(refusal(folder.path() / "nowhere", audio_info().key), "");
}

TEST(Store, TornOnesAreNamedAtEveryLength) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(3);
  const std::filesystem::path path = write_example(folder.path(), info);
  const std::string whole = read_text(path);
  constexpr std::size_t kSteps = 60;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const std::size_t length =
        step < 20 ? step * 30 : whole.size() - 1 - (kSteps - 1 - step) * whole.size() / kSteps;
    overwrite(path, whole.substr(0, length));
    EXPECT_THAT(damage(path), AllOf(HasSubstr(path.string()), HasSubstr("torn"))) << length;
    EXPECT_FALSE(open_store(folder.path(), info.key)) << length;
  }
  overwrite(path, whole + "x");
  EXPECT_THAT(refusal(folder.path(), info.key), HasSubstr("torn"));
  // Full length with the end never written, as after a crash of the machine.
  overwrite(path, whole.substr(0, whole.size() / 2) + std::string(whole.size() - whole.size() / 2, '\0'));
  EXPECT_THAT(refusal(folder.path(), info.key), HasSubstr("corrupt"));
  overwrite(path, whole);
  EXPECT_TRUE(open_store(folder.path(), info.key));
}

TEST(Store, AFlippedBitAnywhereIsNoticed) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(3);
  const std::filesystem::path path = write_example(folder.path(), info);
  const std::string whole = read_text(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(byte).flush();
  };
  // Every byte of the seal, many of HDF5's own, and some of the rest.
  for (std::size_t at = 0; at < whole.size(); at += at < 512 ? 1 : at < 8192 ? 17 : 499) {
    put(at, static_cast<char>(whole[at] ^ (1 << (at % 8))));
    ASSERT_THAT(damage(path), HasSubstr(path.string())) << at;
    if (at % 50 == 0) EXPECT_FALSE(open_store(folder.path(), info.key)) << at;
    put(at, whole[at]);
  }
  EXPECT_TRUE(open_store(folder.path(), info.key));
}

TEST(Store, AFileThatWasNeverSealedIsNotBelieved) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(3);
  Hdf5File file = Hdf5File::create(store_path(folder.path(), info.key));
  file.write_text("ids", "x");
  file.close();
  EXPECT_THAT(refusal(folder.path(), info.key), AllOf(HasSubstr("not sealed"), HasSubstr("made again")));
  // Sealed, and still no store: what HDF5 finds wrong is a reason to make it again, too.
  seal_file(store_path(folder.path(), info.key), {.kind = "features", .key = info.key.hash});
  EXPECT_THAT(refusal(folder.path(), info.key), HasSubstr("attribute \"format\""));
}

TEST(Store, AStoreUnderAnotherNameIsNotBelieved) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(3), other = features_info(3, "other");
  std::filesystem::rename(write_example(folder.path(), info), store_path(folder.path(), other.key));
  EXPECT_THAT(refusal(folder.path(), other.key), HasSubstr("holds features of key " + info.key.hash));
}

TEST(StoreWriter, LeavesNothingWithoutFinish) {
  const TemporaryFolder folder;
  {
    StoreWriter writer(folder.path(), features_info(3), {"demo/a", "demo/b"});
    writer.next_gap();
    writer.append(0, matrix(1, 7, 3));
    EXPECT_EQ(folder.names().size(), 1u);
  }
  EXPECT_THAT(folder.names(), ElementsAre());
}

TEST(StoreWriter, RefusesWhatDoesNotBelong) {
  const TemporaryFolder folder;
  StoreWriter writer(folder.path(), features_info(3), {"demo/a", "demo/b"});
  EXPECT_THROW(writer.append(0, matrix(1, 7, 3)), InternalError);  // nobody asked for it
  writer.next_gap();
  writer.append(0, matrix(1, 7, 3));
  EXPECT_THROW(writer.append(0, matrix(1, 7, 3)), InternalError);
  EXPECT_THROW(writer.append(2, matrix(1, 7, 3)), InternalError);
  EXPECT_THROW(writer.append(1, matrix(1, 7, 4)), InternalError);
  EXPECT_THROW(writer.append(1, QuantisedAudio{}), InternalError);
  writer.finish();
  EXPECT_THROW(writer.append(1, matrix(1, 7, 3)), InternalError);
  EXPECT_THROW(writer.finish(), InternalError);
}

TEST(StoreWriter, NamesAFolderThatCannotBe) {
  const TemporaryFolder folder;
  overwrite(folder.path() / "file", "x");
  try {
    StoreWriter writer(folder.path() / "file" / "stores", features_info(3), {});
    FAIL() << "written below a file";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder.path() / "file" / "stores").string()));
  }
}

TEST(StoreWriter, ThreadsThatRaceLeaveOneValidStore) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(5);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) write_example(folder.path(), info);
    });
  }
  for (int look = 0; look < 20; ++look) {
    // A reader in the middle sees a whole store or none. Whether there is one is asked first: it may appear meanwhile.
    const bool there = std::filesystem::exists(store_path(folder.path(), info.key));
    EXPECT_TRUE(refusal(folder.path(), info.key) == "opened" || !there);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(folder.names().size(), 1u);
  EXPECT_TRUE(open_store(folder.path(), info.key));
}

TEST(StoreWriter, ProcessesThatRaceLeaveOneValidStore) {
  const TemporaryFolder folder;
  const StoreInfo info = features_info(5);
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 0;
      try {
        for (int round = 0; round < 5; ++round) write_example(folder.path(), info);
      } catch (...) {
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
  EXPECT_EQ(folder.names().size(), 1u);
  const std::optional<Store> store = open_store(folder.path(), info.key);
  ASSERT_TRUE(store);
  EXPECT_EQ(store->read_features(0).values, noise(1, 35));
}

}  // namespace
}  // namespace serval::store
