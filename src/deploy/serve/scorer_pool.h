// The threads that score. Streams go first, since they are heard as they are scored.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace serval::deploy {

enum class Urgency { kStream, kUpload };

class ScorerPool {
 public:
  explicit ScorerPool(int threads);
  ~ScorerPool();  // what runs is finished, what waits is dropped

  // A job throws nothing. How many there may be is for those who submit to bound.
  void submit(Urgency urgency, std::function<void()> job);
  std::size_t waiting() const;

 private:
  void work();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> streams_, uploads_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace serval::deploy
