// The LSTM whose recurrent matrix stays on chip: its whole body, with the kernels as fibers and the CPU's products,
// against the CPU's LSTM.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "serval/nn/lstm.h"

#include "cuda/nn/lstm_resident_body.cuh"
#include "tests/nn/guarded.h"
#include "tests/support/expect_close.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::Guarded;
using testing_support::random_values;
using testing_support::same_bits;

struct Case {
  LstmShape shape;
  std::vector<std::int32_t> lengths;
};

constexpr std::int64_t kLeft = 2, kRight = 1;  // columns of y beside this direction's own

struct Results {
  std::vector<float> y, dx, dweights;
};

template <class Forward, class Backward>
Results compute(const Case& c, std::int64_t reserve_floats, const Forward& forward, const Backward& backward,
                bool want_dx = true, bool want_dweights = true) {
  const LstmShape& s = c.shape;
  const std::int64_t stride = kLeft + s.hidden + kRight;
  const auto spoiled = [&](std::int64_t columns, std::uint32_t seed) {
    std::vector<float> values = random_values(s.time * s.batch * columns, seed);
    for (std::int64_t b = 0; b < s.batch; ++b) {
      for (std::int64_t t = c.lengths[static_cast<std::size_t>(b)]; t < s.time; ++t)
        std::fill_n(values.begin() + (t * s.batch + b) * columns, columns, NAN);
    }
    return values;
  };
  Guarded<float> x(spoiled(s.input, 1)), dy(spoiled(stride, 3));
  std::vector<float> small = random_values(lstm_parameter_count(s.input, s.hidden), 2);
  for (float& value : small) value *= 0.4f;  // gates that are not all open or shut
  Guarded<float> weights(small);
  Guarded<std::int32_t> lengths(c.lengths);
  Guarded<float> y(std::vector<float>(static_cast<std::size_t>(s.time * s.batch * stride), 7.0f));
  Guarded<float> dx(random_values(s.time * s.batch * s.input, 4));
  Guarded<float> dweights(random_values(lstm_parameter_count(s.input, s.hidden), 5));
  // What an earlier batch left behind.
  Guarded<float> reserve(std::vector<float>(static_cast<std::size_t>(reserve_floats), NAN));
  LstmForwardArgs f{.shape = s,
                    .x = x.view(),
                    .lengths = lengths.view(),
                    .host_lengths = c.lengths.data(),
                    .weights = weights.view(),
                    .y = y.data() + kLeft,
                    .y_stride = stride,
                    .reserve = reserve.view(),
                    .training = true};
  forward(f);
  LstmBackwardArgs b{.shape = s,
                     .x = f.x,
                     .lengths = f.lengths,
                     .host_lengths = f.host_lengths,
                     .weights = f.weights,
                     .y = f.y,
                     .y_stride = stride,
                     .dy = dy.data() + kLeft,
                     .reserve = f.reserve,
                     .dx = want_dx ? dx.view() : TensorView{},
                     .dweights = want_dweights ? dweights.view() : TensorView{}};
  backward(b);
  // Scores alone are the same, and need nothing kept.
  std::vector<float> trained = y.values();
  f.training = false;
  forward(f);
  EXPECT_TRUE(same_bits(trained, y.values()));
  return {trained, dx.values(), dweights.values()};
}

Results on_cpu(const Case& c) {
  const Context context;
  return compute(
      c, lstm_reserve_size(context, c.shape), [&](const LstmForwardArgs& a) { lstm_forward(context, a); },
      [&](const LstmBackwardArgs& a) { lstm_backward(context, a); });
}

Results on_fibers(const Case& c, int rows, bool want_dx = true, bool want_dweights = true) {
  const Context context;
  return compute(
      c, resident_reserve_floats(c.shape),
      [&](const LstmForwardArgs& a) { resident_lstm_forward(context, nullptr, a, rows); },
      [&](const LstmBackwardArgs& a) { resident_lstm_backward(context, nullptr, a, rows); }, want_dx,
      want_dweights);
}

