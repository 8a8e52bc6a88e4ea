#include "serval/core/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>

#include "serval/core/error.h"
#include "serval/core/half.h"

namespace serval {

namespace {

constexpr std::int64_t kLongestHeader = 100'000'000;  // as the format's own library has it

std::int64_t type_bytes(const std::string& type) {
  for (const auto& [name, bytes] : std::initializer_list<std::pair<const char*, int>>{{"F64", 8},
                                                                                      {"I64", 8},
                                                                                      {"U64", 8},
                                                                                      {"F32", 4},
                                                                                      {"I32", 4},
                                                                                      {"U32", 4},
                                                                                      {"F16", 2},
                                                                                      {"BF16", 2},
                                                                                      {"I16", 2},
                                                                                      {"U16", 2},
                                                                                      {"I8", 1},
                                                                                      {"U8", 1},
                                                                                      {"BOOL", 1},
                                                                                      {"F8_E4M3", 1},
                                                                                      {"F8_E5M2", 1}}) {
    if (type == name) return bytes;
  }
  return 0;
}

template <class T>
T from_little_endian(const char* bytes) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>(value << 8 | static_cast<T>(static_cast<unsigned char>(bytes[i])));
  return value;
}

template <class T>
void append_little_endian(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(value >> 8 * i & 0xFF));
}

bool whole_list(const JsonValue* list) {
  return list != nullptr && list->kind == JsonValue::Kind::kList &&
         std::all_of(list->items.begin(), list->items.end(), [](const JsonValue& item) {
           return item.kind == JsonValue::Kind::kInteger && item.integer >= 0;
         });
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path_, error));
  if (error) throw DataError(cat(path_.string(), ": cannot be read"));
  read_header(size);
}

SafetensorsFile::SafetensorsFile(std::filesystem::path name, std::string content)
    : path_(std::move(name)), content_(std::move(content)) {
  read_header(static_cast<std::int64_t>(content_->size()));
}

std::string SafetensorsFile::read_at(std::int64_t begin, std::int64_t count, const std::string& what) const {
  if (content_) return content_->substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
  std::ifstream file(path_, std::ios::binary);
  std::string out(static_cast<std::size_t>(count), '\0');
  file.seekg(begin);
  if (!file.read(out.data(), count)) throw DataError(cat(path_.string(), ": ", what, " cannot be read"));
  return out;
}

void SafetensorsFile::read_header(std::int64_t size) {
  const std::string name = path_.string();
  if (size < 8) throw DataError(cat(name, ": is too short for safetensors"));
  const auto length = from_little_endian<std::uint64_t>(read_at(0, 8, "the header").data());
  if (length > static_cast<std::uint64_t>(std::min(kLongestHeader, size - 8)))
    throw DataError(
        cat(name, ": the header would have ", length, " bytes; this is no whole safetensors file"));
  const std::string header = read_at(8, static_cast<std::int64_t>(length), "the header");
  JsonValue json;
  try {
    json = parse_json(header, name);
  } catch (const ConfigError& what) {
    throw DataError(cat(name, ": the header is no JSON: ", what.what()));
  }
  if (json.kind != JsonValue::Kind::kObject) throw DataError(cat(name, ": the header is no JSON object"));
  const std::int64_t data = 8 + static_cast<std::int64_t>(length);
  for (const auto& [key, value] : json.members) {
    if (key == "__metadata__") {
      for (const auto& [name_of_text, text] : value.members) metadata_.emplace_back(name_of_text, text.text);
      continue;
    }
    const JsonValue* type = value.find("dtype");
    const JsonValue* shape = value.find("shape");
    const JsonValue* places = value.find("data_offsets");
    if (type == nullptr || !whole_list(shape) || !whole_list(places) || places->items.size() != 2)
      throw DataError(cat(name, ": \"", key, "\" lacks a dtype, a shape or data_offsets"));
    Entry entry{.name = key, .type = type->text, .shape = {}};
    if (shape->items.size() > Shape::kMaxRank)
      throw DataError(
          cat(name, ": \"", key, "\" has ", shape->items.size(), " axes, more than ", Shape::kMaxRank));
    std::int64_t bytes = type_bytes(entry.type);
    if (bytes == 0) throw DataError(cat(name, ": \"", key, "\" has the unknown type \"", entry.type, "\""));
    for (const JsonValue& dim : shape->items) {
      if (dim.integer > 0 && bytes > size / dim.integer)
        throw DataError(cat(name, ": \"", key, "\" is larger than the file"));
      bytes *= dim.integer;
      entry.shape.append(dim.integer);
    }
    const std::int64_t begin = places->items[0].integer, end = places->items[1].integer;
    if (begin > end || end > size - data || end - begin != bytes) {
      throw DataError(cat(name, ": \"", key, "\" lies at bytes ", begin, " to ", end, " of ", size - data,
                          ", and its shape ", to_string(entry.shape), " needs ", bytes));
    }
    entry.begin = data + begin;
    entry.end = data + end;
    entries_.push_back(std::move(entry));
  }
}

std::string SafetensorsFile::metadata(const std::string& key) const {
  for (const auto& [name, text] : metadata_) {
    if (name == key) return text;
  }
  return "";
}

std::optional<std::vector<std::string>> SafetensorsFile::text_list(const std::string& key) const {
  const std::string text = metadata(key);
  if (text.empty()) return std::nullopt;
  const std::string where = cat(path_.string(), ", ", key);
  std::vector<std::string> out;
  try {
    const JsonValue list = parse_json(text, where);
    for (const JsonValue& item : list.items) out.push_back(item.text);
    if (list.kind == JsonValue::Kind::kList &&
        std::all_of(list.items.begin(), list.items.end(),
                    [](const JsonValue& item) { return item.kind == JsonValue::Kind::kText; }))
      return out;
  } catch (const ConfigError&) {
  }
  throw DataError(cat(where, ": is no list of texts"));
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> out;
  for (const Entry& entry : entries_) out.push_back(entry.name);
  return out;
}

