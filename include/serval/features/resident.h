// Features without a way over the host: 16-bit audio of many clips that stays on a device, and the matrices of
// all of them in one tensor there. The CPU has the same, so that code around it need not ask which device it is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serval/core/tensor.h"

namespace serval::features {

// Sample = code * scale, as stores hold audio (audio/quantise.h).
struct CodedClip {
  std::span<const std::int16_t> codes;
  float scale = 1;
};

// Clips on a device. They do not change: one batch may serve many extractors, and be run many times.
class DeviceBatch {
 public:
  // Copies the clips to the device. Throws DataError, which names the clip by its index, for one without samples,
  // with 2^30 samples or more, or with a scale that is not a positive finite number.
  DeviceBatch(Device device, int sample_rate_hz, std::span<const CodedClip> clips);

  std::int64_t clips() const { return static_cast<std::int64_t>(samples_.size()); }
  int sample_rate_hz() const { return sample_rate_hz_; }
  Device device() const { return codes_.device(); }
  const std::int16_t* codes() const { return codes_.data(); }  // of all clips, on the device
  // Host tables, [clip]. Clips start at even places, so that two samples can be read at once.
  const std::vector<std::int64_t>& first() const { return first_; }
  const std::vector<std::int64_t>& samples() const { return samples_; }
  const std::vector<float>& scales() const { return scales_; }
  std::int64_t total_codes() const { return codes_.size(); }
  std::uint64_t serial() const { return serial_; }  // another number for every batch

 private:
  int sample_rate_hz_ = 0;
  std::uint64_t serial_ = 0;
  Array<std::int16_t> codes_;
  std::vector<std::int64_t> first_;
  std::vector<std::int64_t> samples_;
  std::vector<float> scales_;
};

// The matrices of all clips, one behind the other.
struct ResidentFeatures {
  Tensor values;                        // [row, dimension], on the batch's device
  std::vector<std::int64_t> first_row;  // [clip + 1]
};

}  // namespace serval::features
