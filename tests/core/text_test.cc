#include "serval/core/text.h"

#include <gtest/gtest.h>

namespace serval {
namespace {

TEST(Text, LowerChangesPlainLettersAlone) {
  EXPECT_EQ(lower("ANN_az09"), "ann_az09");
  EXPECT_EQ(lower("Grüße"), "grüße");
  EXPECT_EQ(lower("Ä"), "Ä");
}

TEST(Text, TrimmedKeepsBlanksInside) {
  EXPECT_EQ(trimmed(" \ta b\r\n"), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, CsvFieldsAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field("\r"), "\"\r\"");
}

}  // namespace
}  // namespace serval
