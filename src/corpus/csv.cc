#include "serval/corpus/csv.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"

namespace serval::corpus {

namespace {

constexpr std::size_t kMaxMessages = 20;

// Reads one row at a time; `at` stands behind the row afterwards.
class Reader {
 public:
  Reader(std::string_view content, LineErrors& errors) : content_(content), errors_(errors) {}

  bool done() const { return at_ >= content_.size(); }

  CsvRow next() {
    CsvRow row;
    row.line = line_;
    while (true) {
      row.fields.push_back(!done() && content_[at_] == '"' ? quoted() : plain());
      if (done() || content_[at_] != ',') break;
      ++at_;
    }
    skip_line_end();
    return row;
  }

 private:
  bool at_line_end() const {
    return done() || content_[at_] == '\n' ||
           (content_[at_] == '\r' && (at_ + 1 == content_.size() || content_[at_ + 1] == '\n'));
  }

  void skip_line_end() {
    if (!done() && content_[at_] == '\r') ++at_;
    if (!done() && content_[at_] == '\n') ++at_;
    ++line_;
  }

  std::string plain() {
    std::string field;
    while (!at_line_end() && content_[at_] != ',') {
      if (content_[at_] == '"') errors_.add(line_, "a quote inside a field that does not start with one");
      field += content_[at_++];
    }
    return field;
  }

  std::string quoted() {
    const int first_line = line_;
    std::string field;
    for (++at_; !done(); ++at_) {
      if (content_[at_] == '\n') ++line_;
      if (content_[at_] != '"') {
        field += content_[at_];
      } else if (at_ + 1 < content_.size() && content_[at_ + 1] == '"') {
        field += '"';
        ++at_;
      } else {
        ++at_;
        if (!at_line_end() && content_[at_] != ',') {
          errors_.add(line_, "text after a closing quote; a quote inside a quoted field is written \"\"");
          while (!at_line_end() && content_[at_] != ',') ++at_;
        }
        return field;
      }
    }
    errors_.add(first_line, "the quote that opens here is never closed");
    return field;
  }

  std::string_view content_;
  LineErrors& errors_;
  std::size_t at_ = 0;
  int line_ = 1;
};

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

int CsvTable::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

CsvTable parse_csv(std::string_view content, const std::string& name) {
  LineErrors errors(name);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (content.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    content.remove_prefix(kByteOrderMark.size());
  const std::size_t zero = content.find('\0');
  if (zero != std::string_view::npos) {
    errors.add(static_cast<int>(std::count(content.begin(), content.begin() + zero, '\n')) + 1,
               "a zero byte: this is not a text file in UTF-8");
    errors.throw_if_any();
  }

  CsvTable table;
  Reader reader(content, errors);
  while (!reader.done()) {
    CsvRow row = reader.next();
    if (row.fields.size() == 1 && row.fields[0].empty()) continue;
    if (table.columns.empty()) {
      table.columns = std::move(row.fields);
      std::set<std::string> seen;
      for (const std::string& column : table.columns) {
        if (!seen.insert(column).second)
          errors.add(row.line, cat("the column \"", column, "\" is named twice"));
      }
    } else if (row.fields.size() != table.columns.size()) {
      errors.add(row.line, cat(row.fields.size(), " fields, but the header names ", table.columns.size()));
    } else {
      table.rows.push_back(std::move(row));
    }
  }
  if (table.columns.empty()) errors.add(1, "empty; the first line must name the columns");
  errors.throw_if_any();
  return table;
}

}  // namespace serval::corpus
