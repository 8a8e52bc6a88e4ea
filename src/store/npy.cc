#include "npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "serval/core/error.h"
#include "serval/core/half.h"

namespace serval::store {

namespace {

constexpr std::uint64_t kMaxHeaderBytes = 64 * 1024;  // NumPy's own are 128 bytes or a little more
constexpr std::size_t kMaxAxes = 32;
constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::string_view kMagic = "\x93NUMPY";

// The header's text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  void read(NpyHeader& header) {
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !has_descr) {
        if (peek() == '[') fail("holds records of several fields; save the plain array of numbers");
        header.descr = quoted();
        has_descr = true;
      } else if (key == "fortran_order" && !has_order) {
        header.fortran = boolean();
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        header.shape = shape();
        has_shape = true;
      } else {
        fail(cat("has a header with the key \"", key, "\"", has_descr ? " (twice?)" : ""));
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (!(has_descr && has_order && has_shape)) fail("has a header without descr, fortran_order or shape");
    skip_blanks();
    if (at_ != text_.size()) fail("has a header with something behind its end");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw DataError(cat(place_, ": ", what)); }
  [[noreturn]] void fail_here() const {
    fail(cat("has a header that NumPy does not write, from character ", at_));
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) fail_here();
  }
  std::string quoted() {
    expect('\'');
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos || end - at_ > 64) fail_here();
    std::string out(text_.substr(at_, end - at_));
    at_ = end + 1;
    return out;
  }
  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {"False", "True"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    fail_here();
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> out;
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t size = -1;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc{} || size < 0 || out.size() == kMaxAxes) fail_here();
      at_ = static_cast<std::size_t>(end - text_.data());
      if (peek() == 'L') ++at_;  // written by Python 2
      out.push_back(size);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return out;
  }

  std::string_view text_;
  const std::string& place_;
  std::size_t at_ = 0;
};

void read_descr(NpyHeader& header, const std::string& place) {
  const std::string& descr = header.descr;
  const auto fail = [&](const std::string& why) { throw DataError(cat(place, ": ", why)); };
  if (descr.size() >= 2 && descr[1] == 'O')
    fail("holds Python objects (pickled), which are not read; save an array of float32, one a recording");
  int size = 0;
  const bool plain =
      descr.size() >= 3 && std::string_view("<>|").find(descr[0]) != std::string_view::npos &&
      std::from_chars(descr.data() + 2, descr.data() + descr.size(), size).ptr == descr.data() + descr.size();
  const char kind = plain ? descr[1] : '?';
  const auto is_size = [&](std::initializer_list<int> sizes) {
    return std::find(sizes.begin(), sizes.end(), size) != sizes.end();
  };
  if (kind == 'f' && is_size({2, 4, 8})) {
    header.kind = NpyHeader::Kind::kFloat;
  } else if (kind == 'i' && is_size({1, 2, 4, 8})) {
    header.kind = NpyHeader::Kind::kSigned;
  } else if (kind == 'u' && is_size({1, 2, 4, 8})) {
    header.kind = NpyHeader::Kind::kUnsigned;
  } else if (kind == 'U' && size > 0 && size <= 4096) {
    header.kind = NpyHeader::Kind::kUnicode;
    size *= 4;
  } else if (kind == 'S' && size > 0 && size <= 4096) {
    header.kind = NpyHeader::Kind::kBytes;
  } else {
    fail(cat("holds values of type \"", descr,
             "\"; float16, float32, float64 and integers are read, so .astype(\"float32\") first"));
  }
  const bool one_byte = size == 1 || header.kind == NpyHeader::Kind::kBytes;
  if (descr[0] == '|' && !one_byte) fail(cat("has the type \"", descr, "\" without an order of bytes"));
  header.big_endian = descr[0] == '>';
  header.item_bytes = size;
}

template <class T>
T load(const char* at, bool big_endian) {
  std::array<unsigned char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), at, sizeof(T));
  if (big_endian != (std::endian::native == std::endian::big)) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

