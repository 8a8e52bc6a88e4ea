#include "serval/core/tensor.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include <gtest/gtest.h>

namespace serval {
namespace {

// Each size twice, the second time perhaps in memory that the first has written to.
TEST(Buffer, IsZeroAndAligned) {
  for (const std::size_t bytes : {1, 4, 63, 64, 65, 4000, 4096, 200000, (1 << 20) + 4, 5 << 20}) {
    for (int again = 0; again < 2; ++again) {
      const Buffer buffer(Device{}, bytes);
      auto* data = static_cast<unsigned char*>(buffer.data());
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u) << bytes;
      EXPECT_EQ(std::count(data, data + bytes, 0), static_cast<std::ptrdiff_t>(bytes));
      std::memset(data, 0xff, bytes);
    }
  }
}

TEST(Buffer, CountsForItsThreadUntilItGoes) {
  const std::int64_t before = thread_buffer_bytes();
  {
    Buffer first(Device{}, 100);
    const Buffer second(std::move(first));
    EXPECT_EQ(thread_buffer_bytes(), before + 100);
    EXPECT_EQ(first.data(), nullptr);
  }
  EXPECT_EQ(thread_buffer_bytes(), before);
}

}  // namespace
}  // namespace serval
