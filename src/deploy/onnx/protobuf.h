// Messages in Protocol Buffers' wire format: fields, each a key (number << 3 | kind) and its value. Kinds: 0 varint, 2 bytes
// with their length before them, 5 four bytes. Numbers of fields are those of the message's .proto file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace serval::deploy::onnx {

class Message {
 public:
  void integer(int field, std::int64_t value);  // int32, int64, enum: a negative one takes ten bytes
  void real(int field, float value);
  void bytes(int field, std::string_view value);
  void message(int field, const Message& value) { bytes(field, value.bytes_); }
  void packed(int field, const std::vector<std::int64_t>& values);
  void packed(int field, const std::vector<float>& values);

  const std::string& str() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void key(int field, unsigned kind);
  std::string bytes_;
};

// Little-endian, whatever the machine.
std::string raw_bytes(const std::vector<float>& values);
std::string raw_bytes(const std::vector<std::int64_t>& values);

}  // namespace serval::deploy::onnx
