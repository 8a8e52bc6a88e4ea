#include "src/train/memory_gate.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/context.h"

namespace serval::train {
namespace {

// Models of so many floats that all want in; gives how many were inside at a time, at most.
int most_inside(std::int64_t budget_bytes, std::int64_t floats, int models) {
  MemoryGate gate(budget_bytes, 0);
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < models; ++i) {
    threads.emplace_back([&] {
      MemoryGate::Place place(gate);
      const auto model =
          gate.admit(place, "m", [&] { return std::make_unique<Tensor>(Device{}, Shape{floats}); });
      const int now = ++inside;
      int before = most;
      while (before < now && !most.compare_exchange_weak(before, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      --inside;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return most;
}

TEST(MemoryGate, AsManyAsFit) {
  EXPECT_EQ(most_inside(4000, 1000, 5), 1);
  EXPECT_LE(most_inside(8100, 1000, 6), 2);
}

TEST(MemoryGate, TwoThatFitAreInsideTogether) {
  MemoryGate gate(8000, 0);
  const auto make = [] { return std::make_unique<Tensor>(Device{}, Shape{1000}); };
  MemoryGate::Place one(gate), other(gate);
  const auto first = gate.admit(one, "m", make);
  std::atomic<bool> let_in = false;
  std::thread second([&] {
    const auto model = gate.admit(other, "m", make);
    let_in = true;
  });
  second.join();  // would wait for the first for ever
  EXPECT_TRUE(let_in);
}

TEST(MemoryGate, OneThatIsLargerThanAllMayTryAlone) { EXPECT_EQ(most_inside(100, 1000, 3), 1); }

TEST(MemoryGate, WhoFindsNoRoomWaitsForAnotherToEnd) {
  MemoryGate gate(1 << 20, 0);
  std::atomic<bool> full = true;
  std::atomic<int> tries = 0;
  auto first = std::make_unique<MemoryGate::Place>(gate);
  gate.admit(*first, "m", [] { return std::make_unique<Tensor>(Device{}, Shape{10}); });
  std::thread second([&] {
    MemoryGate::Place place(gate);
    gate.admit(place, "m", [&] {
      const bool now = full;  // asked before others see the try
      ++tries;
      if (now) throw OutOfMemoryError("full");
      return std::make_unique<Tensor>(Device{}, Shape{10});
    });
  });
  while (tries == 0) std::this_thread::yield();
  full = false;
  first.reset();
  second.join();
  EXPECT_EQ(tries, 2);
}

// What a cohort takes for the budget.
TEST(MemoryGate, AMachineThatRunsThisHasMemoryFree) { EXPECT_GT(free_memory_bytes(Device{}), 1 << 20); }

TEST(MemoryGate, WhoFindsNoRoomAloneSaysSo) {
  MemoryGate gate(1 << 20, 0);
  MemoryGate::Place place(gate);
  EXPECT_THROW(gate.admit(place, "m", []() -> int { throw OutOfMemoryError("full"); }), OutOfMemoryError);
  // And leaves the way free for others.
  MemoryGate::Place other(gate);
  EXPECT_EQ(gate.admit(other, "n", [] { return 7; }), 7);
}

}  // namespace
}  // namespace serval::train
