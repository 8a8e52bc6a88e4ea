#include "serval/core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

namespace serval {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "x.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Json, KeepsThePlaceOfEveryKindOfValue) {
  const JsonValue root = parse_json(
      "{ // comment\n"
      "  \"a\": 12,\n"
      "  \"long \\\"key\": [1.5e3, true, null,\n"
      "     \"te\\\\xt\", {\"z\": -7}]\n"
      "}",
      "x.json");
  EXPECT_EQ(to_string(root.place), "x.json:1:1");
  EXPECT_EQ(to_string(root.find("a")->place), "x.json:2:8");
  const JsonValue& list = *root.find("long \"key");
  EXPECT_EQ(to_string(list.place), "x.json:3:17");
  EXPECT_EQ(to_string(list.items[0].place), "x.json:3:18");
  EXPECT_DOUBLE_EQ(list.items[0].real, 1500);
  EXPECT_EQ(to_string(list.items[1].place), "x.json:3:25");
  EXPECT_EQ(to_string(list.items[2].place), "x.json:3:31");
  EXPECT_EQ(to_string(list.items[3].place), "x.json:4:6");
  EXPECT_EQ(list.items[3].text, "te\\xt");
  EXPECT_EQ(to_string(list.items[4].find("z")->place), "x.json:4:22");
  EXPECT_EQ(list.items[4].find("z")->integer, -7);
}

TEST(Json, PlacesANumberAtTheEndOfTheText) { EXPECT_EQ(to_string(parse_json("  42", "n").place), "n:1:3"); }

TEST(Json, WritesWhatItReads) {
  const std::string text =
      "{\n  \"a\": 1,\n  \"b\": [1.0, 0.1, 1e-30],\n  \"c\": {},\n  \"d\": \"\\\"\\n\",\n  \"e\": [\n    {\n "
      "     \"f\": "
      "null\n    }\n  ]\n}\n";
  EXPECT_EQ(write_json(parse_json(text, "x")), text);
}

struct BadJson {
  const char* name;
  const char* text;
  const char* message;
};
class BadJsonTest : public testing::TestWithParam<BadJson> {};

TEST_P(BadJsonTest, SaysWhereAndWhat) {
  EXPECT_THAT(error_of(GetParam().text), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadJsonTest,
    testing::Values(BadJson{"Empty", "", "x.json:1:1: not valid JSON"},
                    BadJson{"DuplicateKey", "{\"a\": 1,\n \"a\": 2}", "x.json:2:2: duplicate key \"a\""},
                    BadJson{"TrailingCommaInObject", "{\"a\": 1,\n}",
                            "x.json:1:8: not valid JSON: a comma before the closing bracket"},
                    BadJson{"TrailingCommaInList", "[1, 2, ]",
                            "x.json:1:6: not valid JSON: a comma before the closing bracket"},
                    BadJson{"MissingColon", "{\"a\" 1}", "x.json:1:6"},
                    BadJson{"HugeReal", "{\"a\": 1e999}",
                            "x.json:1:7: not valid JSON: this number does not fit"},
                    BadJson{"HugeInteger", "{\"a\": 18446744073709551615}",
                            "x.json:1:7: 18446744073709551615 is too large"},
                    BadJson{"Unclosed", "{\"a\": [1, 2", "not valid JSON"},
                    BadJson{"TextAfterTheEnd", "{} x", "not valid JSON"},
                    BadJson{"NotUtf8", "{\"a\": \"\xff\"}", "not valid JSON"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Json, ReportsSeveralErrorsTogether) {
  const std::string message = error_of("{\"a\": 1, \"a\": 2, \"b\": {\"c\": 1, \"c\": 1}, }");
  EXPECT_THAT(message, HasSubstr("duplicate key \"a\""));
  EXPECT_THAT(message, HasSubstr("duplicate key \"c\""));
  EXPECT_THAT(message, HasSubstr("a comma before"));
}

TEST(Json, RefusesDepthThatWouldExhaustTheStack) {
  EXPECT_THAT(error_of(std::string(100000, '[')), HasSubstr("nested more than 64 deep"));
}

TEST(Json, RefusesANumberOfAGigabyteWithoutReadingIt) {
  const std::string path = testing::TempDir() + "/huge.json";
  {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    std::fputs("{\"seeds\": [1", file);
    ASSERT_EQ(std::fseek(file, 1L << 30, SEEK_SET), 0);  // a hole: no disk is used
    std::fputs("]}", file);
    std::fclose(file);
  }
  try {
    parse_json_file(path);
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("at most 16777216"));
  }
  std::remove(path.c_str());
}

}  // namespace
}  // namespace serval
