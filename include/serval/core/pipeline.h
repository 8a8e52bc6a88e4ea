// Computing on several threads and one thread that takes the results in order, with a bounded queue between.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "serval/core/interrupt.h"

namespace serval {

struct PipelineBounds {
  int threads = 1;         // that compute; the caller's own thread takes results beside them
  std::int64_t bytes = 0;  // of all units from their start until they were taken
};

// Units come from next(), in order and one caller at a time, until it gives none. make(unit, worker) computes
// one on thread `worker` of [0, threads); take(unit, result) gets each result on the calling thread, in the
// units' order. A unit starts once its bytes_of(unit) fit into the bound beside those under way, or when it is
// alone: memory is the bound or one unit, whichever is more.
//
// When next() or make() throws, no further unit is started, every unit before the failed one is taken, and the
// error is rethrown: the first in the units' order, whatever the number of threads. When take() throws, the
// units under way end and nothing more is taken. InterruptedError is thrown between units, likewise.
// Where the system gives fewer threads, those it gives do the work.
template <class Unit, class Result>
class Pipeline {
 public:
  struct Steps {
    std::function<std::optional<Unit>()> next;
    std::function<std::int64_t(const Unit&)> bytes_of;
    std::function<Result(const Unit&, int worker)> make;
    std::function<void(const Unit&, Result)> take;
  };

  static void run(const PipelineBounds& bounds, const Steps& steps) {
    Pipeline pipeline(bounds, steps);
    pipeline.start();
    if (pipeline.pool_.empty()) {
      pipeline.alone();
    } else {
      pipeline.take_all();
    }
  }

 private:
  struct Slot {
    std::optional<Unit> unit;
    std::int64_t bytes = 0;
    std::optional<Result> result;
    std::exception_ptr failure;
    bool done = false;
  };

  Pipeline(const PipelineBounds& bounds, const Steps& steps) : bounds_(bounds), steps_(steps) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : pool_) thread.join();
  }

  void start() {
    try {
      for (int worker = 0; worker < bounds_.threads; ++worker)
        pool_.emplace_back([this, worker] { work(worker); });
    } catch (const std::system_error&) {
      // Those that run do all the units; with none, the caller does.
    }
  }

  void alone() {
    while (std::optional<Unit> unit = steps_.next()) {
      check_interrupted();
      steps_.take(*unit, steps_.make(*unit, 0));
    }
  }

  // The next unit as a slot in the queue, once there is room for it; null when there are no more.
  std::shared_ptr<Slot> claim() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      if (!waiting_) {
        waiting_ = std::make_shared<Slot>();
        try {
          waiting_->unit = steps_.next();
          if (waiting_->unit) waiting_->bytes = steps_.bytes_of(*waiting_->unit);
        } catch (...) {
          waiting_->failure = std::current_exception();
          waiting_->done = true;
          queue_.push_back(waiting_);
        }
        if (!waiting_->unit || waiting_->failure) {
          ended_ = true;
          break;
        }
      }
      if (queue_.empty() || bytes_ + waiting_->bytes <= bounds_.bytes) {
        bytes_ += waiting_->bytes;
        queue_.push_back(waiting_);
        return std::exchange(waiting_, nullptr);
      }
      room_.wait(lock);
    }
    lock.unlock();
    finished_.notify_one();
    room_.notify_all();
    return nullptr;
  }

  void work(int worker) {
    while (const std::shared_ptr<Slot> slot = claim()) {
      try {
        check_interrupted();
        slot->result.emplace(steps_.make(*slot->unit, worker));
      } catch (...) {
        slot->failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        slot->done = true;
        if (slot->failure) ended_ = true;
      }
      finished_.notify_one();
    }
  }

  void take_all() {
    std::unique_lock lock(mutex_);
    while (true) {
      finished_.wait(lock, [&] { return queue_.empty() ? ended_ : queue_.front()->done; });
      if (queue_.empty()) return;
      const std::shared_ptr<Slot> slot = queue_.front();
      lock.unlock();
      if (slot->failure) std::rethrow_exception(slot->failure);
      steps_.take(*slot->unit, std::move(*slot->result));
      slot->result.reset();
      lock.lock();
      queue_.pop_front();
      bytes_ -= slot->bytes;
      room_.notify_all();
    }
  }

  const PipelineBounds bounds_;
  const Steps& steps_;
  std::mutex mutex_;
  std::condition_variable room_;      // for workers: a unit was taken, or all has ended
  std::condition_variable finished_;  // for the taker: a unit is done, or all has ended
  std::shared_ptr<Slot> waiting_;     // given by next(), not yet started for want of room
  std::deque<std::shared_ptr<Slot>> queue_;
  std::int64_t bytes_ = 0;
  bool ended_ = false;  // no further unit is started
  std::vector<std::thread> pool_;
};

}  // namespace serval
