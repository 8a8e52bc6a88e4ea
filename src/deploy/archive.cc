#include "archive.h"

#include <algorithm>
#include <cstring>

#include "serval/core/error.h"
#include "serval/core/files.h"

namespace serval::deploy {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameLength = 100, kPrefixLength = 155;

// Places in a header.
struct Field {
  std::size_t begin, length;
};
constexpr Field kName{0, kNameLength}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kTime{136, 12}, kCheck{148, 8}, kType{156, 1}, kMagic{257, 8}, kPrefix{345, kPrefixLength};
constexpr char kUstar[] = "ustar\00000";  // the magic with its 0, and version 00

void put(std::string& header, Field field, const std::string& text) {
  SERVAL_CHECK(text.size() <= field.length, text, " in ", field.length, " bytes");
  header.replace(field.begin, text.size(), text);
}
std::string get(const std::string& header, Field field) {
  const std::string text = header.substr(field.begin, field.length);
  return text.substr(0, text.find('\0'));
}

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t i = digits; i-- > 0 && value > 0; value /= 8) out[i] = static_cast<char>('0' + value % 8);
  SERVAL_CHECK(value == 0, "too large for ", digits, " octal digits");
  return out;
}
// -1 where it is no octal number.
std::int64_t number_of(const std::string& text) {
  const std::size_t end = text.find_last_not_of(' ');
  if (text.empty() || end == std::string::npos) return -1;
  std::int64_t out = 0;
  for (std::size_t i = 0; i <= end; ++i) {
    if (text[i] < '0' || text[i] > '7') return -1;
    out = out * 8 + (text[i] - '0');  // twelve digits at most
  }
  return out;
}

// The sum of the header's bytes, its own field taken as blanks.
std::uint64_t check_sum(std::string header) {
  header.replace(kCheck.begin, kCheck.length, kCheck.length, ' ');
  std::uint64_t out = 0;
  for (const char byte : header) out += static_cast<unsigned char>(byte);
  return out;
}

std::string header_of(const std::string& name, std::size_t size) {
  std::string own = name, prefix;
  if (own.size() > kNameLength) {
    const std::size_t slash = name.find('/', name.size() - kNameLength - 1);
    if (slash == std::string::npos || slash > kPrefixLength)
      throw ConfigError(cat(name, ": is too long a name for a bundle in one file; write a folder instead"));
    prefix = name.substr(0, slash);
    own = name.substr(slash + 1);
  }
  std::string out(kBlock, '\0');
  put(out, kName, own);
  put(out, kPrefix, prefix);
  put(out, kMode, "0000644");
  put(out, kOwner, "0000000");
  put(out, kGroup, "0000000");
  put(out, kSize, octal(size, kSize.length - 1));
  put(out, kTime, octal(0, kTime.length - 1));
  put(out, kType, "0");
  put(out, kMagic, {kUstar, kMagic.length});
  put(out, kCheck, octal(check_sum(out), 6) + std::string("\0 ", 2));
  return out;
}

bool all_zero(const std::string& bytes, std::size_t begin) {
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end(),
                     [](char byte) { return byte == 0; });
}

}  // namespace

std::string archive_bytes(const NamedFiles& files) {
  std::string out;
  for (const auto& [name, content] : files) {
    out += header_of(name, content.size());
    out += content;
    out.resize((out.size() + kBlock - 1) / kBlock * kBlock, '\0');
  }
  return out + std::string(2 * kBlock, '\0');
}

std::map<std::string, std::string> read_archive(const std::string& path) {
  const std::string bytes = read_text(path);
  std::map<std::string, std::string> out;
  std::size_t at = 0;
  const auto fail = [&](const std::string& why) { throw DataError(cat(path, ", byte ", at, ": ", why)); };
  while (true) {
    if (bytes.size() - at < kBlock) fail("the archive is cut short");
    const std::string header = bytes.substr(at, kBlock);
    if (all_zero(header, 0)) break;
    if (header.compare(kMagic.begin, 5, kUstar, 5) != 0) fail("this is no bundle in one file");
    if (number_of(get(header, kCheck)) != static_cast<std::int64_t>(check_sum(header)))
      fail("the header's sum is wrong: the file is damaged");
    const std::string prefix = get(header, kPrefix);
    const std::string name = prefix.empty() ? get(header, kName) : prefix + "/" + get(header, kName);
    if (header[kType.begin] != '0' && header[kType.begin] != 0) fail(cat("\"", name, "\" is no plain file"));
    if (!plain_path(name)) fail(cat("\"", name, "\" leads out of the bundle"));
    const std::int64_t size = number_of(get(header, kSize));
    if (size < 0 || static_cast<std::uint64_t>(size) > bytes.size() - at - kBlock)
      fail(cat("\"", name, "\" does not end within the file: it is cut short"));
    const auto length = static_cast<std::size_t>(size);
    if (!out.emplace(name, bytes.substr(at + kBlock, length)).second)
      fail(cat("\"", name, "\" is there twice"));
    at += kBlock + (length + kBlock - 1) / kBlock * kBlock;
    if (at > bytes.size()) fail("the archive is cut short");
  }
  if (bytes.size() - at < 2 * kBlock) fail("the archive is cut short");
  if (!all_zero(bytes, at)) fail("something stands behind the end of the archive");
  return out;
}

}  // namespace serval::deploy
