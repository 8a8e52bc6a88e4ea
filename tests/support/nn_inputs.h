// Inputs for tests of the nn room: reproducible random numbers, views, and a padded batch.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/context.h"
#include "serval/core/philox.h"
#include "serval/nn/cpu_level.h"

#include "tests/support/expect_close.h"
#include "tests/support/nn_reference.h"

namespace serval::testing_support {

// Uniform in [-scale, scale). `which` tells apart the arrays of a test.
inline std::vector<float> random_values(std::int64_t count, std::uint32_t which, float scale = 1) {
  const RandomStream random{.seed = 20240607, .layer = which};
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * (2 * random.uniform(i) - 1);
  return values;
}

// The numbers of a golden's .f32 file.
inline std::vector<float> read_f32(const std::filesystem::path& path) {
  std::vector<float> values(std::filesystem::file_size(path) / sizeof(float));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

inline std::vector<double> to_double(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// Runs `body` at each CPU level that this processor has, or once on another device.
template <class Body>
void for_each_level(const Device& device, Body body) {
  if (device.kind != DeviceKind::kCpu) return body();
  const nn::CpuLevel before = nn::cpu_level();
  for (const nn::CpuLevel level : {nn::CpuLevel::kBaseline, nn::CpuLevel::kAvx2, nn::CpuLevel::kAvx512}) {
    if (!nn::cpu_level_supported(level)) continue;
    SCOPED_TRACE(cat("SERVAL_CPU=", to_string(level)));
    nn::set_cpu_level(level);
    body();
  }
  nn::set_cpu_level(before);
}

// Sequences of unequal length, padded to [time, batch, feature]. The padding is NaN: whoever reads it is
// seen.
struct PaddedBatch {
  std::int64_t time = 0, feature = 0;
  std::vector<std::int32_t> lengths;

  std::int64_t batch() const { return static_cast<std::int64_t>(lengths.size()); }
  std::size_t place(std::int64_t t, std::int64_t b, std::int64_t f, std::int64_t width) const {
    return static_cast<std::size_t>((t * batch() + b) * width + f);
  }
  // Sets the padding of values [time, batch, width].
  void pad(std::vector<float>& values, std::int64_t width,
           float with = std::numeric_limits<float>::quiet_NaN()) const {
    for (std::int64_t b = 0; b < batch(); ++b) {
      for (std::int64_t t = lengths[static_cast<std::size_t>(b)]; t < time; ++t) {
        for (std::int64_t f = 0; f < width; ++f) values[place(t, b, f, width)] = with;
      }
    }
  }
  // Sequence b of values [time, batch, width], without padding.
  template <class T>
  reference::Sequence sequence(const std::vector<T>& values, std::int64_t b, std::int64_t width) const {
    reference::Sequence out(static_cast<std::size_t>(lengths[static_cast<std::size_t>(b)]));
    for (std::size_t t = 0; t < out.size(); ++t) {
      for (std::int64_t f = 0; f < width; ++f) {
        out[t].push_back(static_cast<double>(values[place(static_cast<std::int64_t>(t), b, f, width)]));
      }
    }
    return out;
  }
};

}  // namespace serval::testing_support