template <class From, class To>
void convert(std::span<const char> bytes, bool big_endian, To* out) {
  for (std::size_t i = 0; i * sizeof(From) < bytes.size(); ++i)
    out[i] = static_cast<To>(load<From>(bytes.data() + i * sizeof(From), big_endian));
}

template <class To>
void convert_block(const NpyHeader& header, std::span<const char> bytes, To* out) {
  using Kind = NpyHeader::Kind;
  const bool big = header.big_endian;
  const auto is = [&](int size, Kind kind) { return header.item_bytes == size && header.kind == kind; };
  if (is(4, Kind::kFloat)) return convert<float>(bytes, big, out);
  if (is(8, Kind::kFloat)) return convert<double>(bytes, big, out);
  if (is(1, Kind::kSigned)) return convert<std::int8_t>(bytes, big, out);
  if (is(2, Kind::kSigned)) return convert<std::int16_t>(bytes, big, out);
  if (is(4, Kind::kSigned)) return convert<std::int32_t>(bytes, big, out);
  if (is(8, Kind::kSigned)) return convert<std::int64_t>(bytes, big, out);
  if (is(1, Kind::kUnsigned)) return convert<std::uint8_t>(bytes, big, out);
  if (is(2, Kind::kUnsigned)) return convert<std::uint16_t>(bytes, big, out);
  if (is(4, Kind::kUnsigned)) return convert<std::uint32_t>(bytes, big, out);
  if (is(8, Kind::kUnsigned)) return convert<std::uint64_t>(bytes, big, out);
  SERVAL_CHECK(is(2, Kind::kFloat), "numbers of type ", header.descr);
  for (std::size_t i = 0; i * 2 < bytes.size(); ++i)
    out[i] = static_cast<To>(half_to_float(load<std::uint16_t>(bytes.data() + 2 * i, big)));
}

template <class To>
void read_values(ByteSource& bytes, const NpyHeader& header, std::int64_t first, std::span<To> out) {
  SERVAL_CHECK(first >= 0 && first + static_cast<std::int64_t>(out.size()) <= header.values, out.size(),
               " values from ", first, " of ", header.values);
  const auto size = static_cast<std::size_t>(header.item_bytes);
  std::vector<char> block(std::min(kBlockBytes / size, out.size()) * size);
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t count = std::min(block.size() / size, out.size() - done);
    const std::span<char> part(block.data(), count * size);
    bytes.read(header.data_begin + (static_cast<std::uint64_t>(first) + done) * size, part);
    convert_block(header, std::span<const char>(part), out.data() + done);
    done += count;
  }
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18 & 0x07));
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace

FileBytes::FileBytes(const std::filesystem::path& path) : FileBytes(path, 0, 0) {
  std::error_code error;
  size_ = std::filesystem::file_size(path, error);
  if (error) throw DataError(cat(path_, ": cannot be read: ", error.message()));
}

FileBytes::FileBytes(const std::filesystem::path& path, std::uint64_t begin, std::uint64_t size)
    : path_(path.string()), file_(path, std::ios::binary), begin_(begin), size_(size) {
  if (!file_) throw DataError(cat(path_, ": cannot be read"));
}

void FileBytes::read(std::uint64_t at, std::span<char> out) {
  SERVAL_CHECK(at <= size_ && out.size() <= size_ - at, out.size(), " bytes from ", at, " of ", size_);
  file_.seekg(static_cast<std::streamoff>(begin_ + at));
  if (!file_.read(out.data(), static_cast<std::streamsize>(out.size())))
    throw DataError(cat(path_, ": reading failed; was it changed meanwhile?"));
}

