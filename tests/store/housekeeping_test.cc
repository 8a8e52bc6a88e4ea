#include "serval/store/housekeeping.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/store/seal.h"

#include "store_fixtures.h"

namespace serval::store {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// A good store, one with a flipped byte in its data, and one that is torn.
struct ThreeStores {
  TemporaryFolder folder;
  std::filesystem::path good = write_example(folder.path(), features_info(3, "good"));
  std::filesystem::path flipped = write_example(folder.path(), features_info(3, "flipped"));
  std::filesystem::path torn = write_example(folder.path(), features_info(3, "torn"));

  ThreeStores() {
    std::string bytes = read_text(flipped);
    bytes[bytes.size() - 5] ^= 1;
    overwrite(flipped, bytes);
    overwrite(torn, read_text(torn).substr(0, 1000));
  }
};

const StoreFacts& facts_of(const std::vector<StoreFacts>& all, const std::filesystem::path& path) {
  for (const StoreFacts& facts : all) {
    if (facts.path == path) return facts;
  }
  throw InternalError("not listed: " + path.string());
}

TEST(Housekeeping, ListsStoresByTheirSeals) {
  const ThreeStores three;
  overwrite(three.folder.path() / "notes.txt", "not a store");
  const std::vector<StoreFacts> all = list_stores(three.folder.path());
  ASSERT_EQ(all.size(), 3u);
  const StoreFacts& good = facts_of(all, three.good);
  EXPECT_EQ(good.kind, "features");
  EXPECT_EQ(good.key, features_info(3, "good").key.hash);
  EXPECT_EQ(good.items, 3);
  EXPECT_EQ(good.bytes, static_cast<std::int64_t>(std::filesystem::file_size(three.good)));
  EXPECT_THAT(good.created, ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
  EXPECT_EQ(good.problem, "");
  EXPECT_EQ(facts_of(all, three.flipped).problem, "");  // seals alone were read
  EXPECT_THAT(facts_of(all, three.torn).problem, HasSubstr("torn"));
  EXPECT_EQ(facts_of(all, three.torn).bytes, 1000);
}

TEST(Housekeeping, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  const std::filesystem::path nowhere = folder.path() / "nowhere";
  EXPECT_THROW(list_stores(nowhere), ConfigError);
  EXPECT_THROW(verify_stores(nowhere), ConfigError);
  EXPECT_THROW(prune_stores(nowhere, std::nullopt), ConfigError);
}

TEST(Housekeeping, VerifyFindsTheFlippedByte) {
  const ThreeStores three;
  const std::vector<StoreFacts> all = verify_stores(three.folder.path());
  EXPECT_EQ(facts_of(all, three.good).problem, "");
  EXPECT_THAT(facts_of(all, three.flipped).problem, HasSubstr("corrupt"));
  EXPECT_THAT(facts_of(all, three.torn).problem, HasSubstr("torn"));
}

TEST(Housekeeping, PruneDeletesWhatIsBrokenAndNothingElse) {
  const ThreeStores three;
  const std::filesystem::path notes = three.folder.path() / "notes.h5";
  overwrite(notes, "someone else's");
  const std::vector<Pruned> pruned = prune_stores(three.folder.path(), std::nullopt);
  ASSERT_EQ(pruned.size(), 2u);
  EXPECT_GT(pruned[0].bytes + pruned[1].bytes, 1000);
  EXPECT_THAT(three.folder.names(), UnorderedElementsAre(three.good.filename(), "notes.h5"));
}

// What cannot be read may be sound: it is somebody else's, or the disk has a bad day.
TEST(Housekeeping, PruneSparesWhatItCannotRead) {
  const TemporaryFolder folder;
  const std::filesystem::path sound = write_example(folder.path(), features_info(3, "sound"));
  const std::filesystem::path unreadable = folder.path() / ("features-" + std::string(32, 'e') + ".h5");
  // Opens for everybody, root too, and fails at the first read.
  std::filesystem::create_symlink("/proc/self/mem", unreadable);
  const std::vector<StoreFacts> all = verify_stores(folder.path());
  EXPECT_THAT(facts_of(all, unreadable).problem, HasSubstr("reading failed"));
  EXPECT_FALSE(facts_of(all, unreadable).damaged);
  EXPECT_TRUE(prune_stores(folder.path(), 1).empty());
  EXPECT_THAT(folder.names(), UnorderedElementsAre(sound.filename(), unreadable.filename()));
}

TEST(Housekeeping, PruneDeletesByAgeWhenAsked) {
  const TemporaryFolder folder;
  const std::filesystem::path old_store = write_example(folder.path(), features_info(3, "old"));
  const std::filesystem::path new_store = write_example(folder.path(), features_info(3, "new"));
  // A seal carries the time of sealing, so it is the limit that moves here: nothing is older than a day, and
  // everything is older than minus one.
  EXPECT_TRUE(prune_stores(folder.path(), 1).empty());
  const std::vector<Pruned> pruned = prune_stores(folder.path(), -1);
  ASSERT_EQ(pruned.size(), 2u);
  EXPECT_THAT(pruned[0].reason, HasSubstr("created 20"));
  EXPECT_FALSE(std::filesystem::exists(old_store) || std::filesystem::exists(new_store));
}

TEST(Housekeeping, PruneTakesAbandonedTemporariesAndSparesThoseInUse) {
  const TemporaryFolder folder;
  const std::string name = "audio-" + std::string(32, 'a') + ".h5.tmp-node1-17-0";
  const std::string fresh = "audio-" + std::string(32, 'b') + ".h5.tmp-node1-17-0";
  overwrite(folder.path() / name, "half");
  overwrite(folder.path() / fresh, "half");
  std::filesystem::last_write_time(folder.path() / name,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(30));
  EXPECT_EQ(prune_stores(folder.path(), std::nullopt).size(), 1u);
  EXPECT_THAT(folder.names(), UnorderedElementsAre(fresh));
}

// A store in shards: what its files are called, and a writer that stops half way.
class ShardedStore {
 public:
  static constexpr std::int64_t kSources = 20;
  explicit ShardedStore(const std::filesystem::path& folder) : folder_(folder) {}

  // Writes the sources before `stop_at`; the open shard is lost.
  void write(std::int64_t stop_at = kSources) const {
    StoreWriter writer(folder_, info, demo_ids(kSources), {1000});
    while (const auto gap = writer.next_gap()) {
      for (std::int64_t source = gap->begin; source < gap->end; ++source) {
        if (source == stop_at) return;
        writer.append(source, matrix(1, 20, 3));
      }
    }
    writer.finish();
  }
  std::filesystem::path index() const { return store_path(folder_, info.key); }
  std::filesystem::path shard(int number) const {
    return folder_ / cat("features-", info.key.hash, ".00", number, ".h5");
  }
  const StoreInfo info = features_info(3, "sharded");

 private:
  std::filesystem::path folder_;
};

void make_old(const std::filesystem::path& path, double days) {
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() -
                                             std::chrono::minutes(static_cast<int>(days * 1440)));
}

TEST(Housekeeping, AShardedStoreIsOneStore) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write();
  for (const auto& all : {list_stores(folder.path()), verify_stores(folder.path())}) {
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].path, store.index());
    EXPECT_EQ(all[0].items, 20);
    EXPECT_EQ(all[0].sources, 20);
    EXPECT_EQ(all[0].shards, 5);
    EXPECT_TRUE(all[0].finished);
    EXPECT_FALSE(all[0].being_written);
    EXPECT_EQ(all[0].problem, "");
    std::int64_t bytes = 0;
    for (const std::string& name : folder.names())
      bytes += static_cast<std::int64_t>(std::filesystem::file_size(folder.path() / name));
    EXPECT_EQ(all[0].bytes, bytes);
    const JsonValue parameters = parse_json(all[0].parameters, "note");
    EXPECT_EQ(parameters.find("settings")->find("n_mels")->integer, 64);
    EXPECT_EQ(parameters.find("dimension")->integer, 3);
    EXPECT_EQ(parameters.find("computed_on")->text, "cpu");
  }
  EXPECT_TRUE(prune_stores(folder.path(), std::nullopt).empty());
}

