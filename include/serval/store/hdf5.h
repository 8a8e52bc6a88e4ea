// HDF5 files with plain types: the little that stores and checkpoints need, and no handle to leak.
//
// A checkpoint that is whole or absent, and provably whole when read:
//   write_atomically(path, [&](const std::filesystem::path& name) {
//     Hdf5File file = Hdf5File::create(name);
//     file.write("parameters", values, Shape{count});
//     file.close();
//     seal_file(name, {.kind = "checkpoint", .key = key});
//   });
//   ...
//   verify_seal(path);
//   Hdf5File file = Hdf5File::open(path);
//
// Errors: DiskError when the disk or quota is full, DataError otherwise, with the path and HDF5's own reason.
// Calls from several threads take turns; one file is used by one thread at a time. No file is ever locked, so
// that network file systems without locks work; who writes is settled by names (see core/files.h, store.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "serval/core/tensor.h"

namespace serval::store {

enum class Element { kFloat32, kFloat64, kInt16, kInt64 };
const char* to_string(Element element);  // "float32", ...

struct FileUse;  // src/store/hdf5_handle.h

class Hdf5File {
 public:
  // Replaces what is there. The first bytes of the file are left to the caller (store/seal.h): none, or a power of 2 from 512 on.
  static constexpr std::int64_t kUserBlockBytes = 8192;
  static Hdf5File create(const std::filesystem::path& path, std::int64_t user_block_bytes = kUserBlockBytes);
  static Hdf5File open(const std::filesystem::path& path);  // for reading

  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;
  ~Hdf5File();  // closes without a word; a writer calls close() to hear of errors
  void close();

  // Datasets of any shape. `name` may be a path, "network/layer0/weight"; its groups are made on the way.
  void write(const std::string& name, std::span<const float> values, const Shape& shape);
  void write(const std::string& name, std::span<const double> values, const Shape& shape);
  void write(const std::string& name, std::span<const std::int64_t> values, const Shape& shape);
  // Reading wants the type that was written.
  std::vector<float> read_floats(const std::string& name) const;
  std::vector<double> read_doubles(const std::string& name) const;
  std::vector<std::int64_t> read_int64s(const std::string& name) const;
  Shape shape(const std::string& name) const;
  bool has(const std::string& name) const;

  // UTF-8 text of any length without NUL, as a scalar or as a list.
  void write_text(const std::string& name, const std::string& value);
  std::string read_text(const std::string& name) const;
  void write_texts(const std::string& name, const std::vector<std::string>& values);
  std::vector<std::string> read_texts(const std::string& name) const;

  // Attributes of the file itself.
  void write_attribute(const std::string& name, const std::string& value);
  void write_attribute(const std::string& name, std::int64_t value);
  std::string read_text_attribute(const std::string& name) const;
  std::int64_t read_integer_attribute(const std::string& name) const;
  // Text attributes of a group or a dataset that is there; "/" is the file itself.
  void write_attribute_of(const std::string& object, const std::string& name, const std::string& value);
  void write_attribute_of(const std::string& object, const std::string& name,
                          const std::vector<std::string>& values);
  std::string read_text_attribute_of(const std::string& object, const std::string& name) const;
  std::vector<std::string> read_texts_attribute_of(const std::string& object, const std::string& name) const;

  // A dataset [rows, width] that grows at its end, in chunks of about kChunkBytes.
  static constexpr std::int64_t kChunkBytes = 256 * 1024;
  void create_rows(const std::string& name, Element element, std::int64_t width);
  void append_rows(const std::string& name, std::span<const float> values);
  void append_rows(const std::string& name, std::span<const std::int16_t> values);
  // `out` is filled with the rows from `first_row` on; its size is a multiple of the width.
  void read_rows(const std::string& name, std::int64_t first_row, std::span<float> out) const;
  void read_rows(const std::string& name, std::int64_t first_row, std::span<std::int16_t> out) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Hdf5File(std::filesystem::path path);
  FileUse use() const;

  std::filesystem::path path_;
  std::int64_t id_ = -1;        // hid_t, -1 once closed
  std::unique_ptr<int> error_;  // errno of the first failed access to the disk, 0 for none
};

}  // namespace serval::store
