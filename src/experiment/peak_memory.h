// The most memory that this process holds, as the system counts it.
#pragma once

#include <cstdint>

namespace serval::experiment {

// Since the program's start; 0 where the system does not tell.
std::int64_t peak_memory_bytes();

// How far resident memory rises above where it is when this is made. The system then forgets the peak of the time before, for
// whoever asks: for benchmarks alone. Where it does not let a process do so, memory that was in use earlier hides growth.
class PeakMemory {
 public:
  PeakMemory();
  std::int64_t growth_bytes() const { return peak_memory_bytes() - before_bytes_; }

 private:
  std::int64_t before_bytes_ = 0;
};

}  // namespace serval::experiment
