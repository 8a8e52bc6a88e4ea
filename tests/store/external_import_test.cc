// From an external file to a sealed store, and what makes it another one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/log.h"

#include "tests/store/external_fixtures.h"

namespace serval::store {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ExternalImportTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    folder_.write("set.csv", "id,x,y\nd/b,3,4\nd/stray,0,nan\nd/a,1,2\n");
  }
  ImportedFeatures import(const std::string& file = "set.csv") {
    return import_external(external(folder_ / file), recordings_, folder_ / "stores", "serval test");
  }
  corpus::TempFolder folder_;
  std::vector<ExternalRecording> recordings_ = {{"d/a", "/d/a.wav"}, {"d/b", "/d/b.wav"}};
};

TEST_F(ExternalImportTest, FollowsTheRecordingsAndKeepsWhereItIsFrom) {
  const ImportedFeatures first = import();
  EXPECT_FALSE(first.already_there);
  EXPECT_THAT(first.store.ids(), ElementsAre("d/a", "d/b"));
  EXPECT_THAT(first.store.offsets(), ElementsAre(0, 1, 2));
  EXPECT_THAT(first.store.read_all(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(first.store.info().dimension, 2);
  EXPECT_EQ(first.store.info().computed_on, "elsewhere");
  EXPECT_THAT(first.store.info().settings, AllOf(HasSubstr("set.csv"), HasSubstr("\"layout\": \"table\"")));
  const ImportedFeatures second = import();
  EXPECT_TRUE(second.already_there);
  EXPECT_THAT(second.store.read_all(), ElementsAre(1, 2, 3, 4));
}

TEST_F(ExternalImportTest, TheKeyFollowsContentAndRecordingsNotThePlace) {
  const StoreKey key = import().store.info().key;
  std::filesystem::rename(folder_ / "set.csv", folder_ / "moved.csv");
  const ImportedFeatures moved = import("moved.csv");
  EXPECT_TRUE(moved.already_there);
  EXPECT_EQ(moved.store.info().key, key);
  folder_.write("changed.csv", "id,x,y\nd/b,3,4\nd/a,1,2.5\n");
  EXPECT_NE(import("changed.csv").store.info().key, key);
  std::swap(recordings_[0], recordings_[1]);
  const ImportedFeatures swapped = import("moved.csv");
  EXPECT_NE(swapped.store.info().key, key);
  EXPECT_THAT(swapped.store.read_all(), ElementsAre(3, 4, 1, 2));
}

TEST_F(ExternalImportTest, ChangingOneOfManyFilesIsSeen) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n";
  folder_.write("npy/a.npy", npy_bytes(header, float_bytes({1})));
  folder_.write("npy/b.npy", npy_bytes(header, float_bytes({2})));
  const StoreKey key = import("npy").store.info().key;
  EXPECT_TRUE(import("npy").already_there);
  folder_.write("npy/b.npy", npy_bytes(header, float_bytes({3})));
  const ImportedFeatures changed = import("npy");
  EXPECT_NE(changed.store.info().key, key);
  EXPECT_THAT(changed.store.read_all(), ElementsAre(1, 3));
}

TEST_F(ExternalImportTest, NothingIsPublishedOfASetWithABadValue) {
  recordings_.push_back({"d/stray", "/d/stray.wav"});
  EXPECT_THAT(corpus::message_of<DataError>([&] { import(); }),
              HasSubstr("set.csv:3: frame 0, value 1 is nan"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "stores"));
  recordings_[2] = {"d/c", "/d/c.wav"};
  EXPECT_THAT(corpus::message_of<DataError>([&] { import(); }), HasSubstr("only 2 of the 3 recordings"));
}

}  // namespace
}  // namespace serval::store
