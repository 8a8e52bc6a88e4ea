// A GPU made of the host, for tests: the names that kernels use (see cuda/core/kernel.cuh), and launch().
//
// Blocks run one after another and a block's threads as fibers, so a launch is finished when it returns.
// Reported as KernelError: barriers that part of a block reaches, warp operations that lanes of the mask do
// not reach, shuffles from lanes outside the mask, writes just behind dynamic shared memory, launches larger
// than a GPU takes. Shared memory starts as garbage (NaN). A missing barrier shows as a result that changes
// with the order of threads: run the kernel under each OrderScope.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/support/host_gpu_block.h"

// CUDA's words for the compiler mean nothing here.
#define __launch_bounds__(...)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_size = 1, unsigned y_size = 1,
                 unsigned z_size = 1)  // NOLINT: as CUDA's, implicit
      : x(x_size), y(y_size), z(z_size) {}
};
struct uint3 {
  unsigned x = 0, y = 0, z = 0;
};
struct float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline thread_local uint3 threadIdx;
inline thread_local uint3 blockIdx;
inline thread_local dim3 blockDim;
inline thread_local dim3 gridDim;

namespace serval::host_gpu {

// Where static shared memory of one declaration lies in the block that runs.
struct SharedSlot {
  std::uint64_t block = 0;
  void* data = nullptr;
};
template <class T>
T* shared_array(SharedSlot& slot, std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  return static_cast<T*>(Block::current().static_shared(slot.block, slot.data, count * sizeof(T)));
}
template <class T>
T* dynamic_shared() {
  return static_cast<T*>(Block::current().dynamic_shared());
}

inline Order& order() {
  static thread_local Order value = Order::kForward;
  return value;
}
// Runs the launches of a scope with the threads of a block in another order.
class OrderScope {
 public:
  explicit OrderScope(Order value) : before_(order()) { order() = value; }
  ~OrderScope() { order() = before_; }
  OrderScope(const OrderScope&) = delete;
  OrderScope& operator=(const OrderScope&) = delete;

 private:
  Order before_;
};

inline void check_launch(const dim3& grid, const dim3& block, std::size_t shared_bytes) {
  const std::uint64_t threads = static_cast<std::uint64_t>(block.x) * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || grid.x > 0x7FFFFFFFu || grid.y > 65535 ||
      grid.z > 65535 || shared_bytes > kMaxSharedBytes) {
    throw KernelError(cat("invalid launch: grid ", grid.x, "x", grid.y, "x", grid.z, ", block ", block.x, "x",
                          block.y, "x", block.z, ", ", shared_bytes, " bytes of shared memory"));
  }
}

// Stands where a CUDA build has a stream; only ever null.
struct NoStream;

// As serval::cuda::launch of the CUDA build.
template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared_bytes, NoStream*,
            Args&&... args) {
  static_assert((!std::is_reference_v<Params> && ...), "kernel arguments are values");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  check_launch(grid, block, shared_bytes);
  static thread_local Block runner;
  const std::tuple<Params...> values(std::forward<Args>(args)...);
  gridDim = grid;
  blockDim = block;
  const std::function<void(unsigned)> enter = [&](unsigned t) {
    threadIdx = {t % block.x, t / block.x % block.y, t / (block.x * block.y)};
  };
  const std::function<void()> body = [&] { std::apply(kernel, values); };
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        runner.run(block.x * block.y * block.z, shared_bytes, order(), cat("block ", x, ",", y, ",", z),
                   enter, body);
      }
    }
  }
}

template <class T>
std::uint64_t to_bits(T value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
// `source` is a lane of this thread's group of `width` lanes; outside the group the thread keeps its own
// value.
template <class T>
T shuffle(unsigned mask, T value, int source, int width, bool wrap, std::source_location where) {
  Block& block = Block::current();
  const int lane = static_cast<int>(block.running() % kLanes);
  const int group = lane / width * width;
  if (wrap) source = source & (width - 1);
  const int from = source >= 0 && source < width ? group + source : lane;
  return from_bits<T>(block.warp(mask, to_bits(value), static_cast<unsigned>(from), false, where));
}
inline unsigned ballot(unsigned mask, bool set, std::source_location where) {
  return static_cast<unsigned>(Block::current().warp(mask, set ? 1 : 0, 0, true, where));
}
// The lanes of this thread's warp that exist.
inline unsigned existing_lanes() {
  const Block& block = Block::current();
  const unsigned first = block.running() / kLanes * kLanes;
  const unsigned count = block.threads() - first;
  return count >= kLanes ? 0xFFFFFFFFu : (1u << count) - 1;
}

}  // namespace serval::host_gpu

inline void __syncthreads(std::source_location where = std::source_location::current()) {
  serval::host_gpu::Block::current().barrier(where);
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu,
                       std::source_location where = std::source_location::current()) {
  serval::host_gpu::ballot(mask, true, where);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32,
              std::source_location where = std::source_location::current()) {
  return serval::host_gpu::shuffle(mask, value, lane, width, true, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 std::source_location where = std::source_location::current()) {
  const int in_group = static_cast<int>(serval::host_gpu::Block::current().running() % 32) % width;
  return serval::host_gpu::shuffle(mask, value, in_group - static_cast<int>(delta), width, false, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   std::source_location where = std::source_location::current()) {
  const int in_group = static_cast<int>(serval::host_gpu::Block::current().running() % 32) % width;
  return serval::host_gpu::shuffle(mask, value, in_group + static_cast<int>(delta), width, false, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  std::source_location where = std::source_location::current()) {
  const int in_group = static_cast<int>(serval::host_gpu::Block::current().running() % 32) % width;
  return serval::host_gpu::shuffle(mask, value, in_group ^ lanes, width, false, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              std::source_location where = std::source_location::current()) {
  return serval::host_gpu::ballot(mask, predicate != 0, where);
}
inline int __any_sync(unsigned mask, int predicate,
                      std::source_location where = std::source_location::current()) {
  return serval::host_gpu::ballot(mask, predicate != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      std::source_location where = std::source_location::current()) {
  const unsigned lanes = mask & serval::host_gpu::existing_lanes();
  return serval::host_gpu::ballot(mask, predicate != 0, where) == lanes;
}

// Fibers switch at barriers alone, so plain reads and writes are atomic.
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return std::exchange(*address, static_cast<T>(*address + value));
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return std::exchange(*address, value);
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "a GPU has no atomicMax on floating point");
  return std::exchange(*address, *address < value ? value : *address);
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "a GPU has no atomicMin on floating point");
  return std::exchange(*address, value < *address ? value : *address);
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  const T old = *address;
  if (old == expected) *address = value;
  return old;
}

// Blocks run one after another, so every write is visible to whoever comes later.
inline void __threadfence() {}

template <class T>
T __ldg(const T* address) {
  return *address;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