const SafetensorsFile::Entry* SafetensorsFile::find(const std::string& name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}
const SafetensorsFile::Entry& SafetensorsFile::get(const std::string& name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) throw DataError(cat(path_.string(), ": has no \"", name, "\""));
  return *entry;
}

Shape SafetensorsFile::shape(const std::string& name) const { return get(name).shape; }

std::string SafetensorsFile::type(const std::string& name) const { return get(name).type; }

std::string SafetensorsFile::read_bytes(const Entry& entry) const {
  return read_at(entry.begin, entry.end - entry.begin, cat("\"", entry.name, "\""));
}

std::vector<float> SafetensorsFile::read_floats(const std::string& name) const {
  const Entry& entry = get(name);
  if (entry.type == "F32") return read_as<float, std::uint32_t>(name, "F32");
  if (entry.type != "F16" && entry.type != "BF16") {
    throw DataError(cat(path_.string(), ": \"", name, "\" is ", entry.type, "; F32, F16 and BF16 are read"));
  }
  const std::string bytes = read_bytes(entry);
  std::vector<float> out(bytes.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto half = from_little_endian<std::uint16_t>(bytes.data() + 2 * i);
    out[i] = entry.type == "F16" ? half_to_float(half)
                                 : std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
  }
  return out;
}

template <class T, class Bits>
std::vector<T> SafetensorsFile::read_as(const std::string& name, const char* wanted) const {
  const Entry& entry = get(name);
  if (entry.type != wanted)
    throw DataError(cat(path_.string(), ": \"", name, "\" is ", entry.type, ", not ", wanted));
  const std::string bytes = read_bytes(entry);
  std::vector<T> out;
  out.reserve(bytes.size() / sizeof(Bits));
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(Bits))
    out.push_back(std::bit_cast<T>(from_little_endian<Bits>(bytes.data() + i)));
  return out;
}

std::vector<double> SafetensorsFile::read_doubles(const std::string& name) const {
  return read_as<double, std::uint64_t>(name, "F64");
}
std::vector<std::int64_t> SafetensorsFile::read_integers(const std::string& name) const {
  return read_as<std::int64_t, std::uint64_t>(name, "I64");
}

std::vector<std::int8_t> SafetensorsFile::read_int8s(const std::string& name) const {
  return read_as<std::int8_t, std::uint8_t>(name, "I8");
}

template <class Bits, class T>
void SafetensorsWriter::put(const std::string& name, const char* type, const Shape& shape,
                            const std::vector<T>& values) {
  SERVAL_CHECK(shape.size() == static_cast<std::int64_t>(values.size()), name, " is ", to_string(shape),
               " with ", values.size(), " values");
  JsonValue entry = JsonValue::object(), dims = JsonValue::list(), places = JsonValue::list();
  for (int axis = 0; axis < shape.rank(); ++axis) dims.items.push_back(JsonValue::of(shape[axis]));
  places.items.push_back(JsonValue::of(static_cast<std::int64_t>(data_.size())));
  for (const T value : values) append_little_endian(data_, std::bit_cast<Bits>(value));
  places.items.push_back(JsonValue::of(static_cast<std::int64_t>(data_.size())));
  entry.set("dtype", JsonValue::of(type));
  entry.set("shape", std::move(dims));
  entry.set("data_offsets", std::move(places));
  entries_.set(name, std::move(entry));
}

void SafetensorsWriter::add(const std::string& name, const Shape& shape, const std::vector<float>& values) {
  put<std::uint32_t>(name, "F32", shape, values);
}
void SafetensorsWriter::add(const std::string& name, const Shape& shape, const std::vector<double>& values) {
  put<std::uint64_t>(name, "F64", shape, values);
}
void SafetensorsWriter::add(const std::string& name, const Shape& shape,
                            const std::vector<std::int64_t>& values) {
  put<std::uint64_t>(name, "I64", shape, values);
}

void SafetensorsWriter::add(const std::string& name, const Shape& shape,
                            const std::vector<std::int8_t>& values) {
  put<std::uint8_t>(name, "I8", shape, values);
}
void SafetensorsWriter::add_half(const std::string& name, const Shape& shape,
                                 const std::vector<float>& values) {
  std::vector<std::uint16_t> halves;
  halves.reserve(values.size());
  for (const float value : values) halves.push_back(float_to_half(value));
  put<std::uint16_t>(name, "F16", shape, halves);
}

std::string SafetensorsWriter::bytes(const std::vector<std::pair<std::string, std::string>>& metadata) const {
  JsonValue header = JsonValue::object();
  if (!metadata.empty()) {
    JsonValue texts = JsonValue::object();
    for (const auto& [key, text] : metadata) texts.set(key, JsonValue::of(text));
    header.set("__metadata__", std::move(texts));
  }
  for (const auto& [name, entry] : entries_.members) header.set(name, entry);
  std::string text = write_json(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string out;
  append_little_endian(out, static_cast<std::uint64_t>(text.size()));
  return out + text + data_;
}

std::string safetensors_bytes(const std::vector<NamedArray>& arrays,
                              const std::vector<std::pair<std::string, std::string>>& metadata) {
  SafetensorsWriter writer;
  for (const NamedArray& array : arrays) writer.add(array.name, array.shape, array.values);
  return writer.bytes(metadata);
}

}  // namespace serval
