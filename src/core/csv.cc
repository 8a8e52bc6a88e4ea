#include "serval/core/csv.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"

namespace serval {

namespace {

constexpr std::size_t kMaxMessages = 20;

}  // namespace

void LineErrors::add(int line, const std::string& message) {
  if (messages_.size() < kMaxMessages) {
    messages_.push_back(cat(file_, ":", line, ": ", message));
  } else {
    ++left_out_;
  }
}

void LineErrors::throw_if_any() const {
  if (messages_.empty()) return;
  std::string text = join(messages_, "\n");
  if (left_out_ > 0) text += cat("\nand ", left_out_, " more");
  throw DataError(text);
}

CsvReader::CsvReader(std::string_view content, LineErrors& errors, char separator)
    : content_(content), errors_(errors), separator_(separator) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (content_.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    content_.remove_prefix(kByteOrderMark.size());
  const std::size_t zero = content_.find('\0');
  if (zero != std::string_view::npos) {
    errors_.add(static_cast<int>(std::count(content_.begin(), content_.begin() + zero, '\n')) + 1,
                "a zero byte: this is not a text file in UTF-8");
    errors_.throw_if_any();
  }
  CsvRow header;
  if (!read_line(header)) {
    errors_.add(1, "empty; the first line must name the columns");
    return;
  }
  columns_ = std::move(header.fields);
  std::set<std::string> seen;
  for (const std::string& column : columns_) {
    if (!seen.insert(column).second)
      errors_.add(header.line, cat("the column \"", column, "\" is named twice"));
  }
}

bool CsvReader::next(CsvRow& row) {
  while (read_line(row)) {
    if (row.fields.size() == columns_.size()) return true;
    errors_.add(row.line, cat(row.fields.size(), " fields, but the header names ", columns_.size()));
  }
  return false;
}

bool CsvReader::read_line(CsvRow& row) {
  while (!done()) {
    row.line = line_;
    // Fields keep their room from row to row: a table of millions of fields is read without as many allocations.
    std::size_t count = 0;
    while (true) {
      if (count == row.fields.size()) row.fields.emplace_back();
      std::string& field = row.fields[count++];
      field.clear();
      if (!done() && content_[at_] == '"') {
        read_quoted(field);
      } else {
        read_plain(field);
      }
      if (done() || content_[at_] != separator_) break;
      ++at_;
    }
    row.fields.resize(count);
    skip_line_end();
    if (count > 1 || !row.fields[0].empty()) return true;
  }
  return false;
}

bool CsvReader::at_line_end() const {
  return done() || content_[at_] == '\n' ||
         (content_[at_] == '\r' && (at_ + 1 == content_.size() || content_[at_ + 1] == '\n'));
}

void CsvReader::skip_line_end() {
  if (!done() && content_[at_] == '\r') ++at_;
  if (!done() && content_[at_] == '\n') ++at_;
  ++line_;
}

void CsvReader::read_plain(std::string& field) {
  while (!at_line_end() && content_[at_] != separator_) {
    if (content_[at_] == '"') errors_.add(line_, "a quote inside a field that does not start with one");
    field += content_[at_++];
  }
}

void CsvReader::read_quoted(std::string& field) {
  const int first_line = line_;
  for (++at_; !done(); ++at_) {
    if (content_[at_] == '\n') ++line_;
    if (content_[at_] != '"') {
      field += content_[at_];
    } else if (at_ + 1 < content_.size() && content_[at_ + 1] == '"') {
      field += '"';
      ++at_;
    } else {
      ++at_;
      if (!at_line_end() && content_[at_] != separator_) {
        errors_.add(line_, "text after a closing quote; a quote inside a quoted field is written \"\"");
        while (!at_line_end() && content_[at_] != separator_) ++at_;
      }
      return;
    }
  }
  errors_.add(first_line, "the quote that opens here is never closed");
}

int CsvTable::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

CsvTable parse_csv(std::string_view content, const std::string& name) {
  LineErrors errors(name);
  CsvReader reader(content, errors);
  CsvTable table;
  table.columns = reader.columns();
  CsvRow row;
  while (reader.next(row)) table.rows.push_back(row);
  errors.throw_if_any();
  return table;
}

}  // namespace serval
