#include "serval/core/parallel.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

namespace serval {
namespace {

// New threads ask for this much stack while it lives. No address space has room for the largest.
class DefaultStack {
 public:
  explicit DefaultStack(std::size_t bytes) {
    pthread_getattr_default_np(&old_);
    pthread_attr_t wanted;
    pthread_attr_init(&wanted);
    pthread_attr_setstacksize(&wanted, bytes);
    pthread_setattr_default_np(&wanted);
    pthread_attr_destroy(&wanted);
  }
  DefaultStack(const DefaultStack&) = delete;
  DefaultStack& operator=(const DefaultStack&) = delete;
  ~DefaultStack() {
    pthread_setattr_default_np(&old_);
    pthread_attr_destroy(&old_);
  }

 private:
  pthread_attr_t old_;
};

std::vector<int> calls_of(std::size_t count, int threads) {
  std::vector<std::atomic<int>> calls(count);
  parallel_for(count, threads, [&](std::size_t i) { ++calls[i]; });
  return {calls.begin(), calls.end()};
}

TEST(ParallelFor, CallsEachItemOnce) {
  for (const int threads : {0, 1, 2, 9}) {
    EXPECT_EQ(calls_of(1000, threads), std::vector<int>(1000, 1)) << threads;
    EXPECT_TRUE(calls_of(0, threads).empty());
  }
}

TEST(ParallelFor, WorksAloneWhereTheSystemGivesNoThread) {
  const DefaultStack none(std::size_t{1} << 47);
  ASSERT_THROW(std::thread([] {}).join(), std::system_error);
  EXPECT_EQ(calls_of(100, 4), std::vector<int>(100, 1));
}

TEST(ParallelFor, TheFirstExceptionEndsIt) {
  std::atomic<int> calls{0};
  const auto fail_at_three = [&](std::size_t i) {
    ++calls;
    if (i == 3) throw std::runtime_error("three");
  };
  EXPECT_THROW(parallel_for(1 << 20, 3, fail_at_three), std::runtime_error);
  EXPECT_LT(calls, 1 << 20);
}

TEST(HardwareThreads, AreWithinWhatTheMachineHas) {
  EXPECT_GE(hardware_threads(), 1);
  EXPECT_LE(hardware_threads(), static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace serval
