#include "serval/store/seal.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <sstream>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/store/hdf5.h"

#include "hdf5_handle.h"

namespace serval::store {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSealBytes = 512;
static_assert(kSealBytes + kMaxNoteBytes == Hdf5File::kUserBlockBytes);
constexpr const char* kFirstLine = "serval 1";
const std::string kNoChecksum(32, '0');

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void fail_damaged(const fs::path& path, const std::string& why) {
  throw DamagedError(cat(path.string(), ": ", why));
}

File open_file(const fs::path& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) fail_errno(path, "cannot be opened", errno);
  return file;
}

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string render(const Seal& seal) {
  std::string text =
      cat(kFirstLine, "\nkind ", seal.kind, "\nkey ", seal.key, "\nitems ", seal.items, "\nbytes ",
          seal.bytes, "\ncreated ", seal.created, "\nchecksum ", seal.checksum, "\n");
  SERVAL_CHECK(text.size() <= kSealBytes, "a seal of ", text.size(), " bytes");
  text.resize(kSealBytes, '\n');
  return text;
}

bool parse(const std::string& block, Seal& seal) {
  std::istringstream in(block);
  std::string first, kind, key, items, bytes, created, checksum;
  std::getline(in, first);
  in >> kind >> seal.kind >> key >> seal.key >> items >> seal.items >> bytes >> seal.bytes >> created >>
      seal.created >> checksum >> seal.checksum;
  // What was read must print as what is there, to the byte: nothing in a seal is free.
  return static_cast<bool>(in) && seal.checksum.size() == kNoChecksum.size() && render(seal) == block;
}

Seal read_seal(std::FILE* file, const fs::path& path) {
  std::string block(kSealBytes, '\0');
  if (std::fread(block.data(), 1, kSealBytes, file) != kSealBytes) {
    if (std::ferror(file) != 0) fail_errno(path, "reading failed", errno);
    fail_damaged(path, "torn: shorter than its own seal");
  }
  Seal seal;
  if (block.rfind(kFirstLine, 0) != 0)
    fail_damaged(path, "not sealed: it was never finished, or Serval did not write it");
  if (!parse(block, seal)) fail_damaged(path, "corrupt: its seal is damaged");
  std::fseek(file, 0, SEEK_END);
  const std::int64_t size = std::ftell(file);
  if (size != seal.bytes) {
    fail_damaged(path, cat("torn: it has ", size, " bytes and was sealed with ", seal.bytes));
  }
  return seal;
}

// The checksum of the file as sealed by `seal`.
std::string checksum_of(std::FILE* file, const fs::path& path, Seal seal) {
  seal.checksum = kNoChecksum;
  const std::string head = render(seal);
  Hasher hasher;
  hasher.bytes(head.data(), head.size());
  std::fseek(file, static_cast<long>(kSealBytes), SEEK_SET);
  std::vector<char> block(1 << 18);
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), file))
    hasher.bytes(block.data(), count);
  if (std::ferror(file) != 0) fail_errno(path, "reading failed", errno);
  return hasher.hex();
}

}  // namespace

void seal_file(const fs::path& path, const Seal& wanted, const std::string& note) {
  for (const std::string& word : {wanted.kind, wanted.key}) {
    SERVAL_CHECK(!word.empty() && word.find_first_of(" \t\r\n") == std::string::npos, "\"", word,
                 "\" in a seal");
  }
  const File file = open_file(path, "r+b");
  Seal seal = wanted;
  std::fseek(file.get(), 0, SEEK_END);
  seal.bytes = std::ftell(file.get());
  SERVAL_CHECK(seal.bytes >= Hdf5File::kUserBlockBytes, path.string(), " has no room for a seal");
  SERVAL_CHECK(note.size() <= kMaxNoteBytes && note.find('\0') == std::string::npos, "a note of ",
               note.size(), " bytes");
  std::string rest = note;
  rest.resize(kMaxNoteBytes, '\n');
  std::fseek(file.get(), static_cast<long>(kSealBytes), SEEK_SET);
  if (std::fwrite(rest.data(), 1, rest.size(), file.get()) != rest.size() || std::fflush(file.get()) != 0)
    fail_errno(path, "cannot be written", errno);
  seal.created = now_utc();
  seal.checksum = checksum_of(file.get(), path, seal);
  const std::string block = render(seal);
  std::rewind(file.get());
  if (std::fwrite(block.data(), 1, block.size(), file.get()) != block.size() ||
      std::fflush(file.get()) != 0) {
    fail_errno(path, "cannot be written", errno);
  }
}

Hdf5File open_verified(const fs::path& path) {
  const File file(std::fopen(path.c_str(), "rb"));  // that it cannot be opened is told below
  std::string start(std::char_traits<char>::length(kFirstLine), '\0');
  if (file && std::fread(start.data(), 1, start.size(), file.get()) == start.size() && start == kFirstLine)
    verify_seal(path);
  return Hdf5File::open(path);
}

std::string read_note(const fs::path& path) {
  const File file = open_file(path, "rb");
  std::fseek(file.get(), static_cast<long>(kSealBytes), SEEK_SET);
  std::string note(kMaxNoteBytes, '\0');
  note.resize(std::fread(note.data(), 1, note.size(), file.get()));
  if (std::ferror(file.get()) != 0) fail_errno(path, "reading failed", errno);
  note.erase(note.find_last_not_of('\n') + 1);
  return note;
}

Seal read_seal(const fs::path& path) { return read_seal(open_file(path, "rb").get(), path); }

Seal verify_seal(const fs::path& path) {
  const File file = open_file(path, "rb");
  Seal seal = read_seal(file.get(), path);
  if (checksum_of(file.get(), path, seal) != seal.checksum) {
    fail_damaged(path, "corrupt: its bytes do not have the checksum that it was sealed with");
  }
  return seal;
}

}  // namespace serval::store
