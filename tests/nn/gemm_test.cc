#include "serval/nn/gemm.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::for_each_level;
using testing_support::random_values;
using testing_support::same_bits;

struct Product {
  std::int64_t m, n, k;
  Transpose transpose_a = Transpose::kNo;
  Transpose transpose_b = Transpose::kNo;
  float alpha = 1;
  float beta = 0;
  std::int64_t spare = 0;  // added to each leading dimension

  std::int64_t lda() const { return (transpose_a == Transpose::kNo ? k : m) + spare; }
  std::int64_t ldb() const { return (transpose_b == Transpose::kNo ? n : k) + spare; }
  std::int64_t ldc() const { return n + spare; }
  std::vector<float> a() const { return random_values(lda() * (transpose_a == Transpose::kNo ? m : k), 1); }
  std::vector<float> b() const { return random_values(ldb() * (transpose_b == Transpose::kNo ? k : n), 2); }
  std::vector<float> c() const { return random_values(ldc() * m, 3); }
};

std::vector<float> multiply(const Context& context, const Product& p, const std::vector<float>& c_before) {
  const Tensor a = Tensor::from_host(context.device(), p.a());
  const Tensor b = Tensor::from_host(context.device(), p.b());
  Tensor c = Tensor::from_host(context.device(), c_before);
  run<Gemm>(context, GemmArgs{.transpose_a = p.transpose_a,
                              .transpose_b = p.transpose_b,
                              .m = p.m,
                              .n = p.n,
                              .k = p.k,
                              .alpha = p.alpha,
                              .a = a.data(),
                              .lda = p.lda(),
                              .b = b.data(),
                              .ldb = p.ldb(),
                              .beta = p.beta,
                              .c = c.data(),
                              .ldc = p.ldc()});
  context.synchronize();
  return c.to_host();
}

std::vector<double> expected(const Product& p) {
  const std::vector<float> a = p.a();
  const std::vector<float> b = p.b();
  std::vector<double> c = testing_support::to_double(p.c());
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0;
      for (std::int64_t q = 0; q < p.k; ++q) {
        const auto at =
            static_cast<std::size_t>(p.transpose_a == Transpose::kNo ? i * p.lda() + q : q * p.lda() + i);
        const auto bt =
            static_cast<std::size_t>(p.transpose_b == Transpose::kNo ? q * p.ldb() + j : j * p.ldb() + q);
        sum += static_cast<double>(a[at]) * b[bt];
      }
      double& value = c[static_cast<std::size_t>(i * p.ldc() + j)];
      value = p.alpha * sum + (p.beta == 0 ? 0 : p.beta * value);
    }
  }
  return c;
}

class GemmTest : public testing_support::DeviceTest {};

TEST_P(GemmTest, EqualsTheSumInDouble) {
  const Context context(device());
  for_each_level(device(), [&] {
    const std::int64_t sizes[][3] = {{1, 1, 1},   {5, 3, 2},     {1, 37, 19},   {13, 1, 64},   {12, 32, 256},
                                     {7, 33, 17}, {64, 70, 257}, {150, 45, 70}, {29, 530, 11}, {3, 5, 600}};
    for (const auto& [m, n, k] : sizes) {
      for (const Transpose a : {Transpose::kNo, Transpose::kYes}) {
        for (const Transpose b : {Transpose::kNo, Transpose::kYes}) {
          const Product p{m, n, k, a, b, 0.75f, m % 2 == 0 ? 1.0f : -0.5f, m % 3};
          SCOPED_TRACE(
              cat(m, " x ", n, " x ", k, " transposed ", a == Transpose::kYes, b == Transpose::kYes));
          expect_close(multiply(context, p, p.c()), expected(p), 2e-5, 1e-5);
        }
      }
    }
  });
}

TEST_P(GemmTest, WithBetaZeroTheOldContentsAreNotRead) {
  const Context context(device());
  const Product p{9, 21, 14};
  const std::vector<float> nan(9 * 21, std::numeric_limits<float>::quiet_NaN());
  expect_close(multiply(context, p, nan), expected(p), 1e-5, 1e-5);
}

TEST_P(GemmTest, ValuesBetweenTheRowsStay) {
  const Context context(device());
  const Product p{.m = 6, .n = 10, .k = 4, .spare = 5};
  const std::vector<float> before = p.c();
  const std::vector<float> after = multiply(context, p, before);
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (i % 15 >= 10) EXPECT_EQ(after[i], before[i]) << i;
  }
}

