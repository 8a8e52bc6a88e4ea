#include "serval/core/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/text.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval {
namespace {

using corpus::message_of;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& content) {
  return message_of<DataError>([&] { parse_csv(content, "list.csv"); });
}

TEST(CsvTest, ReadsQuotesLineEndsAndByteOrderMark) {
  const CsvTable table =
      parse_csv("\xEF\xBB\xBFpath,actor\r\n\"a, \"\"b\"\".wav\",1\r\n\n\"two\nlines\",\nx,2", "t");
  EXPECT_THAT(table.columns, ElementsAre("path", "actor"));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("a, \"b\".wav", "1"));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("two\nlines", ""));
  EXPECT_THAT(table.rows[2].fields, ElementsAre("x", "2"));
  EXPECT_EQ(table.rows[1].line, 4);
  EXPECT_EQ(table.rows[2].line, 6);  // the field of two lines counts as two
  EXPECT_EQ(table.column("actor"), 1);
  EXPECT_EQ(table.column("gender"), -1);
}

TEST(CsvTest, NamesTheLineOfEveryMistake) {
  const std::string message = error_of("a,b\n1\n1,2\n1,2,3\n");
  EXPECT_THAT(message, HasSubstr("list.csv:2: 1 fields, but the header names 2"));
  EXPECT_THAT(message, HasSubstr("list.csv:4: 3 fields"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("list.csv:3")));
}

TEST(CsvTest, RefusesBrokenQuotes) {
  EXPECT_THAT(error_of("a,b\n1,\"open\n2,3\n"), HasSubstr("list.csv:2: the quote that opens here"));
  EXPECT_THAT(error_of("a,b\n\"x\"y,3\n"), HasSubstr("list.csv:2: text after a closing quote"));
  EXPECT_THAT(error_of("a,b\nx\"y,3\n"), HasSubstr("list.csv:2: a quote inside"));
}

TEST(CsvTest, RefusesOtherContent) {
  EXPECT_THAT(error_of(""), HasSubstr("list.csv:1: empty"));
  EXPECT_THAT(error_of("\n\n"), HasSubstr("empty"));
  EXPECT_THAT(error_of("a,a\n1,2\n"), HasSubstr("\"a\" is named twice"));
  EXPECT_THAT(error_of(std::string("a,b\n1,2\nx\0y,3\n", 14)), HasSubstr("list.csv:3: a zero byte"));
}

TEST(CsvTest, CountsWhatItDoesNotName) {
  std::string content = "a,b\n";
  for (int i = 0; i < 50; ++i) content += "1\n";
  EXPECT_THAT(error_of(content), HasSubstr("and 30 more"));
}

TEST(CsvTest, WritesFieldsThatReadBack) {
  const std::vector<std::string> fields = {"plain", "with, comma", "\"quoted\"", "two\nlines", ""};
  std::string line = "a,b,c,d,e\n";
  for (std::size_t i = 0; i < fields.size(); ++i) line += (i > 0 ? "," : "") + csv_field(fields[i]);
  EXPECT_EQ(parse_csv(line, "t").rows.at(0).fields, fields);
}

TEST(CsvTest, ReadsRowByRowWithAnotherSeparator) {
  LineErrors errors("t");
  CsvReader reader("name;x\n'a';1,5\n\nb\n\"c;d\";2\n", errors, ';');
  EXPECT_THAT(reader.columns(), ElementsAre("name", "x"));
  CsvRow row;
  ASSERT_TRUE(reader.next(row));
  EXPECT_THAT(row.fields, ElementsAre("'a'", "1,5"));
  ASSERT_TRUE(reader.next(row));  // the row in between is too short
  EXPECT_THAT(row.fields, ElementsAre("c;d", "2"));
  EXPECT_EQ(row.line, 5);
  EXPECT_FALSE(reader.next(row));
  EXPECT_THAT(message_of<DataError>([&] { errors.throw_if_any(); }),
              HasSubstr("t:4: 1 fields, but the header names 2"));
}

}  // namespace
}  // namespace serval
