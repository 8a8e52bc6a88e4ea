#include "serval/core/interrupt.h"

#include <array>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include "serval/core/error.h"

namespace serval {
namespace {

TEST(Interrupt, ASignalIsNotedAndFailsNoRead) {
  std::array<struct sigaction, 3> before{};
  const std::array<int, 3> signals = {SIGINT, SIGTERM, SIGUSR1};
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], nullptr, &before[i]);
  install_interrupt_handlers();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pthread_t reader = pthread_self();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the read below waits by now
    pthread_kill(reader, SIGTERM);
    while (!interrupted()) std::this_thread::yield();
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
  });
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  other.join();
  EXPECT_THROW(check_interrupted(), InterruptedError);
  request_interrupt(false);
  EXPECT_NO_THROW(check_interrupted());
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before[i], nullptr);
  for (const int end : ends) ::close(end);
}

}  // namespace
}  // namespace serval
