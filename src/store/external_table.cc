// External features as CSV, as pandas and openSMILE write it.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/text.h"

#include "external_source.h"

namespace serval::store {

namespace {

const std::set<std::string> kNameColumns = {"", "file", "filename", "id", "name", "path", "recording"};
const std::set<std::string> kStartColumns = {"start", "frametime"};
const std::set<std::string> kOtherColumns = {"end", "class"};

// pandas writes times as "0 days 00:00:01.230000", openSMILE's own program as seconds.
double parse_time_s(std::string_view text) {
  double days = 0;
  if (const std::size_t word = text.find(" days "); word != std::string_view::npos) {
    std::from_chars(text.data(), text.data() + word, days);
    text.remove_prefix(word + 6);
  }
  double total_s = 0;
  while (true) {
    const std::size_t colon = text.find(':');
    double part = 0;
    std::from_chars(text.data(), text.data() + std::min(colon, text.size()), part);
    total_s = total_s * 60 + part;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  return total_s + days * 86400;
}

class Table : public ExternalSource {
 public:
  explicit Table(const std::string& path) : path_(path), errors_(path) {
    layout_ = features::ExternalLayout::kTable;
    files_ = {{"table", path}};
    const std::string content = read_text(path);
    // openSMILE's program separates by semicolons.
    const std::string_view header = std::string_view(content).substr(0, content.find('\n'));
    const bool semicolons =
        header.find(',') == std::string_view::npos && header.find(';') != std::string_view::npos;
    CsvReader reader(content, errors_, semicolons ? ';' : ',');
    errors_.throw_if_any();
    choose_columns(reader.columns());
    CsvRow row;
    for (int count = 0; reader.next(row); ++count) {
      if (count % 1024 == 0) check_interrupted();
      add(row, reader.columns());
    }
    errors_.throw_if_any();
    if (items_.empty()) throw DataError(cat(path, ": has a header and no rows"));
  }

  void read(std::size_t item, std::span<float> out) override {
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(begin_[item]), out.size(), out.begin());
  }

 private:
  void choose_columns(const std::vector<std::string>& columns) {
    const std::string first = lower(trimmed(columns[0]));
    if (kNameColumns.count(first) == 0) {
      throw DataError(cat(
          path_, ":1: the first column must say whose features a row has, and be called file or id, not \"",
          columns[0], "\""));
    }
    for (std::size_t c = 1; c < columns.size(); ++c) {
      const std::string name = lower(trimmed(columns[c]));
      if (kStartColumns.count(name) != 0) {
        start_column_ = c;
      } else if (kOtherColumns.count(name) == 0) {
        value_columns_.push_back(c);
      }
    }
    if (value_columns_.empty()) throw DataError(cat(path_, ":1: names no column of features"));
  }

  void add(const CsvRow& row, const std::vector<std::string>& columns) {
    std::string name = trimmed(row.fields[0]);
    if (name.size() >= 2 && name.front() == '\'' && name.back() == '\'')
      name = name.substr(1, name.size() - 2);
    const double start_s = start_column_ > 0 ? parse_time_s(row.fields[start_column_]) : 0;
    if (name.empty()) {
      errors_.add(row.line, cat("the field \"", columns[0], "\" is empty"));
    } else if (!items_.empty() && items_.back().name == name && start_column_ > 0) {
      if (start_s <= last_start_s_)
        errors_.add(row.line, cat("\"", name, "\" goes on, but not later than in the row above"));
      ++items_.back().frames;
    } else if (!seen_.emplace(name, row.line).second) {
      errors_.add(row.line, cat("\"", name, "\" was there in line ", seen_.at(name), " already",
                                start_column_ > 0 ? "; the rows of one recording must follow each other"
                                                  : "; frames over time need a column \"start\""));
    } else {
      begin_.push_back(values_.size());
      ExternalItem& item = items_.emplace_back();
      item.name = name;
      item.place = cat(path_, ":", row.line);
      item.frames = 1;
      item.dimension = static_cast<std::int64_t>(value_columns_.size());
    }
    last_start_s_ = start_s;
    for (const std::size_t c : value_columns_) values_.push_back(number(row, c, columns[c]));
  }

  float number(const CsvRow& row, std::size_t c, const std::string& column) {
    const std::string text = trimmed(row.fields[c]);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
      errors_.add(row.line, text.empty() ? cat("column \"", column, "\" is empty")
                                         : cat("column \"", column, "\": \"", text, "\" is not a number"));
    }
    return static_cast<float>(value);
  }

  std::string path_;
  LineErrors errors_;
  std::size_t start_column_ = 0;  // 0: none
  std::vector<std::size_t> value_columns_;
  std::map<std::string, int> seen_;
  std::vector<std::size_t> begin_;  // of each item's values
  std::vector<float> values_;
  double last_start_s_ = 0;
};

}  // namespace

std::unique_ptr<ExternalSource> open_external_table(const features::ExternalSettings& settings) {
  return std::make_unique<Table>(settings.path);
}

}  // namespace serval::store
