#include "scorer_pool.h"

namespace serval::deploy {

ScorerPool::ScorerPool(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ScorerPool::~ScorerPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ScorerPool::submit(Urgency urgency, std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    (urgency == Urgency::kStream ? streams_ : uploads_).push_back(std::move(job));
  }
  wake_.notify_one();
}

std::size_t ScorerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return streams_.size() + uploads_.size();
}

void ScorerPool::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !streams_.empty() || !uploads_.empty(); });
      if (ending_) return;
      std::deque<std::function<void()>>& queue = streams_.empty() ? uploads_ : streams_;
      job = std::move(queue.front());
      queue.pop_front();
    }
    job();
  }
}

}  // namespace serval::deploy
