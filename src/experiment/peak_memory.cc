#include "peak_memory.h"

#include <fstream>
#include <string>

#include <malloc.h>

namespace serval::experiment {

namespace {

// A line of /proc/self/status, which counts in kB.
std::int64_t status_bytes(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

}  // namespace

std::int64_t peak_memory_bytes() { return status_bytes("VmHWM"); }

PeakMemory::PeakMemory() {
  ::malloc_trim(0);                               // free memory that is kept would hide growth
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew; see proc(5)
  before_bytes_ = status_bytes("VmRSS");
}

}  // namespace serval::experiment
