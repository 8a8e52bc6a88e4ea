#include "checked_line.h"

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/hash.h"

namespace serval::experiment {

namespace {
constexpr std::size_t kDigits = 32;
}

std::string one_line(const JsonValue& json) {
  // Line ends and the blanks behind them stand between values only: inside texts they are escaped.
  std::string out;
  bool indent = false;
  for (const char c : write_json(json)) {
    if (c == '\n') {
      indent = true;
    } else if (c != ' ' || !indent) {
      indent = false;
      out += c;
    }
  }
  return out;
}

std::string checked_line(const JsonValue& json) {
  const std::string text = one_line(json);
  return Hasher().text(text).hex() + " " + text + "\n";
}

std::optional<JsonValue> read_checked_line(const std::string& line, const std::string& name) {
  if (line.size() < kDigits + 2 || line[kDigits] != ' ') return std::nullopt;
  const std::string text = line.substr(kDigits + 1);
  if (Hasher().text(text).hex() != line.substr(0, kDigits)) return std::nullopt;
  return parse_json(text, name);
}

JsonValue read_checked_file(const std::string& path) {
  std::string line = read_text(path);
  if (!line.empty() && line.back() == '\n') line.pop_back();
  std::optional<JsonValue> json = read_checked_line(line, path);
  if (!json) {
    throw DataError(
        cat(path,
            ": is not what Serval wrote: its checksum differs, so it was edited or damaged; delete it, and "
            "the sweep makes it again"));
  }
  return std::move(*json);
}

}  // namespace serval::experiment
