#include "serval/core/tensor.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <sys/mman.h>

namespace serval {

const char* to_string(DeviceKind kind) { return kind == DeviceKind::kCpu ? "cpu" : "cuda"; }

std::string to_string(const Device& device) {
  return device.kind == DeviceKind::kCpu ? "cpu" : cat("cuda:", device.index);
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (int axis = 0; axis < shape.rank(); ++axis) out += cat(axis > 0 ? ", " : "", shape[axis]);
  return out + "]";
}

namespace {

constexpr std::size_t kAlignment = 64;  // one cache line, one AVX-512 register

// Asks for large pages in the inside of [start, end), where the system has them and gives them for the asking: what a
// network goes through in each step then takes fewer look-ups of addresses.
void advise_large_pages([[maybe_unused]] std::uintptr_t start, [[maybe_unused]] std::uintptr_t end) {
#if defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kLargePage = std::uintptr_t{2} << 20;
  if (end - start < 2 * kLargePage) return;
  const std::uintptr_t first = (start + kLargePage - 1) / kLargePage * kLargePage;
  madvise(reinterpret_cast<void*>(first), end / kLargePage * kLargePage - first, MADV_HUGEPAGE);
#endif
}

// From calloc, which knows that fresh pages are zero and does not touch them. What it gave stands in front of the
// data: it is aligned for a pointer at least, so there is room.
void* cpu_allocate(Device, std::size_t bytes) {
  const std::size_t lines = bytes / kAlignment + 2;
  void* const block = std::calloc(lines, kAlignment);
  if (block == nullptr) throw OutOfMemoryError(cat("out of memory: ", bytes, " bytes on cpu"));
  const auto start = reinterpret_cast<std::uintptr_t>(block);
  advise_large_pages(start, start + lines * kAlignment);
  auto* const data = static_cast<unsigned char*>(block) + (kAlignment - start % kAlignment);
  reinterpret_cast<void**>(data)[-1] = block;
  return data;
}

void cpu_release(Device, void* data) noexcept { std::free(static_cast<void**>(data)[-1]); }

void cpu_copy(void* to, Device, const void* from, Device, std::size_t bytes) { std::memcpy(to, from, bytes); }

// Written once, before any work starts, by op_registry (core/context.h); read-only afterwards.
MemoryBackend& backend_slot(DeviceKind kind) {
  static MemoryBackend cpu{cpu_allocate, cpu_release, cpu_copy};
  static MemoryBackend cuda{nullptr, nullptr, nullptr};
  return kind == DeviceKind::kCpu ? cpu : cuda;
}

const MemoryBackend& backend_of(DeviceKind kind) {
  const MemoryBackend& backend = backend_slot(kind);
  if (backend.allocate == nullptr) {
    throw UnsupportedError(cat("device ", to_string(kind), " is not part of this build of Serval"));
  }
  return backend;
}

thread_local std::int64_t buffer_bytes = 0;

}  // namespace

void install_memory_backend(DeviceKind kind, const MemoryBackend& backend) { backend_slot(kind) = backend; }

Buffer::Buffer(Device device, std::size_t bytes) : device_(device), bytes_(bytes) {
  if (bytes == 0) return;
  data_ = backend_of(device.kind).allocate(device, bytes);
  buffer_bytes += static_cast<std::int64_t>(bytes);
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  backend_slot(device_.kind).release(device_, data_);
  buffer_bytes -= static_cast<std::int64_t>(bytes_);
}

std::int64_t thread_buffer_bytes() { return buffer_bytes; }

void Buffer::swap(Buffer& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
}

void copy_bytes(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) {
  if (bytes == 0) return;
  const bool on_cuda = to_device.kind == DeviceKind::kCuda || from_device.kind == DeviceKind::kCuda;
  backend_of(on_cuda ? DeviceKind::kCuda : DeviceKind::kCpu).copy(to, to_device, from, from_device, bytes);
}

}  // namespace serval
