// Loops over independent items on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace serval {

int hardware_threads();  // the processors this process may use (affinity and cgroup aware), at least 1

// Calls body(i) for i in [0, count), each exactly once, on up to `threads` threads (fewer where the system
// gives no more); items are taken in order.
// The first exception stops further items and is rethrown here once the running ones have ended.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body);

}  // namespace serval
