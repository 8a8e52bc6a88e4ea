#include "serval/core/interrupt.h"

#include <atomic>
#include <csignal>

#include <unistd.h>

#include "serval/core/error.h"

namespace serval {

namespace {

std::atomic<int> requests{0};
std::atomic<bool> stop{false};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void on_signal(int signal) {
  if (requests.fetch_add(1) > 0 && signal == SIGINT) _exit(static_cast<int>(ExitCode::kInterrupted));
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // a signal must not fail the read or write that it happens to meet
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

bool interrupted() {
  return requests.load(std::memory_order_relaxed) > 0 || stop.load(std::memory_order_relaxed);
}

void check_interrupted() {
  if (interrupted()) throw InterruptedError("interrupted; run the same command again to continue");
}

void request_interrupt(bool on) { requests = on ? 1 : 0; }

void request_stop(bool on) { stop = on; }

}  // namespace serval
