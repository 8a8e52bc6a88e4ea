#include "serval/core/safetensors.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

// A file with that header and so many bytes 0 behind it.
std::string file_of(const std::string& header, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> 8 * i & 0xFF));
  return out + header + std::string(bytes, '\0');
}

TEST(Safetensors, ReadsWhatThePackageOfThatNameWrote) {
  const SafetensorsFile file(std::string(SERVAL_SOURCE_DIR) + "/tests/golden/train/weights.safetensors");
  EXPECT_THAT(file.names(), testing::UnorderedElementsAre("single", "half", "brain", "scalar", "count"));
  EXPECT_EQ(file.shape("single"), (Shape{2, 4}));
  EXPECT_EQ(file.shape("half"), (Shape{4, 2}));
  EXPECT_EQ(file.shape("scalar"), Shape{});
  EXPECT_THAT(file.read_floats("single"),
              ElementsAre(0.0f, -1.0f, 0.5f, 1.0f / 3, 65504.0f, -1e-7f, 3.0e-5f, 257.0f));
  // As PyTorch reads them back.
  EXPECT_THAT(file.read_floats("half"),
              ElementsAre(0.0f, -1.0f, 0.5f, 0.333251953125f, 65504.0f, -1.1920928955078125e-07f,
                          2.9981136322021484e-05f, 257.0f));
  EXPECT_THAT(file.read_floats("brain"),
              ElementsAre(0.0f, -1.0f, 0.5f, 0.333984375f, 65536.0f, -1.0011717677116394e-07f,
                          3.0040740966796875e-05f, 256.0f));
  EXPECT_THAT(file.read_floats("scalar"), ElementsAre(2.5f));
  EXPECT_THAT(message_of<DataError>([&] { (void)file.read_floats("count"); }), HasSubstr("is I64; F32, F16"));
  EXPECT_THAT(message_of<DataError>([&] { (void)file.shape("other"); }), HasSubstr("has no \"other\""));
}

TEST(Safetensors, ADamagedFileIsNamedWithWhatIsWrong) {
  const TempFolder folder;
  const auto error_of = [&](const std::string& content) {
    const std::string path = folder.write("w.safetensors", content);
    return message_of<DataError>([&] { SafetensorsFile file(path); });
  };
  EXPECT_THAT(message_of<DataError>([&] { SafetensorsFile file(folder / "none.safetensors"); }),
              HasSubstr("none.safetensors: cannot be read"));
  EXPECT_THAT(error_of("abc"), HasSubstr("too short"));
  EXPECT_THAT(error_of(std::string(8, '\xFF') + "{}"), HasSubstr("no whole safetensors file"));
  EXPECT_THAT(error_of(file_of("{\"a\": {", 4)), HasSubstr("no JSON"));
  EXPECT_THAT(error_of(file_of("[1]", 4)), HasSubstr("no JSON object"));
  EXPECT_THAT(error_of(file_of(R"({"a": {"dtype": "F32", "shape": [1]}})", 4)), HasSubstr("lacks a dtype"));
  EXPECT_THAT(error_of(file_of(R"({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})", 4)),
              HasSubstr("lacks a dtype"));
  EXPECT_THAT(error_of(file_of(R"({"a": {"dtype": "X", "shape": [1], "data_offsets": [0, 4]}})", 4)),
              HasSubstr("unknown type \"X\""));
  EXPECT_THAT(error_of(file_of(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}})", 8)),
              HasSubstr("lies at bytes 0 to 4 of 8, and its shape [2] needs 8"));
  EXPECT_THAT(error_of(file_of(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})", 8)),
              HasSubstr("lies at bytes 4 to 12 of 8"));
  EXPECT_THAT(
      error_of(file_of(
          R"({"a": {"dtype": "F32", "shape": [4000000000, 4000000000, 4], "data_offsets": [0, 8]}})", 8)),
      HasSubstr("larger than the file"));
  EXPECT_THAT(
      error_of(file_of(R"({"a": {"dtype": "F32", "shape": [1,1,1,1,1,1,1], "data_offsets": [0, 4]}})", 4)),
      HasSubstr("has 7 axes"));
}

TEST(Safetensors, ReadsBackWhatItWrites) {
  const TempFolder folder;
  const std::vector<float> values = {0, -1.5f, 3e-39f, 65504, 1.0f / 3, -0.0f};
  const std::string path = folder.write(
      "w.safetensors",
      safetensors_bytes({{"a/b", Shape{2, 3}, values}, {"one", Shape{}, {7}}}, {{"who", "anna \"b\""}}));
  const SafetensorsFile file(path);
  EXPECT_THAT(file.names(), ElementsAre("a/b", "one"));
  EXPECT_EQ(file.shape("a/b"), (Shape{2, 3}));
  EXPECT_EQ(file.read_floats("a/b"), values);
  EXPECT_EQ(file.read_floats("one"), std::vector<float>{7});
  EXPECT_EQ(file.metadata("who"), "anna \"b\"");
  EXPECT_EQ(file.metadata("else"), "");
}

TEST(Safetensors, DoublesAndWholeNumbersKeepEveryBit) {
  const TempFolder folder;
  const std::vector<double> doubles{1.0 / 3, -0.0, 5e-324, 1.7e308};
  const std::vector<std::int64_t> integers{-1, std::numeric_limits<std::int64_t>::max()};
  SafetensorsWriter writer;
  writer.add("d", {2, 2}, doubles);
  writer.add("i", {2}, integers);
  writer.add("f", {1}, std::vector<float>{0.1f});
  const SafetensorsFile file(folder.write("typed.safetensors", writer.bytes({})));
  EXPECT_EQ(file.type("d"), "F64");
  EXPECT_EQ(file.shape("d"), (Shape{2, 2}));
  EXPECT_EQ(file.read_doubles("d"), doubles);
  EXPECT_TRUE(std::signbit(file.read_doubles("d")[1]));
  EXPECT_EQ(file.read_integers("i"), integers);
  EXPECT_EQ(file.read_floats("f"), std::vector<float>{0.1f});
  EXPECT_THAT(message_of<DataError>([&] { (void)file.read_doubles("f"); }),
              HasSubstr("\"f\" is F32, not F64"));
}

}  // namespace
}  // namespace serval