NpyHeader read_npy_header(ByteSource& bytes, const std::string& place) {
  const auto fail = [&](const std::string& what) { throw DataError(cat(place, ": ", what)); };
  if (bytes.size() == 0) fail("is empty");
  std::array<char, 12> start{};
  const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(start.size(), bytes.size()));
  bytes.read(0, std::span(start.data(), known));
  if (known < 10 || std::string_view(start.data(), kMagic.size()) != kMagic)
    fail("is no .npy array: it does not start as NumPy starts them");
  const int version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3) fail(cat("is of .npy version ", version, "; 1, 2 and 3 are known"));
  const std::uint64_t text_begin = version == 1 ? 10 : 12;
  const std::uint64_t text_bytes = version == 1  ? load<std::uint16_t>(start.data() + 8, false)
                                   : known == 12 ? load<std::uint32_t>(start.data() + 8, false)
                                                 : kMaxHeaderBytes;
  if (text_bytes > kMaxHeaderBytes)
    fail(cat("has a header of ", text_bytes, " bytes; at most ", kMaxHeaderBytes));
  if (text_begin + text_bytes > bytes.size())
    fail(cat("ends inside its header, after ", bytes.size(), " bytes"));

  NpyHeader header;
  std::string text(text_bytes, '\0');
  bytes.read(text_begin, text);
  HeaderReader(text, place).read(header);
  read_descr(header, place);
  header.data_begin = text_begin + text_bytes;
  const std::uint64_t data_bytes = bytes.size() - header.data_begin;
  // No product can overflow: it is compared with what the file has before each step.
  std::uint64_t needed = static_cast<std::uint64_t>(header.item_bytes);
  const bool empty = std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end();
  for (const std::int64_t size : header.shape) {
    if (empty) break;
    if (static_cast<std::uint64_t>(size) > std::numeric_limits<std::uint64_t>::max() / needed ||
        (needed *= static_cast<std::uint64_t>(size)) > data_bytes) {
      fail(cat("is cut off: ", data_bytes, " bytes of values follow the header, fewer than its shape needs"));
    }
    header.values *= size;
  }
  if (empty) {
    needed = 0;
    header.values = 0;
  }
  if (needed > data_bytes)
    fail(cat("is cut off: ", data_bytes, " bytes of values follow the header, fewer than its shape needs"));
  if (needed < data_bytes) fail(cat("has ", data_bytes - needed, " bytes behind the end of its array"));
  return header;
}

void read_npy_floats(ByteSource& bytes, const NpyHeader& header, std::int64_t first, std::span<float> out) {
  read_values(bytes, header, first, out);
}

std::vector<std::int64_t> read_npy_integers(ByteSource& bytes, const NpyHeader& header,
                                            const std::string& place) {
  if ((header.kind != NpyHeader::Kind::kSigned && header.kind != NpyHeader::Kind::kUnsigned) ||
      header.shape.size() != 1) {
    throw DataError(cat(place, ": must be a list of integers, not \"", header.descr, "\" with ",
                        header.shape.size(), header.shape.size() == 1 ? " axis" : " axes"));
  }
  std::vector<std::int64_t> values(static_cast<std::size_t>(header.values));
  read_values(bytes, header, 0, std::span(values));
  return values;
}

std::vector<std::string> read_npy_texts(ByteSource& bytes, const NpyHeader& header,
                                        const std::string& place) {
  const bool unicode = header.kind == NpyHeader::Kind::kUnicode;
  if ((!unicode && header.kind != NpyHeader::Kind::kBytes) || header.shape.size() != 1)
    throw DataError(cat(place, ": must be a list of texts, not \"", header.descr, "\" with ",
                        header.shape.size(), header.shape.size() == 1 ? " axis" : " axes"));
  const auto size = static_cast<std::size_t>(header.item_bytes);
  std::vector<std::string> texts;
  std::vector<char> item(size);
  for (std::int64_t i = 0; i < header.values; ++i) {
    bytes.read(header.data_begin + static_cast<std::uint64_t>(i) * size, item);
    std::string& text = texts.emplace_back();
    if (unicode) {
      for (std::size_t c = 0; c < size; c += 4) {
        const auto code = load<std::uint32_t>(item.data() + c, header.big_endian);
        if (code == 0) break;
        if (code > 0x10FFFF)
          throw DataError(cat(place, ": item ", i, " holds a character that does not exist"));
        append_utf8(text, code);
      }
    } else {
      text.assign(item.begin(), std::find(item.begin(), item.end(), '\0'));
    }
  }
  return texts;
}

}  // namespace serval::store
