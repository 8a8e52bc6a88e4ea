// What can be stopped at any moment is, again and again, until it gets to its end.
#pragma once

#include <chrono>
#include <thread>

#include "serval/core/error.h"
#include "serval/core/interrupt.h"

namespace serval::testing_support {

// Calls run(), interrupted after some milliseconds, until a call ends by itself. Returns how many did not. Each is given
// `longer_ms` more than the one before, so that a slow machine gets to the end too.
template <class Run>
int stop_and_go(int first_ms, int longer_ms, const Run& run) {
  for (int stops = 0; stops < 60; ++stops) {
    std::thread stopper([=] {
      std::this_thread::sleep_for(std::chrono::milliseconds(first_ms + 15 * (stops % 7) + longer_ms * stops));
      request_interrupt(true);
    });
    bool finished = true;
    try {
      run();
    } catch (const InterruptedError&) {
      finished = false;
    } catch (...) {
      stopper.join();
      request_interrupt(false);
      throw;
    }
    stopper.join();
    request_interrupt(false);
    if (finished) return stops;
  }
  throw InternalError("stopped 60 times, and not at its end");
}

}  // namespace serval::testing_support