TEST(CudaLstmResident, IsTheCpusLstmWhateverSharesABlock) {
  const Case cases[] = {
      {{.time = 1, .batch = 1, .input = 2, .hidden = 1}, {1}},
      {{.time = 5, .batch = 7, .input = 4, .hidden = 3}, {5, 1, 4, 2, 5, 3, 1}},
      {{.time = 4, .batch = 5, .input = 3, .hidden = 32, .reversed = true}, {2, 4, 1, 3, 4}},
      {{.time = 3, .batch = 2, .input = 5, .hidden = 40}, {3, 3}},
      {{.time = 3, .batch = 3, .input = 6, .hidden = 64, .reversed = true}, {3, 3, 3}},
      {{.time = 4, .batch = 7, .input = 3, .hidden = 77}, {4, 2, 3, 1, 4, 4, 2}},
      {{.time = 4, .batch = 3, .input = 2, .hidden = 100, .reversed = true}, {1, 4, 3}},
      {{.time = 3, .batch = 2, .input = 4, .hidden = 128}, {3, 2}},
  };
  for (const Case& c : cases) {
    const Results expected = on_cpu(c);
    Results one;
    for (const int rows : kResidentRows) {
      SCOPED_TRACE(cat("hidden ", c.shape.hidden, ", ", rows, " sequences a block"));
      const Results got = on_fibers(c, rows);
      expect_close(got.y, expected.y, 1e-6, 1e-5);
      expect_close(got.dx, expected.dx, 2e-6, 2e-5);
      expect_close(got.dweights, expected.dweights, 2e-6, 2e-5);
      if (rows == kResidentRows.front()) one = got;
      EXPECT_TRUE(same_bits(got.y, one.y) && same_bits(got.dx, one.dx) &&
                  same_bits(got.dweights, one.dweights));
    }
  }
}

TEST(CudaLstmResident, TheOrderOfThreadsDoesNotMatter) {
  const Case c{{.time = 4, .batch = 3, .input = 3, .hidden = 70, .reversed = true}, {4, 1, 3}};
  const Results forward = on_fibers(c, 2);
  const host_gpu::OrderScope order(host_gpu::Order::kReverse);
  const Results backward = on_fibers(c, 2);
  EXPECT_TRUE(same_bits(forward.y, backward.y));
  EXPECT_TRUE(same_bits(forward.dx, backward.dx));
  EXPECT_TRUE(same_bits(forward.dweights, backward.dweights));
}

TEST(CudaLstmResident, GradientsOnlyWhereWanted) {
  const Case c{{.time = 3, .batch = 2, .input = 4, .hidden = 8}, {3, 1}};
  const Results with = on_fibers(c, 1);
  const Results without = on_fibers(c, 1, false);
  EXPECT_TRUE(same_bits(with.dweights, without.dweights));
  EXPECT_EQ(without.dx, random_values(3 * 2 * 4, 4));
  const Results frozen = on_fibers(c, 1, true, false);
  EXPECT_TRUE(same_bits(frozen.dx, with.dx));
  EXPECT_EQ(frozen.dweights, random_values(lstm_parameter_count(4, 8), 5));
}

TEST(CudaLstmResident, ManyModelsShareABlock) {
  constexpr int kProcessors = 132;
  EXPECT_EQ(resident_rows(64, 1, kProcessors), 1);
  EXPECT_EQ(resident_rows(200, 1, kProcessors), 2);
  EXPECT_EQ(resident_rows(64, 4, kProcessors), 2);
  EXPECT_EQ(resident_rows(64, 11, kProcessors), 6);
  EXPECT_EQ(resident_rows(64, 100, kProcessors), 6);
  // The largest block fits a GPU of today, and the matrix of the widest layer is nowhere but on chip.
  EXPECT_LE(resident_bytes(kMostResidentHidden), std::size_t{160} << 10);
}

}  // namespace
}  // namespace serval::nn
