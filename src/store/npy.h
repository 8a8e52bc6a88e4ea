// NumPy's .npy format, versions 1 to 3, read with suspicion: the header is a Python literal, of which only the form
// that NumPy writes is taken, and nothing is ever unpickled.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace serval::store {

// Bytes that know their number: a file, a part of one, or what was unpacked from one.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Throws DataError when they cannot be read; asking beyond the end is a mistake of the caller.
  virtual void read(std::uint64_t at, std::span<char> out) = 0;
};

class FileBytes : public ByteSource {
 public:
  explicit FileBytes(const std::filesystem::path& path);  // all of it
  FileBytes(const std::filesystem::path& path, std::uint64_t begin, std::uint64_t size);
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t at, std::span<char> out) override;

 private:
  std::string path_;
  std::ifstream file_;
  std::uint64_t begin_ = 0;
  std::uint64_t size_ = 0;
};

struct NpyHeader {
  enum class Kind { kFloat, kSigned, kUnsigned, kUnicode, kBytes };
  Kind kind = Kind::kFloat;
  int item_bytes = 4;
  bool big_endian = false;
  bool fortran = false;             // the first axis runs fastest
  std::vector<std::int64_t> shape;  // none for a single number
  std::uint64_t data_begin = 0;     // in bytes
  std::int64_t values = 1;          // product of the shape
  std::string descr;                // "<f4"
};

// Throws DataError starting with `place` for everything that is not a whole array of plain numbers or texts.
NpyHeader read_npy_header(ByteSource& bytes, const std::string& place);

// The values from `first` on, in the order in which the file has them, as float32.
void read_npy_floats(ByteSource& bytes, const NpyHeader& header, std::int64_t first, std::span<float> out);

// The same of integers; throws DataError when the array holds others.
std::vector<std::int64_t> read_npy_integers(ByteSource& bytes, const NpyHeader& header,
                                            const std::string& place);

// A list of texts ('<U20', '|S20') as UTF-8. Throws DataError when it is no such list.
std::vector<std::string> read_npy_texts(ByteSource& bytes, const NpyHeader& header, const std::string& place);

}  // namespace serval::store
