// The trials that a worker has, and the signs of life that it gives for them.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "claims.h"
#include "directory.h"

namespace serval::experiment {

// A trial that this worker has.
struct Taken {
  const Trial* trial = nullptr;
  std::unique_ptr<Claim> claim;
  std::string folder = {};
  bool ended = false;  // finished or failed
};

// Says that the owner of claims lives, and stops its trials (request_stop, until its own end) where one is lost or the sweep
// cancelled.
class Pulse {
 public:
  Pulse(const std::vector<Taken>& pack, const SweepDirectory& directory);
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

 private:
  void beat(const std::vector<Taken>& pack, const SweepDirectory& directory);

  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace serval::experiment
