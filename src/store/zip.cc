#include "zip.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "serval/core/error.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kEndMark = 0x06054b50, kEnd64Mark = 0x06064b50, kLocator64Mark = 0x07064b50;
constexpr std::uint32_t kEntryMark = 0x02014b50, kHeaderMark = 0x04034b50;
constexpr std::size_t kEndBytes = 22, kLocator64Bytes = 20, kEnd64Bytes = 56, kEntryBytes = 46,
                      kHeaderBytes = 30;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{1} << 30;
// What is unpacked into memory at once.
constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{8} << 30;

template <class T>
T little(const char* at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value | static_cast<T>(static_cast<unsigned char>(at[i])) << (8 * i));
  return value;
}

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw DataError(cat(path.string(), ": is no whole .npz archive: ", what));
}

std::vector<char> read_part(FileBytes& file, const fs::path& path, std::uint64_t at, std::uint64_t size) {
  if (at > file.size() || size > file.size() - at) fail(path, "it ends too soon");
  std::vector<char> out(size);
  file.read(at, out);
  return out;
}

struct Directory {
  std::uint64_t entries = 0, bytes = 0, begin = 0;
};

Directory find_directory(FileBytes& file, const fs::path& path) {
  // A comment of up to 64 KiB may follow the record that ends the archive.
  const std::uint64_t tail_bytes = std::min<std::uint64_t>(file.size(), kEndBytes + 0xFFFF);
  const std::vector<char> tail = read_part(file, path, file.size() - tail_bytes, tail_bytes);
  for (std::size_t at = tail.size() - std::min(tail.size(), kEndBytes) + 1; at-- > 0;) {
    if (tail.size() - at < kEndBytes || little<std::uint32_t>(tail.data() + at) != kEndMark) continue;
    const char* const end = tail.data() + at;
    Directory out{little<std::uint16_t>(end + 10), little<std::uint32_t>(end + 12),
                  little<std::uint32_t>(end + 16)};
    if (out.entries != 0xFFFF && out.bytes != 0xFFFFFFFF && out.begin != 0xFFFFFFFF) return out;
    const std::uint64_t end_begin = file.size() - tail_bytes + at;
    if (end_begin < kLocator64Bytes) fail(path, "its end is damaged");
    const std::vector<char> locator = read_part(file, path, end_begin - kLocator64Bytes, kLocator64Bytes);
    if (little<std::uint32_t>(locator.data()) != kLocator64Mark) fail(path, "its end is damaged");
    const std::vector<char> large =
        read_part(file, path, little<std::uint64_t>(locator.data() + 8), kEnd64Bytes);
    if (little<std::uint32_t>(large.data()) != kEnd64Mark) fail(path, "its end is damaged");
    return {little<std::uint64_t>(large.data() + 32), little<std::uint64_t>(large.data() + 40),
            little<std::uint64_t>(large.data() + 48)};
  }
  fail(path, "it has no directory at its end");
}

// Sizes that 32 bits do not hold are in an extra field, in this order and only where needed.
void read_large_sizes(ZipMember& member, const char* extra, std::size_t size, const fs::path& path) {
  for (std::size_t at = 0; at + 4 <= size;) {
    const std::size_t length = little<std::uint16_t>(extra + at + 2);
    if (length > size - at - 4) break;
    if (little<std::uint16_t>(extra + at) == 1) {
      std::size_t used = 0;
      for (std::uint64_t* value : {&member.bytes, &member.packed_bytes, &member.header_begin}) {
        if (*value != 0xFFFFFFFF) continue;
        if (length - used < 8) fail(path, "a size is missing in its directory");
        *value = little<std::uint64_t>(extra + at + 4 + used);
        used += 8;
      }
      return;
    }
    at += 4 + length;
  }
}

class Unpacked : public ByteSource {
 public:
  explicit Unpacked(std::vector<char> bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t at, std::span<char> out) override {
    SERVAL_CHECK(at <= bytes_.size() && out.size() <= bytes_.size() - at, out.size(), " bytes from ", at);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
  }

 private:
  std::vector<char> bytes_;
};

