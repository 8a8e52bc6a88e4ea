// Runs one block of a kernel on the host: every thread is a fiber (ucontext), switched only at barriers and
// warp operations, so a run is sequential and repeatable. See tests/support/host_gpu.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>

#include "serval/core/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace serval::host_gpu {

// A kernel broke a rule that a GPU would punish with a hang or with garbage.
struct KernelError : std::logic_error {
  using std::logic_error::logic_error;
};

// In which order the threads of a block run between barriers. A correct kernel gives the same result in each;
// one that lacks a barrier usually does not.
enum class Order { kForward, kReverse, kEvenThenOdd };

constexpr unsigned kLanes = 32;
constexpr std::size_t kMaxSharedBytes = 227 * 1024;  // of a block, sm_90
constexpr std::size_t kMaxStaticSharedBytes = 48 * 1024;

// What a fiber waits for, and where in the source.
struct Wait {
  enum class Kind { kNone, kBarrier, kWarp, kEnded };
  Kind kind = Kind::kNone;
  std::source_location where;
  unsigned mask = 0;
  std::uint64_t value = 0;   // what the lane hands in
  unsigned source_lane = 0;  // the lane whose value it gets
  std::uint64_t* result = nullptr;
  bool ballot = false;  // the result is the set of lanes whose value is not zero
};

// A stack and a saved place of execution, used again for block after block.
struct Fiber {
  static constexpr std::size_t kStackBytes = 256 * 1024;

  Fiber() {
    stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (stack == MAP_FAILED) throw std::bad_alloc();
#if defined(__SANITIZE_THREAD__)
    sanitizer_fiber = __tsan_create_fiber(0);
#endif
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() {
    munmap(stack, kStackBytes);
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(sanitizer_fiber);
#endif
  }

  void* stack = nullptr;
  ucontext_t context{};
  Wait wait;
  bool runnable = false;
  void* sanitizer_stack = nullptr;  // AddressSanitizer's shadow of this stack
  void* sanitizer_fiber = nullptr;  // ThreadSanitizer's handle
};

// The block that runs now on this host thread.
class Block {
 public:
  // `enter(t)` sets the index variables for thread t; `body` is the kernel call.
  void run(unsigned threads, std::size_t shared_bytes, Order order, const std::string& name,
           const std::function<void(unsigned)>& enter, const std::function<void()>& body) {
    prepare(threads, shared_bytes, name);
    enter_ = &enter;
    body_ = &body;
    current_block() = this;
    bool progress = true;
    while (progress) {
      progress = false;
      for (unsigned i = 0; i < threads; ++i) {
        const unsigned t = in_order(i, order);
        if (!fibers_[t]->runnable) continue;
        progress = true;
        resume(t);
      }
    }
    current_block() = nullptr;
    if (failure_) {
      const std::exception_ptr failure = failure_;
      fibers_.clear();
      std::rethrow_exception(failure);
    }
    if (ended_ != threads_) {
      const std::string report = divergence();
      fibers_.clear();  // the stuck ones are not resumed again
      throw KernelError(report);
    }
    check_guard();
  }

  void barrier(std::source_location where) {
    Wait wait;
    wait.kind = Wait::Kind::kBarrier;
    wait.where = where;
    arrive(wait);
  }

  std::uint64_t warp(unsigned mask, std::uint64_t value, unsigned source_lane, bool ballot,
                     std::source_location where) {
    std::uint64_t result = 0;
    Wait wait;
    wait.kind = Wait::Kind::kWarp;
    wait.where = where;
    wait.mask = mask;
    wait.value = value;
    wait.source_lane = source_lane;
    wait.result = &result;
    wait.ballot = ballot;
    if ((mask >> (running_ % kLanes) & 1) == 0) {
      throw KernelError(cat(name_, ": thread ", running_, " is not in its own mask at ", place(where)));
    }
    arrive(wait);
    return result;
  }

  unsigned running() const { return running_; }
  unsigned threads() const { return threads_; }
  void* dynamic_shared() { return dynamic_.get(); }

