// Reads safetensors files: 8 bytes with the length of a JSON header, little-endian; the header,
//   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {...}}
// and the numbers, row by row, at those places behind it. F32, F16 and BF16 are read, as float.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "serval/core/tensor.h"

namespace serval::store {

class SafetensorsFile {
 public:
  // Throws DataError, with the path, when the file is damaged: a header that is cut short or no JSON, places outside the
  // file or of another size than the shape.
  explicit SafetensorsFile(std::filesystem::path path);

  std::vector<std::string> names() const;  // in the order of the header
  bool has(const std::string& name) const { return find(name) != nullptr; }
  Shape shape(const std::string& name) const;
  std::vector<float> read_floats(const std::string& name) const;  // DataError for another type

 private:
  struct Entry {
    std::string name, type;
    Shape shape;
    std::int64_t begin = 0, end = 0;  // bytes of the file
  };
  const Entry* find(const std::string& name) const;
  const Entry& get(const std::string& name) const;

  std::filesystem::path path_;
  std::vector<Entry> entries_;
};

}  // namespace serval::store
