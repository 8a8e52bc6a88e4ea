#include "serval/store/housekeeping.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace serval::store
