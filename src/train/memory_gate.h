// Lets models into memory: as many at a time as fit.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "serval/core/error.h"
#include "serval/core/tensor.h"

namespace serval::train {

class MemoryGate {
 public:
  // Beside what a model allocates itself, each takes `overhead_bytes` (handles of libraries, their modules).
  MemoryGate(std::int64_t budget_bytes, std::int64_t overhead_bytes)
      : budget_(budget_bytes), overhead_(overhead_bytes) {}

  // A model inside. Its place is free again when this ends, which must be after the model itself has ended.
  class Place {
   public:
    explicit Place(MemoryGate& gate) : gate_(gate) {}
    ~Place() { gate_.leave(bytes_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class MemoryGate;
    MemoryGate& gate_;
    std::int64_t bytes_ = 0;
  };

  // Calls make() when there is room for another model of this kind: the first one tells how large they are. Models are made
  // one at a time. One that does not fit after all waits until another has ended; OutOfMemoryError where there is none.
  template <class Make>
  auto admit(Place& place, const std::string& kind, const Make& make) {
    const std::lock_guard making(making_);
    std::unique_lock lock(mutex_);
    for (;;) {
      std::int64_t& known = known_[kind];
      left_.wait(lock, [&] { return inside_ == 0 || used_ + std::max<std::int64_t>(known, 1) <= budget_; });
      const bool alone = inside_ == 0;
      const std::int64_t ended = ended_;
      lock.unlock();
      const std::int64_t before = thread_buffer_bytes();
      try {
        auto model = make();
        const std::int64_t bytes = thread_buffer_bytes() - before + overhead_;
        lock.lock();
        known = std::max(known, bytes);
        place.bytes_ = bytes;
        used_ += bytes;
        ++inside_;
        return model;
      } catch (const OutOfMemoryError&) {
        if (alone) throw;
      }
      lock.lock();
      left_.wait(lock, [&] { return ended_ > ended; });
    }
  }

 private:
  void leave(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes == 0) return;
    used_ -= bytes;
    --inside_;
    ++ended_;
    left_.notify_all();
  }

  const std::int64_t budget_, overhead_;
  std::mutex making_;  // held while a model waits for room and is made
  std::mutex mutex_;   // of what follows
  std::condition_variable left_;
  std::int64_t used_ = 0;
  std::int64_t ended_ = 0;
  int inside_ = 0;
  std::map<std::string, std::int64_t> known_;  // bytes of a model, by kind
};

}  // namespace serval::train
