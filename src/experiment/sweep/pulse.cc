#include "pulse.h"

#include <algorithm>
#include <chrono>

#include "serval/core/interrupt.h"

namespace serval::experiment {

namespace {
constexpr double kMostPause_s = 10;
}

Pulse::Pulse(const std::vector<Taken>& pack, const SweepDirectory& directory)
    : thread_([this, &pack, &directory] { beat(pack, directory); }) {}

Pulse::~Pulse() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  thread_.join();
  request_stop(false);
}

void Pulse::beat(const std::vector<Taken>& pack, const SweepDirectory& directory) {
  const std::chrono::duration<double> pause(std::min(directory.settings().lease_s / 10, kMostPause_s));
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return over_; })) {
    bool lost = directory.cancelled();
    for (const Taken& taken : pack) {
      taken.claim->heartbeat();
      lost = lost || taken.claim->lost();
    }
    if (lost) request_stop(true);
  }
}

}  // namespace serval::experiment
