#include "protobuf.h"

#include <bit>

namespace serval::deploy::onnx {

namespace {

constexpr unsigned kVarint = 0, kBytes = 2, kFourBytes = 5;

template <class Bits>
void append_little(std::string& to, Bits bits) {
  for (std::size_t i = 0; i < sizeof(Bits); ++i) to.push_back(static_cast<char>(bits >> (8 * i) & 0xFF));
}

}  // namespace

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value & 0x7F | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void Message::key(int field, unsigned kind) { varint(static_cast<std::uint64_t>(field) << 3 | kind); }

void Message::integer(int field, std::int64_t value) {
  key(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void Message::real(int field, float value) {
  key(field, kFourBytes);
  append_little(bytes_, std::bit_cast<std::uint32_t>(value));
}

void Message::bytes(int field, std::string_view value) {
  key(field, kBytes);
  varint(value.size());
  bytes_.append(value);
}

void Message::packed(int field, const std::vector<std::int64_t>& values) {
  Message inner;
  for (const std::int64_t value : values) inner.varint(static_cast<std::uint64_t>(value));
  message(field, inner);
}

void Message::packed(int field, const std::vector<float>& values) { bytes(field, raw_bytes(values)); }

std::string raw_bytes(const std::vector<float>& values) {
  std::string out;
  out.reserve(values.size() * sizeof(float));
  for (const float value : values) append_little(out, std::bit_cast<std::uint32_t>(value));
  return out;
}

std::string raw_bytes(const std::vector<std::int64_t>& values) {
  std::string out;
  out.reserve(values.size() * sizeof(std::int64_t));
  for (const std::int64_t value : values) append_little(out, static_cast<std::uint64_t>(value));
  return out;
}

}  // namespace serval::deploy::onnx