  // Static shared memory: the same address for every thread of a block.
  void* static_shared(std::uint64_t& slot_block, void*& slot_data, std::size_t bytes) {
    if (slot_block == serial_) return slot_data;
    static_bytes_ += bytes;
    if (static_bytes_ > kMaxStaticSharedBytes) {
      throw KernelError(
          cat(name_, ": ", static_bytes_, " bytes of static shared memory; at most ", kMaxStaticSharedBytes));
    }
    static_.push_back(std::make_unique<std::byte[]>(bytes));
    std::memset(static_.back().get(), kGarbage, bytes);
    slot_block = serial_;
    slot_data = static_.back().get();
    return slot_data;
  }

  static Block*& current_block() {
    static thread_local Block* block = nullptr;
    return block;
  }
  static Block& current() {
    if (current_block() == nullptr) throw KernelError("a kernel operation outside a launch");
    return *current_block();
  }

 private:
  static constexpr int kGarbage = 0xFF;  // NaN in float: shared memory that nobody wrote is seen at once
  static constexpr std::size_t kGuardBytes = 64;

  static std::string place(const std::source_location& where) {
    std::string file = where.file_name();
    return cat(file.substr(file.rfind('/') + 1), ":", where.line());
  }

  unsigned in_order(unsigned i, Order order) const {
    if (order == Order::kForward) return i;
    if (order == Order::kReverse) return threads_ - 1 - i;
    const unsigned evens = (threads_ + 1) / 2;
    return i < evens ? 2 * i : 2 * (i - evens) + 1;
  }

  void prepare(unsigned threads, std::size_t shared_bytes, const std::string& name) {
    static thread_local std::uint64_t serials = 0;
    serial_ = ++serials;
    threads_ = threads;
    name_ = name;
    ended_ = 0;
    at_barrier_ = 0;
    failure_ = nullptr;
    static_.clear();
    static_bytes_ = 0;
    if (!dynamic_ || shared_bytes != dynamic_bytes_)
      dynamic_ = std::make_unique<std::byte[]>(shared_bytes + kGuardBytes);
    dynamic_bytes_ = shared_bytes;
    std::memset(dynamic_.get(), kGarbage, shared_bytes);
    std::memset(dynamic_.get() + shared_bytes, kGuardByte, kGuardBytes);
    while (fibers_.size() < threads) start_fiber();
    for (unsigned t = 0; t < threads; ++t) {
      fibers_[t]->runnable = true;
      fibers_[t]->wait = Wait{};
    }
  }

  void check_guard() const {
    for (std::size_t i = 0; i < kGuardBytes; ++i) {
      if (dynamic_[dynamic_bytes_ + i] != std::byte{kGuardByte}) {
        throw KernelError(
            cat(name_, ": wrote behind its ", dynamic_bytes_, " bytes of dynamic shared memory"));
      }
    }
  }

  void start_fiber() {
    fibers_.push_back(std::make_unique<Fiber>());
    Fiber& fiber = *fibers_.back();
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = Fiber::kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &Block::fiber_main, 0);
  }

  // Runs kernel after kernel, one a resume.
  static void fiber_main() {
    current().finish_switch_into_fiber();
    for (;;) {
      Block& block = current();
      try {
        (*block.body_)();
      } catch (...) {
        if (!block.failure_) block.failure_ = std::current_exception();
      }
      Fiber& fiber = *block.fibers_[block.running_];
      fiber.wait.kind = Wait::Kind::kEnded;
      fiber.runnable = false;
      ++block.ended_;
      block.yield();
    }
  }

  void arrive(const Wait& wait) {
    Fiber& fiber = *fibers_[running_];
    fiber.wait = wait;
    fiber.runnable = false;
    const bool all = wait.kind == Wait::Kind::kBarrier ? release_barrier() : release_warp(wait.mask);
    if (!all) yield();
  }

  // True when every thread of the block waits at this same barrier.
  bool release_barrier() {
    if (++at_barrier_ < threads_) return false;
    const std::source_location& here = fibers_[running_]->wait.where;
    for (unsigned t = 0; t < threads_; ++t) {
      const std::source_location& there = fibers_[t]->wait.where;
      if (there.line() != here.line() || std::strcmp(there.file_name(), here.file_name()) != 0) return false;
    }
    at_barrier_ = 0;
    for (unsigned t = 0; t < threads_; ++t) go_on(t);
    return true;
  }

