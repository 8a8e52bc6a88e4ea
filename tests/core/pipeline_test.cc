#include "serval/core/pipeline.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/error.h"

namespace serval {
namespace {

using Squares = Pipeline<int, long>;

// What a pipeline over [0, count) did.
struct Record {
  std::atomic<int> given{0};
  std::atomic<int> made{0};
  std::vector<long> taken;
};

Squares::Steps squares(Record& record, int count) {
  Squares::Steps steps;
  steps.next = [&record, count]() -> std::optional<int> {
    if (record.given == count) return std::nullopt;
    return record.given++;
  };
  steps.bytes_of = [](const int&) { return 1; };
  steps.make = [&record](const int& unit, int) {
    ++record.made;
    return static_cast<long>(unit) * unit;
  };
  steps.take = [&record](const int& unit, long square) {
    ASSERT_EQ(square, static_cast<long>(unit) * unit);
    record.taken.push_back(square);
  };
  return steps;
}

std::vector<long> first_squares(int count) {
  std::vector<long> out;
  for (long i = 0; i < count; ++i) out.push_back(i * i);
  return out;
}

void nap(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

TEST(Pipeline, TakesEveryUnitInOrderWhateverTheThreadsAndTheBound) {
  for (const int threads : {0, 1, 2, 7}) {
    for (const std::int64_t bytes : {0, 1, 3, 1000}) {
      for (const int count : {0, 1, 2, 500}) {
        Record record;
        Squares::run({threads, bytes}, squares(record, count));
        EXPECT_EQ(record.taken, first_squares(count)) << threads << " " << bytes << " " << count;
      }
    }
  }
}

TEST(Pipeline, HoldsNoMoreThanItsBoundOrOneUnit) {
  constexpr int kCount = 200;
  const auto size_of = [](int unit) { return std::int64_t{1} + unit * 37 % 60; };
  constexpr std::int64_t kBound = 50;  // some units alone are more
  std::atomic<std::int64_t> held{0}, most{0};
  std::atomic<int> units{0};
  std::atomic<bool> crowded{false};
  Record record;
  Squares::Steps steps = squares(record, kCount);
  steps.bytes_of = size_of;
  steps.make = [&](const int& unit, int) {
    const std::int64_t now = held += size_of(unit);
    const bool alone = ++units == 1;
    if (now > kBound && !alone) crowded = true;
    for (std::int64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    return static_cast<long>(unit) * unit;
  };
  steps.take = [&](const int& unit, long square) {
    record.taken.push_back(square);
    held -= size_of(unit);
    --units;
  };
  Squares::run({4, kBound}, steps);
  EXPECT_EQ(record.taken, first_squares(kCount));
  EXPECT_FALSE(crowded);
  EXPECT_GT(most, kBound);  // a large one did go alone
}

TEST(Pipeline, ComputingAndTakingOverlap) {
  // The first unit is taken only once the second is under way: without overlap this would never end.
  Record record;
  Squares::Steps steps = squares(record, 2);
  std::atomic<bool> second_started{false};
  steps.make = [&](const int& unit, int) {
    if (unit == 1) second_started = true;
    return static_cast<long>(unit) * unit;
  };
  steps.take = [&](const int&, long square) {
    while (!second_started) std::this_thread::yield();
    record.taken.push_back(square);
  };
  Squares::run({1, 10}, steps);
  EXPECT_EQ(record.taken, first_squares(2));
}

TEST(Pipeline, AnErrorIsTheFirstInOrderAndAllBeforeItIsTaken) {
  for (const int threads : {0, 1, 3, 8}) {
    Record record;
    Squares::Steps steps = squares(record, 1000);
    const auto good = steps.make;
    steps.make = [&](const int& unit, int worker) {
      if (unit == 40) nap(20);  // the later failures come first in time
      if (unit == 40 || unit == 41 || unit == 44) throw DataError(cat("unit ", unit));
      return good(unit, worker);
    };
    try {
      Squares::run({threads, 100}, steps);
      FAIL() << "no error";
    } catch (const DataError& error) {
      EXPECT_STREQ(error.what(), "unit 40");
    }
    EXPECT_EQ(record.taken, first_squares(40));
    EXPECT_LT(record.made, 1000);
  }
}

TEST(Pipeline, AnErrorOfNextComesInItsTurn) {
  for (const int threads : {0, 1, 4}) {
    Record record;
    Squares::Steps steps = squares(record, 1000);
    const auto next = steps.next;
    steps.next = [&]() -> std::optional<int> {
      if (record.given == 30) throw DataError("no unit 30");
      return next();
    };
    EXPECT_THROW(Squares::run({threads, 100}, steps), DataError);
    EXPECT_EQ(record.taken, first_squares(30)) << threads;
  }
}

TEST(Pipeline, AnErrorOfTheTakerEndsIt) {
  for (const int threads : {0, 1, 4}) {
    Record record;
    Squares::Steps steps = squares(record, 1000);
    const auto take = steps.take;
    steps.take = [&](const int& unit, long square) {
      if (unit == 17) throw DiskError("full");
      take(unit, square);
    };
    EXPECT_THROW(Squares::run({threads, 100}, steps), DiskError);
    EXPECT_EQ(record.taken, first_squares(17)) << threads;
    EXPECT_LT(record.made, 1000);
  }
}

TEST(Pipeline, AnInterruptionEndsItBetweenUnits) {
  for (const int threads : {0, 1, 4}) {
    Record record;
    Squares::Steps steps = squares(record, 1000);
    const auto take = steps.take;
    steps.take = [&](const int& unit, long square) {
      take(unit, square);
      if (unit == 9) request_interrupt(true);
    };
    EXPECT_THROW(Squares::run({threads, 100}, steps), InterruptedError);
    request_interrupt(false);
    EXPECT_GE(record.taken.size(), 10u);
    EXPECT_LT(record.taken.size(), 1000u);
    EXPECT_EQ(record.taken, first_squares(static_cast<int>(record.taken.size())));
  }
}

TEST(Pipeline, EachWorkerHasANumberOfItsOwn) {
  Record record;
  Squares::Steps steps = squares(record, 300);
  std::vector<std::atomic<int>> busy(3);
  const auto make = steps.make;
  steps.make = [&](const int& unit, int worker) {
    EXPECT_EQ(busy.at(static_cast<std::size_t>(worker)).fetch_add(1), 0);
    const long result = make(unit, worker);
    --busy[static_cast<std::size_t>(worker)];
    return result;
  };
  Squares::run({3, 100}, steps);
  EXPECT_EQ(record.taken, first_squares(300));
}

}  // namespace
}  // namespace serval
