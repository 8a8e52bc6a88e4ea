#include "serval/nn/cpu_level.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "src/nn/cpu_kernels.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::for_each_level;

// The environment is read once a process, so each case has a process of its own.
class CpuLevelFromEnvironment : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  static void run_with(const char* value) {
    setenv("SERVAL_CPU", value, 1);
    try {
      std::fprintf(stderr, "level is %s", cpu_level_name());
      std::exit(0);
    } catch (const ConfigError& error) {
      std::fprintf(stderr, "%s", error.what());
      std::exit(static_cast<int>(error.code()));
    }
  }
};
TEST_F(CpuLevelFromEnvironment, NamesTheLevel) {
  EXPECT_EXIT(run_with("baseline"), ::testing::ExitedWithCode(0), "level is baseline");
}
TEST_F(CpuLevelFromEnvironment, RejectsAnotherName) {
  EXPECT_EXIT(run_with("sse9"), ::testing::ExitedWithCode(2), "SERVAL_CPU=sse9.*baseline, avx2 or avx512");
}
TEST_F(CpuLevelFromEnvironment, EmptyMeansTheBest) {
  const CpuLevel best = cpu_level_supported(CpuLevel::kAvx512) ? CpuLevel::kAvx512
                        : cpu_level_supported(CpuLevel::kAvx2) ? CpuLevel::kAvx2
                                                               : CpuLevel::kBaseline;
  EXPECT_EXIT(run_with(""), ::testing::ExitedWithCode(0), cat("level is ", to_string(best)));
}

// Largest distance from double over the range where the result moves, absolute and relative.
struct Distance {
  double absolute = 0, relative = 0;
};
Distance distance(void (*apply)(std::int64_t, float*), double (*exact)(double)) {
  Distance worst;
  std::vector<float> x;
  for (int i = -200000; i <= 200000; ++i) x.push_back(static_cast<float>(i) * 1e-4f);  // -20 to 20
  for (int e = -40; e < 4; ++e) {
    for (const float sign : {-1.0f, 1.0f}) x.push_back(sign * std::ldexp(1.37f, e));
  }
  std::vector<float> y = x;
  apply(static_cast<std::int64_t>(y.size()), y.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(x[i]);
    const double error = std::abs(y[i] - expected);
    worst.absolute = std::max(worst.absolute, error);
    if (expected != 0) worst.relative = std::max(worst.relative, error / std::abs(expected));
  }
  return worst;
}

TEST(Gates, SigmoidAndTanhAreWithinAFewRoundingsOfDouble) {
  for_each_level({}, [] {
    const Distance sigmoid =
        distance(cpu_kernels().apply_sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); });
    EXPECT_LT(sigmoid.absolute, 1.5e-7);
    EXPECT_LT(sigmoid.relative, 5e-7);
    const Distance tanh = distance(cpu_kernels().apply_tanh, [](double x) { return std::tanh(x); });
    EXPECT_LT(tanh.absolute, 1.5e-7);
    EXPECT_LT(tanh.relative, 5e-7);
  });
}

TEST(Gates, ExtremesSaturateAndNaNStays) {
  for_each_level({}, [] {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const std::vector<float> x{kInf, -kInf, 1e30f, -1e30f, 0.0f, -0.0f, std::nanf("")};
    std::vector<float> s = x;
    std::vector<float> t = x;
    cpu_kernels().apply_sigmoid(static_cast<std::int64_t>(s.size()), s.data());
    cpu_kernels().apply_tanh(static_cast<std::int64_t>(t.size()), t.data());
    EXPECT_EQ(s[0], 1);
    EXPECT_NEAR(s[1], 0, 1e-37);
    EXPECT_EQ(s[2], 1);
    EXPECT_NEAR(s[3], 0, 1e-37);
    EXPECT_EQ(s[4], 0.5f);
    EXPECT_TRUE(std::isnan(s[6]));
    EXPECT_EQ(t[0], 1);
    EXPECT_EQ(t[1], -1);
    EXPECT_EQ(t[2], 1);
    EXPECT_EQ(t[3], -1);
    EXPECT_EQ(t[4], 0);
    EXPECT_TRUE(std::signbit(t[5]));
    EXPECT_TRUE(std::isnan(t[6]));
  });
}

TEST(Gates, AnElementsResultDoesNotDependOnWhereItStands) {
  for_each_level({}, [] {
    const std::vector<float> x = testing_support::random_values(67, 1, 8);
    std::vector<float> whole = x;
    cpu_kernels().apply_tanh(67, whole.data());
    std::vector<float> single = x;
    for (float& value : single) cpu_kernels().apply_tanh(1, &value);
    EXPECT_TRUE(testing_support::same_bits(whole, single));
  });
}

TEST(CpuLevel, Avx2AndAvx512GiveTheSameBits) {
  if (!cpu_level_supported(CpuLevel::kAvx512)) {
    GTEST_SKIP() << "this processor lacks AVX-512";
  }
  std::vector<float> a = testing_support::random_values(1001, 1, 8);
  std::vector<float> b = a;
  cpu_kernels(CpuLevel::kAvx2).apply_sigmoid(1001, a.data());
  cpu_kernels(CpuLevel::kAvx512).apply_sigmoid(1001, b.data());
  EXPECT_TRUE(testing_support::same_bits(a, b));

  const std::vector<float> left = testing_support::random_values(67 * 301, 2);
  const std::vector<float> right = testing_support::random_values(301 * 45, 3);
  std::vector<float> products[2];
  for (const CpuLevel level : {CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    std::vector<float>& c = products[level == CpuLevel::kAvx512 ? 1 : 0];
    c.assign(67 * 45, 0.25f);
    cpu_kernels(level).gemm({.m = 67,
                             .n = 45,
                             .k = 301,
                             .alpha = 0.5f,
                             .a = left.data(),
                             .lda = 301,
                             .b = right.data(),
                             .ldb = 45,
                             .beta = 1,
                             .c = c.data(),
                             .ldc = 45},
                            gemm_scratch());
  }
  EXPECT_TRUE(testing_support::same_bits(products[0], products[1]));
}

}  // namespace
}  // namespace serval::nn
