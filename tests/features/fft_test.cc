// The CPU's transform against the definition, for sizes with every kind of factor.
#include <complex>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/philox.h"
#include "serval/core/tensor.h"

#include "src/features/fft_lanes.h"
#include "src/features/fft_tables.h"
#include "tests/features/naive_features.h"

namespace serval::features::detail {
namespace {

constexpr int kLanes = 4;

struct CollectSink {
  std::vector<std::vector<std::complex<float>>> bins;  // [lane][bin]
  template <class V>
  void operator()(int bin, const V& re, const V& im) {
    for (int lane = 0; lane < kLanes; ++lane) {
      bins[static_cast<std::size_t>(lane)][static_cast<std::size_t>(bin)] = {re[lane], im[lane]};
    }
  }
};

std::vector<std::vector<std::complex<float>>> transform(const std::vector<std::vector<double>>& frames) {
  const int size = static_cast<int>(frames[0].size());
  const FftTables tables(size);
  Tensor memory(Device{}, Shape{size, kLanes});
  Tensor spare(Device{}, Shape{tables.largest_radix, 2, kLanes});
  for (int i = 0; i < size; ++i) {
    for (int lane = 0; lane < kLanes; ++lane) {
      memory.data()[i * kLanes + lane] =
          static_cast<float>(frames[static_cast<std::size_t>(lane)][static_cast<std::size_t>(i)]);
    }
  }
  CollectSink sink;
  sink.bins.assign(kLanes, std::vector<std::complex<float>>(static_cast<std::size_t>(size / 2 + 1)));
  real_transform<kLanes>(tables, memory.data(), spare.data(), sink);
  return sink.bins;
}

class FftSizeTest : public ::testing::TestWithParam<int> {};

TEST_P(FftSizeTest, MatchesTheDefinition) {
  const int size = GetParam();
  const RandomStream random{.seed = static_cast<std::uint64_t>(size)};
  std::vector<std::vector<double>> frames(kLanes);
  for (int i = 0; i < kLanes * size; ++i) {
    frames[static_cast<std::size_t>(i % kLanes)].push_back(
        2.0 * random.uniform(static_cast<std::uint64_t>(i)) - 1);
  }
  const auto bins = transform(frames);
  // A transform of random numbers has magnitudes of about sqrt(size / 3).
  const double allowed = 1e-6 * std::sqrt(static_cast<double>(size));
  double worst = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::vector<std::complex<double>> expected = naive::dft(frames[lane]);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      worst = std::max(worst, std::abs(std::complex<double>(bins[lane][k]) - expected[k]));
    }
  }
  EXPECT_LT(worst, allowed);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FftSizeTest,
                         ::testing::Values(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 26, 30, 32, 34, 36, 50, 60,
                                           64, 74, 90, 98, 100, 126, 128, 200, 210, 256, 400, 480, 512,
                                           551 * 2, 600, 882, 1000, 1024, 1102, 2 * 101, 2048, 4096));

TEST(Fft, ImpulseAndConstant) {
  std::vector<std::vector<double>> frames(kLanes, std::vector<double>(512, 0.0));
  frames[0][0] = 1;
  frames[1].assign(512, 1.0);
  const auto bins = transform(frames);
  for (std::size_t k = 0; k <= 256; ++k) {
    EXPECT_EQ(bins[0][k], (std::complex<float>(1, 0)));
    EXPECT_EQ(bins[1][k], (std::complex<float>(k == 0 ? 512.0f : 0.0f, 0)));
    EXPECT_EQ(bins[2][k], (std::complex<float>(0, 0)));
  }
}

}  // namespace
}  // namespace serval::features::detail
