// Comma-separated values as RFC 4180 has them: a header line, quotes around fields that need them, "" for a
// quote inside such a field, lines that end in LF or CRLF. A byte order mark at the start is skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serval::corpus {

struct CsvRow {
  int line = 0;  // where the row starts, from 1
  std::vector<std::string> fields;
};

struct CsvTable {
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;  // each with as many fields as there are columns; blank lines are left out
  int column(const std::string& name) const;  // -1 where there is none
};

// Throws DataError naming `name` and the line of every mistake (the first twenty): an open quote, text after
// a closing quote, a row of another length than the header, a column named twice, a zero byte, no header.
CsvTable parse_csv(std::string_view content, const std::string& name);

// Collects messages and throws them as one DataError; the twenty-first and later are only counted.
class LineErrors {
 public:
  explicit LineErrors(std::string file) : file_(std::move(file)) {}
  void add(int line, const std::string& message);
  void throw_if_any() const;

 private:
  std::string file_;
  std::vector<std::string> messages_;
  int left_out_ = 0;
};

}  // namespace serval::corpus
