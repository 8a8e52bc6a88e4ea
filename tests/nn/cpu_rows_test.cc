// Softmax of a row, gelu and random numbers on vectors, at every instruction set.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "serval/nn/detail/activation.h"

#include "src/nn/cpu_kernels.h"
#include "src/nn/random_cpu.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::for_each_level;
using testing_support::random_values;
using testing_support::same_bits;
using Values = std::vector<float>;

// What stands behind a row must stay.
constexpr float kBehind = 77;

TEST(CpuRows, SoftmaxIsThatOfDouble) {
  for_each_level({}, [] {
    for (const std::int64_t count : {1, 3, 4, 7, 8, 15, 16, 17, 33, 100, 302}) {
      Values row = random_values(count, 3, 6);
      row.back() = 9;  // the largest where only the rest of a vector sees it
      double sum = 0;
      for (const float x : row) sum += std::exp(static_cast<double>(x));
      Values got = row;
      got.push_back(kBehind);
      cpu_kernels().softmax_row(count, got.data());
      for (std::size_t i = 0; i < row.size(); ++i)
        EXPECT_NEAR(got[i], std::exp(static_cast<double>(row[i])) / sum, 2e-7) << count << ", " << i;
      EXPECT_EQ(got.back(), kBehind);
    }
    Values far{-1e30f, 1e30f, 0, -std::numeric_limits<float>::infinity()};
    cpu_kernels().softmax_row(4, far.data());
    EXPECT_EQ(far[1], 1);
    for (const std::size_t i : {0, 2, 3}) EXPECT_NEAR(far[i], 0, 1e-37);
    Values nan{1, std::nanf(""), 2};
    cpu_kernels().softmax_row(3, nan.data());
    for (const float value : nan) EXPECT_TRUE(std::isnan(value));
    cpu_kernels().softmax_row(0, nullptr);
  });
}

TEST(CpuRows, GradientOfSoftmaxIsThatOfDouble) {
  for_each_level({}, [] {
    for (const std::int64_t count : {0, 1, 5, 16, 19, 64, 101}) {
      const Values weights = random_values(count, 3);
      const Values gradient = random_values(count, 4);
      double sum = 0;
      for (std::size_t i = 0; i < weights.size(); ++i)
        sum += static_cast<double>(weights[i]) * static_cast<double>(gradient[i]);
      Values got = gradient;
      got.push_back(kBehind);
      cpu_kernels().softmax_gradient_row(count, weights.data(), got.data());
      for (std::size_t i = 0; i < weights.size(); ++i) {
        EXPECT_NEAR(got[i], static_cast<double>(weights[i]) * (static_cast<double>(gradient[i]) - sum), 2e-6)
            << count << ", " << i;
      }
      EXPECT_EQ(got.back(), kBehind);
    }
  });
}

TEST(CpuRows, GeluAndItsSlopeAreThoseOfDouble) {
  for_each_level({}, [] {
    Values x;
    for (int i = -150000; i <= 150001; ++i) x.push_back(static_cast<float>(i) * 1e-4f);  // -15 to 15
    const auto count = static_cast<std::int64_t>(x.size());
    Values y(x.size()), dx(x.size());
    const Values ones(x.size(), 1.0f);
    cpu_kernels().gelu(count, x.data(), y.data());
    cpu_kernels().gelu_gradient(count, x.data(), ones.data(), dx.data());
    double worst = 0, worst_slope = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto v = static_cast<double>(x[i]);
      const double below = 0.5 * std::erfc(-v * std::sqrt(0.5));
      const double scale = std::max(1.0, std::abs(v));
      worst = std::max(worst, std::abs(y[i] - v * below) / scale);
      const double slope = below + v * std::exp(-0.5 * v * v) / std::sqrt(2 * std::acos(-1.0));
      worst_slope = std::max(worst_slope, std::abs(dx[i] - slope));
    }
    EXPECT_LT(worst, 2e-7);
    EXPECT_LT(worst_slope, 3e-7);
    const Values far{1e30f, -1e30f, 0.0f, std::nanf("")};
    Values got(4);
    cpu_kernels().gelu(4, far.data(), got.data());
    EXPECT_EQ(got[0], 1e30f);
    EXPECT_EQ(got[1], 0);
    EXPECT_EQ(got[2], 0);
    EXPECT_TRUE(std::isnan(got[3]));
  });
}

TEST(CpuRows, RandomNumbersAreThoseOfTheStream) {
  const RandomStream random{.seed = 0x123456789ABCDEF0u,
                            .fold = 3,
                            .purpose = RandomPurpose::kDropout,
                            .step = 0xFFFFFFFEu,
                            .layer = 77};
  for_each_level({}, [&] {
    // From within a block, over the end of what is drawn at a time, and over the end of 32 bits.
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{3}, (std::uint64_t{1} << 34) - 37}) {
      for (const std::int64_t count : {0, 1, 5, 64, 255, 600}) {
        std::int64_t next = 0;
        cpu::for_each_run(
            random, first, count, [&](std::int64_t from, std::int64_t n, const std::uint32_t* bits) {
              EXPECT_EQ(from, next);
              next += n;
              for (std::int64_t i = 0; i < n; ++i)
                EXPECT_EQ(bits[i], random.bits(first + static_cast<std::uint64_t>(from + i))) << from + i;
            });
        EXPECT_EQ(next, count);
        const Values x = random_values(count + 1, 8);
        Values y(x.size(), kBehind);
        cpu::drop_row(random, first, 0.4f, count, x.data(), y.data());
        for (std::int64_t i = 0; i < count; ++i) {
          const auto at = static_cast<std::size_t>(i);
          EXPECT_EQ(y[at], detail::drop(random, first + static_cast<std::uint64_t>(i), 0.4f,
                                        1.0f / (1.0f - 0.4f), x[at]));
        }
        EXPECT_EQ(y.back(), kBehind);
      }
    }
  });
}

TEST(CpuRows, Avx2AndAvx512GiveTheSameBits) {
  if (!cpu_level_supported(CpuLevel::kAvx512)) GTEST_SKIP() << "this processor lacks AVX-512";
  const CpuKernels& narrow = cpu_kernels(CpuLevel::kAvx2);
  const CpuKernels& wide = cpu_kernels(CpuLevel::kAvx512);
  for (const std::int64_t count : {1, 9, 16, 31, 302}) {
    const Values x = random_values(count, 3, 5);
    const Values dy = random_values(count, 4);
    Values a = x, b = x;
    narrow.softmax_row(count, a.data());
    wide.softmax_row(count, b.data());
    EXPECT_TRUE(same_bits(a, b)) << count;
    Values da = dy, db = dy;
    narrow.softmax_gradient_row(count, a.data(), da.data());
    wide.softmax_gradient_row(count, a.data(), db.data());
    EXPECT_TRUE(same_bits(da, db)) << count;
    narrow.gelu(count, x.data(), a.data());
    wide.gelu(count, x.data(), b.data());
    EXPECT_TRUE(same_bits(a, b)) << count;
    narrow.gelu_gradient(count, x.data(), dy.data(), a.data());
    wide.gelu_gradient(count, x.data(), dy.data(), b.data());
    EXPECT_TRUE(same_bits(a, b)) << count;
  }
}

}  // namespace
}  // namespace serval::nn