  // True when every lane of the mask waits at the same operation; then each gets its result.
  bool release_warp(unsigned mask) {
    const unsigned first = running_ / kLanes * kLanes;
    const Wait& mine = fibers_[running_]->wait;
    unsigned present = 0;
    for (unsigned lane = 0; lane < kLanes && first + lane < threads_; ++lane) {
      if ((mask >> lane & 1) == 0) continue;
      const Wait& other = fibers_[first + lane]->wait;
      if (other.kind != Wait::Kind::kWarp || other.mask != mask || other.ballot != mine.ballot) return false;
      if (other.where.line() != mine.where.line() || fibers_[first + lane]->runnable) return false;
      present |= 1u << lane;
    }
    std::uint64_t ballot = 0;
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      if ((present >> lane & 1) != 0 && fibers_[first + lane]->wait.value != 0) ballot |= 1u << lane;
    }
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      if ((present >> lane & 1) == 0) continue;
      const Wait& wait = fibers_[first + lane]->wait;
      if (!wait.ballot && (present >> wait.source_lane & 1) == 0) {
        throw KernelError(cat(name_, ": thread ", first + lane, " reads from lane ", wait.source_lane,
                              ", which is not in the mask, at ", place(wait.where)));
      }
      *wait.result = wait.ballot ? ballot : fibers_[first + wait.source_lane]->wait.value;
    }
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      if ((present >> lane & 1) != 0) go_on(first + lane);
    }
    return true;
  }

  void go_on(unsigned t) {
    fibers_[t]->wait.kind = Wait::Kind::kNone;
    fibers_[t]->runnable = true;
  }

  void resume(unsigned t) {
    running_ = t;
    (*enter_)(t);
    Fiber& fiber = *fibers_[t];
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&scheduler_sanitizer_stack_, fiber.stack, Fiber::kStackBytes);
#endif
#if defined(__SANITIZE_THREAD__)
    scheduler_sanitizer_fiber_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber.sanitizer_fiber, 0);
#endif
    swapcontext(&scheduler_, &fiber.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(scheduler_sanitizer_stack_, nullptr, nullptr);
#endif
  }

  void yield() {
    Fiber& fiber = *fibers_[running_];
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fiber.sanitizer_stack, scheduler_stack_, scheduler_stack_bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(scheduler_sanitizer_fiber_, 0);
#endif
    swapcontext(&fiber.context, &scheduler_);
    current().finish_switch_into_fiber();
  }

  void finish_switch_into_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fibers_[running_]->sanitizer_stack, &scheduler_stack_,
                                    &scheduler_stack_bytes_);
#endif
  }

  std::string divergence() const {
    std::vector<std::string> groups;
    for (unsigned t = 0; t < threads_;) {
      const Wait& wait = fibers_[t]->wait;
      unsigned end = t + 1;
      while (end < threads_ && fibers_[end]->wait.kind == wait.kind &&
             fibers_[end]->wait.where.line() == wait.where.line()) {
        ++end;
      }
      std::string what = "have ended";
      if (wait.kind == Wait::Kind::kBarrier) what = cat("wait at the barrier ", place(wait.where));
      if (wait.kind == Wait::Kind::kWarp) what = cat("wait at the warp operation ", place(wait.where));
      groups.push_back(cat("threads ", t, " to ", end - 1, " ", what));
      t = end;
    }
    return cat(name_, ": barrier divergence: ", join(groups, "; "));
  }

  static constexpr unsigned char kGuardByte = 0xA5;

  std::vector<std::unique_ptr<Fiber>> fibers_;
  ucontext_t scheduler_{};
  void* scheduler_sanitizer_stack_ = nullptr;
  void* scheduler_sanitizer_fiber_ = nullptr;
  const void* scheduler_stack_ = nullptr;
  std::size_t scheduler_stack_bytes_ = 0;

  std::string name_;
  const std::function<void(unsigned)>* enter_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr failure_;
  std::uint64_t serial_ = 0;
  unsigned threads_ = 0;
  unsigned running_ = 0;
  unsigned ended_ = 0;
  unsigned at_barrier_ = 0;
  std::unique_ptr<std::byte[]> dynamic_;
  std::size_t dynamic_bytes_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> static_;
  std::size_t static_bytes_ = 0;
};

}  // namespace serval::host_gpu