TEST(Housekeeping, AnUnfinishedStoreSaysHowMuchIsThere) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write(14);  // three shards of four
  const std::vector<StoreFacts> all = verify_stores(folder.path());
  ASSERT_EQ(all.size(), 1u);
  EXPECT_FALSE(all[0].finished);
  EXPECT_FALSE(all[0].being_written);
  EXPECT_EQ(all[0].items, 12);
  EXPECT_EQ(all[0].sources, 20);
  EXPECT_EQ(all[0].shards, 3);
  EXPECT_EQ(all[0].problem, "");
  EXPECT_TRUE(prune_stores(folder.path(), std::nullopt).empty());
  EXPECT_TRUE(prune_stores(folder.path(), 1).empty());
  EXPECT_EQ(prune_stores(folder.path(), -1).size(), 3u);
}

TEST(Housekeeping, MissingAndDamagedShardsAreNamedAndOnlyTheDamagedOneGoes) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write();
  std::filesystem::remove(store.shard(0));
  std::string bytes = read_text(store.shard(3));
  bytes[bytes.size() - 9] ^= 1;
  overwrite(store.shard(3), bytes);
  const std::vector<StoreFacts> listed = list_stores(folder.path());
  EXPECT_THAT(listed[0].problem, HasSubstr(store.shard(0).filename()));
  EXPECT_THAT(listed[0].problem, HasSubstr("is missing"));
  const std::vector<StoreFacts> verified = verify_stores(folder.path());
  EXPECT_THAT(verified[0].problem, HasSubstr(store.shard(3).string() + ": corrupt"));
  EXPECT_TRUE(verified[0].damaged);
  const std::vector<Pruned> pruned = prune_stores(folder.path(), std::nullopt);
  ASSERT_EQ(pruned.size(), 1u);
  EXPECT_EQ(pruned[0].path, store.shard(3));
  store.write();
  EXPECT_EQ(verify_stores(folder.path())[0].problem, "");
}

