#include "serval/features/resident.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "serval/core/error.h"

namespace serval::features {

DeviceBatch::DeviceBatch(Device device, int sample_rate_hz, std::span<const CodedClip> clips)
    : sample_rate_hz_(sample_rate_hz) {
  static std::atomic<std::uint64_t> serials{0};
  serial_ = ++serials;
  constexpr std::size_t kMostSamples = (std::size_t{1} << 30) - 1;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const std::size_t count = clips[i].codes.size();
    if (count == 0) throw DataError(cat("features: clip ", i, " has no samples"));
    if (count > kMostSamples) {
      throw DataError(
          cat("features: clip ", i, " has ", count, " samples; at most ", kMostSamples, " are possible"));
    }
    if (!(clips[i].scale > 0) || !std::isfinite(clips[i].scale)) {
      throw DataError(cat("features: clip ", i, " has a scale of ", clips[i].scale,
                          "; expected a positive finite number"));
    }
    first_.push_back(total);
    samples_.push_back(static_cast<std::int64_t>(count));
    scales_.push_back(clips[i].scale);
    total += static_cast<std::int64_t>(count + count % 2);
  }
  std::vector<std::int16_t> codes(static_cast<std::size_t>(total));
  for (std::size_t i = 0; i < clips.size(); ++i) {
    std::copy(clips[i].codes.begin(), clips[i].codes.end(),
              codes.begin() + static_cast<std::ptrdiff_t>(first_[i]));
  }
  codes_ = Array<std::int16_t>::from_host(device, codes);
}

}  // namespace serval::features
