#include "serval/core/json_line.h"

namespace serval {

// Line ends within texts are escaped, so that those left are of the layout.
std::string write_json_line(const JsonValue& value) {
  const std::string text = write_json(value);
  std::string out;
  bool indent = false;
  for (const char c : text) {
    if (c == '\n')
      indent = true;
    else if (c != ' ' || !indent) {
      indent = false;
      out.push_back(c);
    }
  }
  return out + "\n";
}

}  // namespace serval
