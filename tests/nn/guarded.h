// For tests of kernels on the host: buffers with marked memory around them, so that a write outside is seen,
// and the launches that each kernel goes through.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/philox.h"
#include "serval/core/tensor.h"

#include "tests/support/host_gpu.h"

namespace serval::testing_support {

template <class T>
class Guarded {
 public:
  explicit Guarded(std::vector<T> values)
      : count_(values.size()), memory_(values.size() + 2 * kGuard, mark()) {
    std::copy(values.begin(), values.end(), memory_.begin() + kGuard);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() {
    for (std::size_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(memory_[i], mark()) << "written " << kGuard - i << " before the buffer";
      EXPECT_EQ(memory_[kGuard + count_ + i], mark()) << "written " << i << " behind the buffer";
    }
  }

  T* data() { return memory_.data() + kGuard; }
  View<T> view() { return {data(), Shape{static_cast<std::int64_t>(count_)}, DeviceKind::kCpu}; }
  std::vector<T> values() const {
    return {memory_.begin() + kGuard, memory_.begin() + static_cast<std::ptrdiff_t>(kGuard + count_)};
  }

 private:
  static constexpr std::size_t kGuard = 64;
  static T mark() { return static_cast<T>(-77770000 - 123); }

  std::size_t count_;
  std::vector<T> memory_;
};

// Several block sizes, and several orders in which the threads of a block run.
inline void for_each_launch(const std::function<void(int threads)>& body) {
  using host_gpu::Order;
  constexpr std::pair<int, Order> kLaunches[] = {{32, Order::kForward},      {96, Order::kEvenThenOdd},
                                                 {256, Order::kForward},     {256, Order::kReverse},
                                                 {256, Order::kEvenThenOdd}, {1024, Order::kReverse}};
  for (const auto& [threads, order] : kLaunches) {
    const host_gpu::OrderScope scope(order);
    SCOPED_TRACE(cat(threads, " threads, order ", static_cast<int>(order)));
    body(threads);
  }
}

// Uniform in [-1, 1), different for each `user`.
inline std::vector<float> random_values(std::int64_t count, std::uint32_t user) {
  const RandomStream random{.seed = 20, .layer = user};
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 2 * random.uniform(i) - 1;
  return values;
}

}  // namespace serval::testing_support
