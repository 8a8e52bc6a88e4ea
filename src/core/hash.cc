#include "serval/core/hash.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "serval/core/error.h"

namespace serval {

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() { XXH3_128bits_reset(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::bytes(const void* data, std::size_t size) {
  XXH3_128bits_update(state_->xxh, data, size);
  return *this;
}

Hasher& Hasher::text(std::string_view value) {
  integer(static_cast<std::int64_t>(value.size()));
  return bytes(value.data(), value.size());
}

Hasher& Hasher::integer(std::int64_t value) {
  std::array<unsigned char, 8> little{};
  for (std::size_t i = 0; i < little.size(); ++i) {
    little[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  return bytes(little.data(), little.size());
}

std::string Hasher::hex() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(state_->xxh);
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(digest.high64),
                static_cast<unsigned long long>(digest.low64));
  return text.data();
}

std::string hash_file(const std::string& path) {
  struct Descriptor {
    int fd;
    ~Descriptor() {
      if (fd >= 0) ::close(fd);
    }
  };
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) throw DataError(cat(path, ": cannot be read"));
  // One buffer a thread: a corpus of many short files would spend its time on making them.
  thread_local std::vector<char> block(1 << 18);
  Hasher hasher;
  while (true) {
    const ssize_t count = ::read(file.fd, block.data(), block.size());
    if (count == 0) return hasher.hex();
    if (count > 0) {
      hasher.bytes(block.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw DataError(cat(path, ": reading failed"));
    }
  }
}

}  // namespace serval
