// The most memory that this process holds while something is done, as the system counts it.
#pragma once

#include <cstdint>

namespace serval::experiment {

// Counts from where it is made. Where the system does not let a process reset its own peak, memory that was in use earlier
// hides growth.
class PeakMemory {
 public:
  PeakMemory();
  std::int64_t bytes() const;  // the most since then; 0 where the system does not tell
  std::int64_t growth_bytes() const { return bytes() - before_bytes_; }

 private:
  std::int64_t before_bytes_ = 0;
};

}  // namespace serval::experiment
