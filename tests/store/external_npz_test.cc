// External features in .npz archives: files by NumPy, cut and damaged ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"

#include "src/store/zip.h"
#include "tests/store/external_fixtures.h"

namespace serval::store {
namespace {

using features::ExternalLayout;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ExternalNpzTest, OneArrayARecording) {
  const ExternalFeatures set(external(golden("arrays.npz")));
  EXPECT_EQ(set.layout(), ExternalLayout::kFiles);
  EXPECT_THAT(set.names(), ElementsAre("demo/a", "demo/b", "c"));
  EXPECT_EQ(read_named(set, "demo/a"), golden_values(0, 4));
  EXPECT_EQ(read_named(set, "demo/b"), golden_values(1, 2));
  EXPECT_THAT(refusal(set, "c"), AllOf(HasSubstr("arrays.npz: \"c\""), HasSubstr("holds texts")));
}

TEST(ExternalNpzTest, RaggedAndMatrixCompressed) {
  const ExternalFeatures ragged(external(golden("ragged.npz"))), matrix(external(golden("matrix.npz")));
  EXPECT_EQ(ragged.layout(), ExternalLayout::kRagged);
  EXPECT_EQ(matrix.layout(), ExternalLayout::kMatrix);
  const std::vector<int> frames = {2, 5, 1};
  for (const ExternalFeatures* set : {&ragged, &matrix})
    EXPECT_THAT(set->names(), ElementsAre("a", "b", "c"));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ragged.read(i).values, golden_values(static_cast<int>(i), frames[i]));
    EXPECT_EQ(matrix.read(i).values, golden_values(static_cast<int>(i), 4));
  }
  EXPECT_THAT(open_refusal(external(golden("matrix.npz"), ExternalLayout::kRagged)),
              HasSubstr("\"data\" is missing, which this layout needs"));
  EXPECT_THAT(open_refusal<ConfigError>(external(golden("matrix.npz"), ExternalLayout::kTable)),
              HasSubstr("a .npz archive has no layout \"table\""));
}

TEST(ExternalNpzTest, AFolderOfArchivesOfOneArray) {
  const corpus::TempFolder folder;
  folder.write("a.npy", read_text(golden("npy/float_1.npy")));
  folder.write("b.npz", read_text(golden("arrays.npz")));
  folder.write("c.npz", "not an archive");
  const ExternalFeatures set(external(folder.str()));
  EXPECT_THAT(set.names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(read_named(set, "a"), golden_values(1, 4));
  EXPECT_THAT(refusal(set, "b"), HasSubstr("b.npz holds 3 arrays; in a folder, one a file"));
  EXPECT_THAT(refusal(set, "c"),
              HasSubstr("c.npz: is no whole .npz archive: it has no directory at its end"));
}

// What reading everything in an archive ends with; "" when all is well.
std::string read_everything(const std::string& path) {
  try {
    for (const ZipMember& member : list_zip(path)) {
      const auto bytes = open_zip_member(path, member);
      std::vector<char> all(bytes->size());
      bytes->read(0, all);
    }
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(ExternalNpzTest, CutAnywhereItIsRefused) {
  const corpus::TempFolder folder;
  const std::string good = read_text(golden("ragged.npz"));
  ASSERT_EQ(read_everything(golden("ragged.npz")), "");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::string path = folder.write("cut.npz", good.substr(0, size));
    ASSERT_THAT(read_everything(path), HasSubstr("cut.npz: is no whole .npz archive")) << size;
  }
}

TEST(ExternalNpzTest, AnyByteMayBeWrong) {
  const corpus::TempFolder folder;
  const std::string good = read_text(golden("ragged.npz"));
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    // Names, times and the like may be any; nothing else may pass, and nothing may crash.
    if (!read_everything(folder.write("bad.npz", bad)).empty()) ++refused;
  }
  EXPECT_GT(refused, static_cast<int>(good.size() / 3));
}

TEST(ExternalNpzTest, SizesThatLie) {
  const corpus::TempFolder folder;
  std::vector<ZipMember> members = list_zip(golden("ragged.npz"));
  ASSERT_TRUE(members[0].deflated);
  const auto error_of = [&](const ZipMember& member) {
    return corpus::message_of<DataError>([&] { open_zip_member(golden("ragged.npz"), member); });
  };
  ZipMember lie = members[0];
  lie.bytes -= 1;
  EXPECT_THAT(error_of(lie), HasSubstr("is larger than it says"));
  lie.bytes += 2;
  EXPECT_THAT(error_of(lie), HasSubstr("is damaged"));
  lie.bytes = std::uint64_t{1} << 40;
  EXPECT_THAT(error_of(lie), HasSubstr("write it with numpy.savez"));
  lie = members[0];
  lie.checksum ^= 1;
  EXPECT_THAT(error_of(lie), HasSubstr("is damaged"));
  lie = members[0];
  lie.packed_bytes = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THAT(error_of(lie), HasSubstr("is cut off"));
  lie = members[0];
  lie.header_begin = std::numeric_limits<std::uint64_t>::max() - 8;
  EXPECT_THAT(error_of(lie), HasSubstr("it ends too soon"));
}

}  // namespace
}  // namespace serval::store
