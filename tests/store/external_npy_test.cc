// External features as NumPy arrays: files by NumPy, and every way in which a header can lie.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/store/npy.h"
#include "tests/store/external_fixtures.h"

namespace serval::store {
namespace {

using features::ExternalLayout;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kGood = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n";

TEST(ExternalNpyTest, OneFileARecordingOfAnyTypeAndVersion) {
  const ExternalFeatures set(external(golden("npy")));
  EXPECT_EQ(set.layout(), ExternalLayout::kFiles);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(read_named(set, cat("float_", i)), golden_values(i, 4)) << i;
  for (int i = 5; i < 9; ++i) {
    std::vector<float> expected = golden_values(i - 5, 4);
    for (float& value : expected) value *= 8;
    EXPECT_EQ(read_named(set, cat("whole/int_", i)), expected) << i;
  }
  EXPECT_EQ(set.read(item_named(set, "vector")).frames, 1);
  EXPECT_EQ(read_named(set, "vector"), golden_values(9, 1));
  EXPECT_EQ(read_named(set, "fortran"), golden_values(10, 4));
  for (int version = 1; version <= 3; ++version)
    EXPECT_EQ(read_named(set, cat("version_", version)), golden_values(10 + version, 4)) << version;
}

TEST(ExternalNpyTest, ArraysThatARecordingCannotUse) {
  const ExternalFeatures set(external(golden("npy")));
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"bad/objects", "Python objects (pickled), which are not read"},
      {"bad/records", "records of several fields"},
      {"bad/texts", "holds texts (\"<U2\"), not numbers"},
      {"bad/flags", "values of type \"|b1\"; float16, float32"},
      {"bad/complex", "values of type \"<c8\""},
      {"bad/batch", "[1, 4, 3]; must be [dimension], or [time, dimension]: leave out the batch's axis"},
      {"bad/scalar", "has the shape []"},
      {"bad/empty", "has no values: its shape is [0, 3]"},
      {"bad/nan", "frame 0, value 1 is inf"}};
  for (const auto& [name, reason] : cases)
    EXPECT_THAT(refusal(set, name), AllOf(HasSubstr(cat(name, ".npy")), HasSubstr(reason)));
}

TEST(ExternalNpyTest, AMatrixWithIdsBesideIt) {
  for (const char* path : {"npy_matrix", "npy_matrix/vectors.npy"}) {
    const ExternalFeatures set(external(golden(path)));
    EXPECT_EQ(set.layout(), ExternalLayout::kMatrix);
    EXPECT_THAT(set.names(), ElementsAre("a", "b", "ü"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(set.read(static_cast<std::size_t>(i)).values, golden_values(i, 1));
  }
}

class NpyFolderTest : public testing::Test {
 protected:
  std::string header_error(const std::string& bytes) {
    folder_.write("x.npy", bytes);
    const ExternalFeatures set(external(folder_.str()));
    return refusal(set, "x");
  }
  corpus::TempFolder folder_;
};

TEST_F(NpyFolderTest, IdsAsLinesOrAsCsv) {
  const std::string array = npy_bytes(kGood, float_bytes({1, 2, 3, 4, 5, 6}));
  folder_.write("w2v.npy", array);
  folder_.write("ids.txt", "a\r\nb \n\"c\n\n");
  const ExternalFeatures lines(external(folder_ / "w2v.npy"));
  EXPECT_THAT(lines.names(), ElementsAre("a", "b", "\"c"));
  EXPECT_THAT(lines.read(2).values, ElementsAre(5, 6));
  std::filesystem::remove(folder_ / "ids.txt");
  EXPECT_THAT(open_refusal(external(folder_ / "w2v.npy")),
              HasSubstr("w2v.npy: who its rows are is not said"));
  folder_.write("ids.csv", "file,label\n\"a,1.wav\",x\nb,y\nc,z\n");
  const ExternalFeatures csv(external(folder_ / "w2v.npy"));
  EXPECT_THAT(csv.names(), ElementsAre("a,1.wav", "b", "c"));
  EXPECT_NE(csv.content_hash(), lines.content_hash());
  folder_.write("ids.txt", "a\nb\n");
  EXPECT_THAT(open_refusal(external(folder_ / "w2v.npy")), HasSubstr("ids are there twice: "));
  std::filesystem::remove(folder_ / "ids.csv");
  EXPECT_THAT(open_refusal(external(folder_ / "w2v.npy")),
              AllOf(HasSubstr("ids.txt has 2 ids, but "), HasSubstr("w2v.npy has 3 items")));
}

TEST_F(NpyFolderTest, SequencesInOneArray) {
  folder_.write("features.npy", npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }\n",
                                          float_bytes({1, 2, 3, 4, 5, 6})));
  folder_.write("ids.txt", "a\nb\n");
  const ExternalFeatures set(external(folder_.str()));
  EXPECT_EQ(set.read(1).frames, 3);
  EXPECT_THAT(set.read(1).values, ElementsAre(4, 5, 6));
}

