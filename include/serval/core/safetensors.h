// Safetensors files: 8 bytes with the length of a JSON header, little-endian; the header,
//   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {...}}
// and the numbers, row by row, at those places behind it. F32, F16 and BF16 are read as float, F64, I64 and I8 as they are;
// F32, F16, F64, I64 and I8 are written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/json.h"
#include "serval/core/tensor.h"

namespace serval {

// Metadata with which Serval's weights tell whom they have heard, JSON lists of actors.
inline constexpr const char* kTrainedOnActors = "trained_on_actors";
inline constexpr const char* kChosenByActors = "chosen_by_actors";

class SafetensorsFile {
 public:
  // Throws DataError, with the path, when the file is damaged: a header that is cut short or no JSON, places outside the
  // file or of another size than the shape.
  explicit SafetensorsFile(std::filesystem::path path);
  // The same of a file that is in memory, under the name that messages have.
  SafetensorsFile(std::filesystem::path name, std::string content);

  // Of the header's "__metadata__"; "" where it has no such text.
  std::string metadata(const std::string& key) const;
  // The same, where it is a JSON list of texts; none where there is no such text. DataError for another list.
  std::optional<std::vector<std::string>> text_list(const std::string& key) const;
  std::vector<std::string> names() const;  // in the order of the header
  bool has(const std::string& name) const { return find(name) != nullptr; }
  Shape shape(const std::string& name) const;
  std::string type(const std::string& name) const;  // "F32"
  // Throw DataError for an array of another type.
  std::vector<float> read_floats(const std::string& name) const;
  std::vector<double> read_doubles(const std::string& name) const;
  std::vector<std::int64_t> read_integers(const std::string& name) const;
  std::vector<std::int8_t> read_int8s(const std::string& name) const;

 private:
  struct Entry {
    std::string name, type;
    Shape shape;
    std::int64_t begin = 0, end = 0;  // bytes of the file
  };
  const Entry* find(const std::string& name) const;
  const Entry& get(const std::string& name) const;
  void read_header(std::int64_t size);
  // So many bytes from `begin` on. DataError, naming `what`, where they cannot be read.
  std::string read_at(std::int64_t begin, std::int64_t count, const std::string& what) const;
  std::string read_bytes(const Entry& entry) const;
  template <class T, class Bits>
  std::vector<T> read_as(const std::string& name, const char* wanted) const;

  std::filesystem::path path_;
  std::optional<std::string> content_;  // none: it is on the disk
  std::vector<Entry> entries_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

struct NamedArray {
  std::string name;
  Shape shape;
  std::vector<float> values;
};

// Makes a file, its arrays in the order in which they come; the data starts at a multiple of 8.
class SafetensorsWriter {
 public:
  void add(const std::string& name, const Shape& shape, const std::vector<float>& values);
  void add(const std::string& name, const Shape& shape, const std::vector<double>& values);
  void add(const std::string& name, const Shape& shape, const std::vector<std::int64_t>& values);
  void add(const std::string& name, const Shape& shape, const std::vector<std::int8_t>& values);
  void add_half(const std::string& name, const Shape& shape,
                const std::vector<float>& values);  // rounded, F16
  std::string bytes(const std::vector<std::pair<std::string, std::string>>& metadata) const;

 private:
  template <class Bits, class T>
  void put(const std::string& name, const char* type, const Shape& shape, const std::vector<T>& values);

  JsonValue entries_ = JsonValue::object();
  std::string data_;
};

std::string safetensors_bytes(const std::vector<NamedArray>& arrays,
                              const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace serval
