// Comma-separated values as RFC 4180 has them: a header line, quotes around fields that need them, "" for a
// quote inside such a field, lines that end in LF or CRLF. A byte order mark at the start is skipped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace serval {

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

// The same row by row, for tables too large to keep as text. Mistakes go to `errors`, which must outlive the
// reader, as must `content`; rows of another length than the header are named there and left out.
class CsvReader {
 public:
  CsvReader(std::string_view content, LineErrors& errors, char separator = ',');

  const std::vector<std::string>& columns() const { return columns_; }  // empty: there is no header
  bool next(CsvRow& row);                                               // false at the end

 private:
  bool done() const { return at_ >= content_.size(); }
  bool at_line_end() const;
  void skip_line_end();
  bool read_line(CsvRow& row);  // the next that is not blank
  void read_plain(std::string& field);
  void read_quoted(std::string& field);

  std::string_view content_;
  LineErrors& errors_;
  char separator_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<std::string> columns_;
};

}  // namespace serval
