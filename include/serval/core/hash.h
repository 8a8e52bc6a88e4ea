// Content keys: XXH3, 128 bits. For identity of content, not for security.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace serval {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& bytes(const void* data, std::size_t size);
  Hasher& text(std::string_view value);  // length-prefixed, so that ("ab","c") differs from ("a","bc")
  Hasher& integer(std::int64_t value);
  std::string hex() const;  // 32 lower-case hexadecimal digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hash_file(const std::string& path);  // throws DataError when the file cannot be read

}  // namespace serval