TEST_F(NpyFolderTest, WhatAFolderMayLack) {
  EXPECT_THAT(open_refusal(external(folder_.str())), HasSubstr("holds no .npy file"));
  EXPECT_THAT(open_refusal(external(folder_.str(), ExternalLayout::kMatrix)),
              HasSubstr("features.npy or vectors.npy"));
  EXPECT_THAT(open_refusal<ConfigError>(external(folder_.str(), ExternalLayout::kRagged)),
              HasSubstr("a folder has no layout \"ragged\""));
  EXPECT_THAT(open_refusal<ConfigError>(external(folder_.str(), ExternalLayout::kAuto, "g")),
              HasSubstr("only an HDF5 file has a group"));
}

TEST_F(NpyFolderTest, FilesThatEndTooSoonOrTooLate) {
  const std::string good = npy_bytes(kGood, float_bytes({1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(header_error(""), HasSubstr("x.npy: is empty"));
  // Cut anywhere, it is refused: never read beyond its end, never half an array.
  for (std::size_t size = 1; size < good.size(); ++size) {
    const std::string message = header_error(good.substr(0, size));
    EXPECT_THAT(message, HasSubstr(size < 10                    ? "is no .npy array"
                                   : size < good.size() - 6 * 4 ? "ends inside its header"
                                                                : "is cut off"))
        << size;
  }
  EXPECT_THAT(header_error(good + "x"), HasSubstr("has 1 bytes behind the end of its array"));
}

TEST_F(NpyFolderTest, HeadersThatLie) {
  const auto with_shape = [&](const std::string& shape) {
    return header_error(
        npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }\n", "12345678"));
  };
  for (const char* shape : {"(2,)", "(9223372036854775807,)", "(4294967296, 4294967296)",
                            "(9223372036854775807, 9223372036854775807, 2)", "(2305843009213693952, 8)"}) {
    EXPECT_THAT(with_shape(shape), HasSubstr("is cut off")) << shape;
  }
  for (const char* shape : {"(-1,)", "(1", "1", "(1.5,)", "(99999999999999999999,)", "('a',)", "[1]"})
    EXPECT_THAT(with_shape(shape), HasSubstr("a header that NumPy does not write")) << shape;
  const auto with = [&](const std::string& text, int version = 1) {
    return header_error(npy_bytes(text, "12345678", version));
  };
  EXPECT_THAT(with("{}"), HasSubstr("without descr, fortran_order or shape"));
  EXPECT_THAT(with("{'descr': '<f8', 'descr': '<f8', }"), HasSubstr("the key \"descr\""));
  EXPECT_THAT(with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}"),
              HasSubstr("the key \"x\""));
  EXPECT_THAT(with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), } __import__('os')"),
              HasSubstr("something behind its end"));
  EXPECT_THAT(with("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}"), HasSubstr("NumPy does not write"));
  EXPECT_THAT(with(std::string(5000, '{')), HasSubstr("NumPy does not write"));
  EXPECT_THAT(with("{'descr': '" + std::string(5000, 'x')), HasSubstr("NumPy does not write"));
  for (const char* descr : {"<f3", "<f16", "f4", "<i3", "|f4", "<f4x", "<", "", "<M8[ns]", "|V2"}) {
    EXPECT_THAT(with(cat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (1,)}")),
                HasSubstr("type \""))
        << descr;
  }
  EXPECT_THAT(with(kGood, 4), HasSubstr("is of .npy version 4; 1, 2 and 3 are known"));
  // A header of four gigabytes, of which the file has nothing.
  EXPECT_THAT(header_error(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)),
              HasSubstr("a header of 4294967295 bytes"));
}

}  // namespace
}  // namespace serval::store
