#include "serval/deploy/stream_windows.h"

#include <algorithm>

#include "serval/core/error.h"

namespace serval::deploy {

StreamWindows::StreamWindows(std::int64_t window, std::int64_t hop) : window_(window), hop_(hop) {
  SERVAL_CHECK(window >= 1 && hop >= 1, "windows of ", window, " samples every ", hop);
}

bool StreamWindows::due() const { return fed_ == begin_ + window_; }

std::size_t StreamWindows::feed(std::span<const float> samples) {
  const auto wanted = static_cast<std::size_t>(begin_ + window_ - fed_);
  const std::size_t count = std::min(wanted, samples.size());
  // It grows with the stream, so that a long window costs nothing before its samples are there.
  const auto needed = static_cast<std::size_t>(std::min(window_, fed_ + static_cast<std::int64_t>(count)));
  if (ring_.size() < needed) ring_.resize(needed);
  for (std::size_t i = 0; i < count; ++i, ++fed_) {
    // Between windows that do not touch nothing is kept.
    if (fed_ >= begin_) ring_[static_cast<std::size_t>(fed_ % window_)] = samples[i];
  }
  return count;
}

StreamWindow StreamWindows::copy(std::int64_t end) const {
  StreamWindow out;
  out.begin = begin_;
  for (std::int64_t i = begin_; i < end; ++i)
    out.samples.push_back(ring_[static_cast<std::size_t>(i % window_)]);
  return out;
}

StreamWindow StreamWindows::take() {
  SERVAL_CHECK(due(), "no window is due");
  StreamWindow out = copy(fed_);
  covered_ = fed_;
  begin_ += hop_;
  return out;
}

StreamWindow StreamWindows::rest() const {
  StreamWindow out = copy(fed_ > covered_ ? fed_ : begin_);
  out.last = true;
  return out;
}

}  // namespace serval::deploy
