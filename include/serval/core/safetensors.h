// Safetensors files: 8 bytes with the length of a JSON header, little-endian; the header,
//   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {...}}
// and the numbers, row by row, at those places behind it. F32, F16 and BF16 are read, as float;
// F32 is written.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/tensor.h"

namespace serval {

class SafetensorsFile {
 public:
  // Throws DataError, with the path, when the file is damaged: a header that is cut short or no JSON, places outside the
  // file or of another size than the shape.
  explicit SafetensorsFile(std::filesystem::path path);

  // Of the header's "__metadata__"; "" where it has no such text.
  std::string metadata(const std::string& key) const;
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
  std::vector<std::pair<std::string, std::string>> metadata_;
};

struct NamedArray {
  std::string name;
  Shape shape;
  std::vector<float> values;
};
// The bytes of a file with these arrays, in their order; the data starts at a multiple of 8.
std::string safetensors_bytes(const std::vector<NamedArray>& arrays,
                              const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace serval
