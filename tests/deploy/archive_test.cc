// Bundles in one file: what is written, and what is refused.
#include "src/deploy/archive.h"

#include <cstdlib>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/sha256.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::deploy {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Pair;

constexpr std::size_t kBlock = 512;

// As the format has it: the sum of the header's bytes with blanks in its own field.
void set_sum(std::string& bytes) {
  bytes.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(bytes[i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  bytes.replace(148, 7, std::string(text, 7));
}

class ArchiveTest : public testing::Test {
 protected:
  // What is said of a good archive after `change`, the sum of its first header made right again.
  std::string refusal(const std::function<void(std::string&)>& change, bool right_sum = true) {
    std::string bytes = archive_bytes({{"a.json", "{}"}, {"weights/b", std::string(600, 'x')}});
    change(bytes);
    if (right_sum) set_sum(bytes);
    return message_of<DataError>([&] { read_archive(folder_.write("bad.serval", bytes)); });
  }
  std::string put(std::size_t at, const std::string& text) {
    return refusal([&](std::string& bytes) { bytes.replace(at, text.size(), text); });
  }
  TempFolder folder_;
};

TEST_F(ArchiveTest, IsReadBackAndByTar) {
  const std::string deep = std::string(90, 'd') + "/" + std::string(100, 'n');
  const NamedFiles files = {
      {"empty", ""}, {"block", std::string(kBlock, '\x01')}, {deep, std::string("zero\0byte", 9)}};
  const std::string bytes = archive_bytes(files);
  EXPECT_EQ(bytes.size() % kBlock, 0u);
  EXPECT_EQ(archive_bytes(files), bytes);
  const std::string path = folder_.write("x.serval", bytes);
  EXPECT_THAT(read_archive(path),
              testing::UnorderedElementsAre(Pair("empty", ""), Pair("block", files[1].second),
                                            Pair(deep, files[2].second)));
  const std::string folder = folder_ / "";
  ASSERT_EQ(std::system(("cd " + folder + " && tar xf x.serval").c_str()), 0);
  EXPECT_EQ(read_text(folder_ / "block"), files[1].second);
  EXPECT_EQ(read_text(folder_ / deep), files[2].second);
}

TEST_F(ArchiveTest, ANameThatDoesNotFitIsRefused) {
  EXPECT_THAT(message_of<ConfigError>([] {
                archive_bytes({{std::string(101, 'n'), ""}});
              }),
              HasSubstr("too long a name"));
  EXPECT_THAT(message_of<ConfigError>([] {
                archive_bytes({{std::string(156, 'd') + "/n", ""}});
              }),
              HasSubstr("too long a name"));
}

TEST_F(ArchiveTest, HostileArchivesAreRefused) {
  EXPECT_THAT(refusal([](std::string& bytes) { bytes[0] = 'x'; }, false),
              HasSubstr("the header's sum is wrong"));
  EXPECT_THAT(put(257, "gnu"), HasSubstr("this is no bundle in one file"));
  EXPECT_THAT(put(156, "2"), AllOf(HasSubstr("bad.serval, byte 0"), HasSubstr("no plain file")));  // link
  EXPECT_THAT(put(156, "5"), HasSubstr("no plain file"));                                          // folder
  EXPECT_THAT(put(0, "../x.j"), HasSubstr("leads out of the bundle"));
  EXPECT_THAT(put(0, "/etc/x"), HasSubstr("leads out of the bundle"));
  EXPECT_THAT(put(0, std::string(6, '\0')), HasSubstr("leads out of the bundle"));
  EXPECT_THAT(put(345, ".."), HasSubstr("leads out of the bundle"));
  for (const char* size : {"77777777777", "777777777777", "-0000000001", "\x80\xff\xff\xff", "           "})
    EXPECT_THAT(put(124, size), HasSubstr("does not end within the file")) << size;
  EXPECT_THAT(refusal([](std::string& bytes) {
                const std::string first = bytes.substr(0, 2 * kBlock);
                bytes = first + bytes;
              }),
              HasSubstr("\"a.json\" is there twice"));
  EXPECT_THAT(refusal([](std::string& bytes) { bytes += "x"; }), HasSubstr("behind the end"));
  for (const std::size_t left : {std::size_t{0}, std::size_t{1}}) {
    EXPECT_THAT(refusal([=](std::string& bytes) { bytes.resize(bytes.size() - kBlock + left); }),
                HasSubstr("cut short"));
    EXPECT_THAT(refusal([=](std::string& bytes) { bytes.resize(3 * kBlock + left); }),
                HasSubstr("cut short"));
  }
  EXPECT_THAT(message_of<DataError>([&] { read_archive(folder_.write("none.serval", "")); }),
              HasSubstr("cut short"));
}

TEST_F(ArchiveTest, TheSumsCoverWhatIsBelieved) {
  const std::string sum = sha256("{}") + "  a.json\n";
  const auto refusal_of = [&](const NamedFiles& files) {
    const std::string path = folder_.write("b.serval", archive_bytes(files));
    return message_of<DataError>([&] { BundleFiles read(path); });
  };
  EXPECT_THAT(refusal_of({{"a.json", "{}"}}), HasSubstr("holds no SHA256SUMS"));
  EXPECT_THAT(refusal_of({{kSums, sum}}), HasSubstr("b.serval/a.json: is missing"));
  EXPECT_THAT(refusal_of({{kSums, sum}, {"a.json", "[]"}}), HasSubstr("damaged, or was changed"));
  EXPECT_THAT(refusal_of({{kSums, "nonsense\n"}, {"a.json", "{}"}}), HasSubstr("names no file"));
  BundleFiles files(
      folder_.write("c.serval", archive_bytes({{kSums, sum}, {"a.json", "{}"}, {"extra", "?"}})));
  EXPECT_EQ(files.take("a.json"), "{}");
  EXPECT_THAT(message_of<DataError>([&] { (void)files.take("extra"); }), HasSubstr("is not in SHA256SUMS"));
}

}  // namespace
}  // namespace serval::deploy