// Matrices of rows that interleave, as the heads of attention are; one B for all; and C between others.
TEST_P(GemmTest, BatchedGivesTheBitsOfOneByOne) {
  const Context context(device());
  const std::int64_t m = 7, n = 5, k = 3, count = 4;
  const Tensor a = Tensor::from_host(device(), random_values(m * count * k, 1));
  const Tensor b = Tensor::from_host(device(), random_values(n * k * count, 2));
  for_each_level(device(), [&] {
    for (const Transpose transpose_b : {Transpose::kNo, Transpose::kYes}) {
      for (const std::int64_t stride_b : {std::int64_t{0}, n * k}) {
        const std::vector<float> before = random_values(m * (n + 2) * count, 3);
        Tensor together = Tensor::from_host(device(), before);
        Tensor apart = Tensor::from_host(device(), before);
        GemmArgs args{.transpose_b = transpose_b,
                      .m = m,
                      .n = n,
                      .k = k,
                      .alpha = 0.5f,
                      .a = a.data(),
                      .lda = count * k,
                      .b = b.data(),
                      .ldb = transpose_b == Transpose::kNo ? n : k,
                      .beta = 0.25f,
                      .c = together.data(),
                      .ldc = n + 2};
        run<GemmBatched>(
            context,
            GemmBatchedArgs{
                .first = args, .count = count, .stride_a = k, .stride_b = stride_b, .stride_c = m * (n + 2)});
        for (std::int64_t i = 0; i < count; ++i) {
          args.a = a.data() + i * k;
          args.b = b.data() + i * stride_b;
          args.c = apart.data() + i * m * (n + 2);
          run<Gemm>(context, args);
        }
        context.synchronize();
        if (device().kind == DeviceKind::kCpu) {
          EXPECT_TRUE(same_bits(together.to_host(), apart.to_host()));
        } else {
          expect_close(together.to_host(), apart.to_host(), 1e-6, 1e-6);
        }
        EXPECT_FALSE(same_bits(together.to_host(), before));
      }
    }
  });
}

TEST_P(GemmTest, BatchedOfNoneLeavesC) {
  const Context context(device());
  Tensor c = Tensor::from_host(device(), std::vector<float>{5});
  run<GemmBatched>(context, GemmBatchedArgs{.first = {.m = 1,
                                                      .n = 1,
                                                      .k = 1,
                                                      .a = c.data(),
                                                      .lda = 1,
                                                      .b = c.data(),
                                                      .ldb = 1,
                                                      .c = c.data(),
                                                      .ldc = 1}});
  context.synchronize();
  EXPECT_EQ(c.to_host(), std::vector<float>{5});
}

SERVAL_DEVICE_TESTS(GemmTest);

// What lets a batch and its single recordings agree, and padding change nothing.
TEST(GemmOnCpu, ARowDoesNotDependOnTheOtherRows) {
  const Context context;
  for_each_level({}, [&] {
    const Product whole{61, 77, 300};
    const std::vector<float> c = multiply(context, whole, whole.c());
    for (const std::int64_t m : {1, 2, 5, 13, 60}) {
      const Product part{m, 77, 300};  // random_values() gives the same first rows
      const std::vector<float> rows = multiply(context, part, part.c());
      EXPECT_TRUE(same_bits(rows, {c.begin(), c.begin() + m * 77})) << m << " rows";
    }
  });
}

TEST(GemmOnCpu, SeveralThreadsAtOnceGiveTheBitsOfOne) {
  const Context context;
  const Product products[] = {{64, 512, 128}, {37, 300, 77, Transpose::kYes}, {5, 8, 64}, {200, 100, 600}};
  std::vector<std::vector<float>> alone;
  for (const Product& p : products) alone.push_back(multiply(context, p, p.c()));
  std::vector<int> wrong(6, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      const Context own;
      for (std::size_t i = 0; i < 60; ++i) {
        const std::size_t which = (i + t) % std::size(products);
        if (!same_bits(multiply(own, products[which], products[which].c()), alone[which])) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(6, 0));
}

TEST(GemmOnCpu, ATooShortLeadingDimensionIsCaught) {
  float value = 0;
  const Context context;
  EXPECT_THROW(
      run<Gemm>(
          context,
          GemmArgs{
              .m = 1, .n = 1, .k = 2, .a = &value, .lda = 1, .b = &value, .ldb = 1, .c = &value, .ldc = 1}),
      InternalError);
}

}  // namespace
}  // namespace serval::nn