TEST(Housekeeping, PruneSparesTheIndexOfAnotherFormat) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write();
  const std::vector<std::string> before = folder.names();
  const Seal seal = read_seal(store.index());
  Hdf5File file = Hdf5File::create(store.index());
  file.write_attribute("format", std::int64_t{99});
  file.close();
  seal_file(store.index(), {.kind = seal.kind, .key = seal.key, .items = seal.items});
  const std::vector<StoreFacts> all = verify_stores(folder.path());
  EXPECT_THAT(facts_of(all, store.index()).problem, HasSubstr("has format 99"));
  EXPECT_FALSE(facts_of(all, store.index()).damaged);
  EXPECT_TRUE(prune_stores(folder.path(), 1).empty());
  EXPECT_THAT(folder.names(), testing::UnorderedElementsAreArray(before));
}

TEST(Housekeeping, AShardThatIsNotOfItsStoreIsPruned) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write();
  const std::filesystem::path extra = store.shard(7);
  std::filesystem::copy_file(store.shard(2), extra);  // its seal says 2
  EXPECT_TRUE(
      prune_stores(folder.path(), std::nullopt).empty());  // not known to be anybody's: left, with a warning
  Seal seal = read_seal(extra);
  seal.key = store.info.key.hash + ".7";
  seal_file(extra, seal);
  const std::vector<Pruned> pruned = prune_stores(folder.path(), std::nullopt);
  ASSERT_EQ(pruned.size(), 1u);
  EXPECT_EQ(pruned[0].path, extra);
}

TEST(Housekeeping, WhatIsBeingWrittenIsNotTouched) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write();
  overwrite(store.shard(1), "damaged");
  StoreWriter live(folder.path(), store.info, demo_ids(ShardedStore::kSources), {1000});
  ASSERT_TRUE(live.next_gap());
  const std::vector<std::string> before = folder.names();
  EXPECT_TRUE(list_stores(folder.path())[0].being_written);
  EXPECT_TRUE(prune_stores(folder.path(), -1).empty());
  EXPECT_THAT(folder.names(), ::testing::UnorderedElementsAreArray(before));
  for (std::int64_t source = 4; source < 8; ++source) live.append(source, matrix(1, 20, 3));
  live.finish();
  EXPECT_EQ(verify_stores(folder.path())[0].problem, "");
  EXPECT_EQ(prune_stores(folder.path(), -1).size(), 6u);
}

// A writer elsewhere cannot be asked; it counts as gone after a day without a write.
TEST(Housekeeping, AWriterElsewhereIsGivenADay) {
  const TemporaryFolder folder;
  const ShardedStore store(folder.path());
  store.write(10);
  const std::filesystem::path other = store.shard(2).string() + ".tmp-node1.0123456789abcdef-17-1";
  overwrite(other, "half");
  make_old(other, 0.9);
  EXPECT_TRUE(list_stores(folder.path())[0].being_written);
  EXPECT_TRUE(prune_stores(folder.path(), -1).empty());
  make_old(other, 1.1);
  EXPECT_FALSE(list_stores(folder.path())[0].being_written);
  EXPECT_EQ(prune_stores(folder.path(), std::nullopt).size(), 1u);
  EXPECT_EQ(list_stores(folder.path())[0].shards, 2);
}

}  // namespace
}  // namespace serval::store