std::vector<char> unpack(ByteSource& packed, const ZipMember& member, const fs::path& path) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw DataError(cat(path.string(), ": zlib cannot start"));
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closes(&stream, inflateEnd);
  // Grows with what really comes, so that a size that lies costs nothing.
  std::vector<char> out;
  std::vector<char> in(1 << 16), block(1 << 18);
  int state = Z_OK;
  for (std::uint64_t at = 0; at < packed.size() && state == Z_OK;) {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), packed.size() - at));
    packed.read(at, std::span(in.data(), count));
    at += count;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(count);
    do {
      stream.next_out = reinterpret_cast<Bytef*>(block.data());
      stream.avail_out = static_cast<uInt>(block.size());
      state = inflate(&stream, Z_NO_FLUSH);
      out.insert(out.end(), block.begin(), block.end() - stream.avail_out);
      if (out.size() > member.bytes) fail(path, cat("\"", member.name, "\" is larger than it says"));
    } while (state == Z_OK && stream.avail_out == 0);
    if (state == Z_BUF_ERROR) state = Z_OK;  // it wants more input
  }
  uLong checksum = crc32(0, nullptr, 0);
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t count = std::min<std::size_t>(out.size() - at, std::size_t{1} << 30);
    checksum = crc32(checksum, reinterpret_cast<const Bytef*>(out.data() + at), static_cast<uInt>(count));
    at += count;
  }
  if (state != Z_STREAM_END || out.size() != member.bytes || checksum != member.checksum)
    fail(path, cat("\"", member.name, "\" is damaged"));
  return out;
}

}  // namespace

std::vector<ZipMember> list_zip(const fs::path& path) {
  FileBytes file(path);
  const Directory directory = find_directory(file, path);
  if (directory.bytes > kMaxDirectoryBytes) fail(path, "its directory is too large");
  const std::vector<char> bytes = read_part(file, path, directory.begin, directory.bytes);
  std::vector<ZipMember> members;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const char* const entry = bytes.data() + at;
    if (bytes.size() - at < kEntryBytes || little<std::uint32_t>(entry) != kEntryMark)
      fail(path, "its directory is damaged");
    const std::size_t name = little<std::uint16_t>(entry + 28), extra = little<std::uint16_t>(entry + 30),
                      comment = little<std::uint16_t>(entry + 32);
    if (bytes.size() - at - kEntryBytes < name + extra + comment) fail(path, "its directory is damaged");
    ZipMember& member = members.emplace_back();
    member.name.assign(entry + kEntryBytes, name);
    const int flags = little<std::uint16_t>(entry + 8), method = little<std::uint16_t>(entry + 10);
    if ((flags & 1) != 0 || (method != 0 && method != 8))
      fail(path, cat("\"", member.name, "\" is encrypted or packed in a way that NumPy does not use"));
    member.deflated = method == 8;
    member.checksum = little<std::uint32_t>(entry + 16);
    member.packed_bytes = little<std::uint32_t>(entry + 20);
    member.bytes = little<std::uint32_t>(entry + 24);
    member.header_begin = little<std::uint32_t>(entry + 42);
    read_large_sizes(member, entry + kEntryBytes + name, extra, path);
    at += kEntryBytes + name + extra + comment;
  }
  return members;
}

std::unique_ptr<ByteSource> open_zip_member(const fs::path& path, const ZipMember& member) {
  FileBytes file(path);
  const std::vector<char> header = read_part(file, path, member.header_begin, kHeaderBytes);
  if (little<std::uint32_t>(header.data()) != kHeaderMark)
    fail(path, cat("\"", member.name, "\" is not where the directory says"));
  const std::uint64_t begin = member.header_begin + kHeaderBytes + little<std::uint16_t>(header.data() + 26) +
                              little<std::uint16_t>(header.data() + 28);
  if (begin > file.size() || member.packed_bytes > file.size() - begin)
    fail(path, cat("\"", member.name, "\" is cut off"));
  auto packed = std::make_unique<FileBytes>(path, begin, member.packed_bytes);
  if (!member.deflated) {
    if (member.packed_bytes != member.bytes) fail(path, cat("\"", member.name, "\" has two sizes"));
    return packed;
  }
  if (member.bytes > kMaxUnpackedBytes)
    fail(path, cat("\"", member.name, "\" has ", member.bytes, " bytes; at most ", kMaxUnpackedBytes,
                   " are unpacked; write it with numpy.savez"));
  return std::make_unique<Unpacked>(unpack(*packed, member, path));
}

}  // namespace serval::store
