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
  // Between windows that do not touch nothing is kept.
  const auto skipped =
      static_cast<std::size_t>(std::clamp<std::int64_t>(begin_ - fed_, 0, static_cast<std::int64_t>(count)));
  std::span<const float> kept = samples.subspan(skipped, count - skipped);
  for (std::int64_t at = fed_ + static_cast<std::int64_t>(skipped); !kept.empty();) {
    const auto place = static_cast<std::size_t>(at % window_);
    const std::size_t part = std::min(kept.size(), ring_.size() - place);
    std::copy_n(kept.begin(), part, ring_.begin() + static_cast<std::ptrdiff_t>(place));
    kept = kept.subspan(part);
    at += static_cast<std::int64_t>(part);
  }
  fed_ += static_cast<std::int64_t>(count);
  return count;
}

StreamWindow StreamWindows::copy(std::int64_t end) const {
  StreamWindow out;
  out.begin = begin_;
  out.samples.reserve(static_cast<std::size_t>(std::max<std::int64_t>(0, end - begin_)));
  for (std::int64_t at = begin_; at < end;) {
    const auto place = static_cast<std::ptrdiff_t>(at % window_);
    const std::int64_t part = std::min(end - at, static_cast<std::int64_t>(ring_.size()) - place);
    out.samples.insert(out.samples.end(), ring_.begin() + place, ring_.begin() + place + part);
    at += part;
  }
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
