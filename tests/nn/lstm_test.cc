#include "serval/nn/lstm.h"

#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::for_each_level;
using testing_support::PaddedBatch;
using testing_support::random_values;
using testing_support::same_bits;
namespace reference = testing_support::reference;

constexpr float kUntouched = 7;

struct Problem {
  PaddedBatch batch;
  std::int64_t hidden = 0;
  bool reversed = false;
  std::int64_t left = 0, right = 0;  // columns of y beside this direction's own

  std::int64_t input() const { return batch.feature; }
  LstmShape shape() const { return {batch.time, batch.batch(), input(), hidden, reversed}; }
  std::int64_t parameters() const { return lstm_parameter_count(input(), hidden); }
  std::int64_t y_stride() const { return left + hidden + right; }
};

struct Values {
  std::vector<float> x, weights, dy;
};
Values values_of(const Problem& p) {
  Values v{.x = random_values(p.batch.time * p.batch.batch() * p.input(), 1),
           .weights = random_values(p.parameters(), 2, 0.6f),
           .dy = random_values(p.batch.time * p.batch.batch() * p.y_stride(), 3)};
  p.batch.pad(v.x, p.input());
  p.batch.pad(v.dy, p.y_stride());
  return v;
}

struct Results {
  std::vector<float> y, dx, dweights;
};
Results run_on(const Context& context, const Problem& p, const Values& v, bool want_dx = true) {
  const Device device = context.device();
  const Tensor x = Tensor::from_host(device, v.x);
  const Tensor weights = Tensor::from_host(device, v.weights);
  const Tensor dy = Tensor::from_host(device, v.dy);
  const Array<std::int32_t> lengths = Array<std::int32_t>::from_host(device, p.batch.lengths);
  Tensor y = Tensor::from_host(device, std::vector<float>(v.dy.size(), kUntouched));
  Tensor dx(device, {static_cast<std::int64_t>(v.x.size())});
  Tensor dweights(device, {p.parameters()});
  // What the last batch left behind must not matter.
  Tensor reserve = Tensor::from_host(
      device, std::vector<float>(static_cast<std::size_t>(lstm_reserve_size(context, p.shape())), 3e9f));
  lstm_forward(context, {.shape = p.shape(),
                         .x = x.view(),
                         .lengths = lengths.view(),
                         .host_lengths = p.batch.lengths.data(),
                         .weights = weights.view(),
                         .y = y.data() + p.left,
                         .y_stride = p.y_stride(),
                         .reserve = reserve.view(),
                         .training = true});
  lstm_backward(context, {.shape = p.shape(),
                          .x = x.view(),
                          .lengths = lengths.view(),
                          .host_lengths = p.batch.lengths.data(),
                          .weights = weights.view(),
                          .y = y.data() + p.left,
                          .y_stride = p.y_stride(),
                          .dy = dy.data() + p.left,
                          .reserve = reserve.view(),
                          .dx = want_dx ? dx.view() : TensorView{},
                          .dweights = dweights.view()});
  context.synchronize();
  return {y.to_host(), dx.to_host(), dweights.to_host()};
}

// sum over valid steps of y * dy, from the reference
double reference_loss(const Problem& p, const Values& v, const std::vector<double>& x,
                      const std::vector<double>& weights) {
  double loss = 0;
  for (std::int64_t b = 0; b < p.batch.batch(); ++b) {
    const reference::Sequence y = reference::lstm(weights.data(), p.batch.sequence(x, b, p.input()),
                                                  static_cast<std::size_t>(p.hidden), p.reversed);
    const reference::Sequence dy = p.batch.sequence(v.dy, b, p.y_stride());
    for (std::size_t t = 0; t < y.size(); ++t) {
      for (std::size_t j = 0; j < y[t].size(); ++j)
        loss += y[t][j] * dy[t][static_cast<std::size_t>(p.left) + j];
    }
  }
  return loss;
}

std::vector<Problem> problems() {
  std::vector<Problem> out;
  for (const bool reversed : {false, true}) {
    out.push_back({{.time = 6, .feature = 5, .lengths = {6, 4, 4, 1}}, 3, reversed, 0, 0});
    out.push_back(
        {{.time = 7, .feature = 3, .lengths = {2, 6, 1, 5, 3}}, 7, reversed, 2, 4});  // unsorted, T spare
    out.push_back({{.time = 5, .feature = 21, .lengths = {5, 5, 3}}, 19, reversed, 19, 0});
    out.push_back({{.time = 1, .feature = 4, .lengths = {1}}, 1, reversed, 0, 0});
  }
  return out;
}
std::string name_of(const Problem& p) {
  return cat("T", p.batch.time, " B", p.batch.batch(), " I", p.input(), " H", p.hidden,
             p.reversed ? " reversed" : "");
}

class LstmTest : public testing_support::DeviceTest {
 protected:
  // Bits on the CPU; on a GPU the library's choice of kernel may depend on the sizes.
  void expect_same(const std::vector<float>& a, const std::vector<float>& b) {
    if (device().kind == DeviceKind::kCpu) {
      EXPECT_TRUE(same_bits(a, b));
    } else {
      expect_close(a, b, 1e-6, 1e-5);
    }
  }
};

TEST_P(LstmTest, ForwardEqualsTheReferenceAndPaddingIsZero) {
  const Context context(device());
  for_each_level(device(), [&] {
    for (const Problem& p : problems()) {
      SCOPED_TRACE(name_of(p));
      const Values v = values_of(p);
      const std::vector<float> y = run_on(context, p, v).y;
      std::vector<double> expected(y.size(), 0.0);
      const std::vector<double> weights = testing_support::to_double(v.weights);
      for (std::int64_t b = 0; b < p.batch.batch(); ++b) {
        const reference::Sequence rows = reference::lstm(weights.data(), p.batch.sequence(v.x, b, p.input()),
                                                         static_cast<std::size_t>(p.hidden), p.reversed);
        for (std::int64_t t = 0; t < p.batch.time; ++t) {
          for (std::int64_t f = 0; f < p.y_stride(); ++f) {
            double& value = expected[p.batch.place(t, b, f, p.y_stride())];
            const std::int64_t j = f - p.left;
            const auto step = static_cast<std::size_t>(t);
            value = j < 0 || j >= p.hidden ? kUntouched
                    : step < rows.size()   ? rows[step][static_cast<std::size_t>(j)]
                                           : 0;
          }
        }
      }
      expect_close(y, expected, 1e-6, 2e-6, {p.batch.time, p.batch.batch(), p.y_stride()});
    }
  });
}

TEST_P(LstmTest, GradientsEqualDifferencesOfTheReference) {
  const Context context(device());
  for_each_level(device(), [&] {
    for (const Problem& p : problems()) {
      SCOPED_TRACE(name_of(p));
      const Values v = values_of(p);
      const Results results = run_on(context, p, v);
      const std::vector<double> x = testing_support::to_double(v.x);
      const std::vector<double> weights = testing_support::to_double(v.weights);
      const std::size_t every = p.parameters() > 1000 ? 7 : 1;
      const std::vector<double> dweights = reference::numeric_gradient(
          [&](const std::vector<double>& w) { return reference_loss(p, v, x, w); }, weights, every);
      const std::vector<double> dx = reference::numeric_gradient(
          [&](const std::vector<double>& other) { return reference_loss(p, v, other, weights); }, x);
      expect_close(reference::thinned(results.dweights, every), reference::thinned(dweights, every), 5e-6,
                   2e-5);
      expect_close(results.dx, dx, 5e-6, 2e-5, {p.batch.time, p.batch.batch(), p.input()});
    }
  });
}

TEST_P(LstmTest, WithoutTheInputsGradientTheOthersAreTheSame) {
  const Context context(device());
  const Problem p = problems()[1];
  const Values v = values_of(p);
  const Results with = run_on(context, p, v, true);
  const Results without = run_on(context, p, v, false);
  EXPECT_TRUE(same_bits(with.dweights, without.dweights));
  EXPECT_TRUE(same_bits(without.dx, std::vector<float>(v.x.size(), 0.0f)));
}

TEST_P(LstmTest, GradientsAreAddedToWhatIsThere) {
  const Context context(device());
  const Problem p{{.time = 4, .feature = 5, .lengths = {4, 2}}, 3, false, 0, 0};
  const Values v = values_of(p);
  const Results once = run_on(context, p, v);
  const Tensor x = Tensor::from_host(device(), v.x);
  const Tensor weights = Tensor::from_host(device(), v.weights);
  const Tensor dy = Tensor::from_host(device(), v.dy);
  const Array<std::int32_t> lengths = Array<std::int32_t>::from_host(device(), p.batch.lengths);
  Tensor y(device(), {static_cast<std::int64_t>(v.dy.size())});
  Tensor dx = Tensor::from_host(device(), std::vector<float>(v.x.size(), 10.0f));
  Tensor dweights = Tensor::from_host(device(), std::vector<float>(once.dweights.size(), -10.0f));
  Tensor reserve(device(), {lstm_reserve_size(context, p.shape())});
  lstm_forward(context, {.shape = p.shape(),
                         .x = x.view(),
                         .lengths = lengths.view(),
                         .host_lengths = p.batch.lengths.data(),
                         .weights = weights.view(),
                         .y = y.data(),
                         .y_stride = p.y_stride(),
                         .reserve = reserve.view(),
                         .training = true});
  lstm_backward(context, {.shape = p.shape(),
                          .x = x.view(),
                          .lengths = lengths.view(),
                          .host_lengths = p.batch.lengths.data(),
                          .weights = weights.view(),
                          .y = y.data(),
                          .y_stride = p.y_stride(),
                          .dy = dy.data(),
                          .reserve = reserve.view(),
                          .dx = dx.view(),
                          .dweights = dweights.view()});
  context.synchronize();
  std::vector<float> expected_dx = once.dx;
  for (float& value : expected_dx) value += 10;
  std::vector<float> expected_dweights = once.dweights;
  for (float& value : expected_dweights) value -= 10;
  expect_close(dx.to_host(), expected_dx, 1e-5, 0);
  expect_close(dweights.to_host(), expected_dweights, 1e-5, 0);
}

TEST_P(LstmTest, MorePaddingChangesNothing) {
  const Context context(device());
  for (const bool reversed : {false, true}) {
    SCOPED_TRACE(reversed ? "reversed" : "forward");
    const Problem tight{{.time = 6, .feature = 5, .lengths = {6, 4, 2}}, 11, reversed, 0, 0};
    Problem loose = tight;
    loose.batch.time = 23;
    const Values v = values_of(tight);
    Values padded = v;
    padded.x.resize(static_cast<std::size_t>(23 * 3 * 5), 1e30f);
    padded.dy.resize(static_cast<std::size_t>(23 * 3 * 11), 1e30f);
    const Results a = run_on(context, tight, v);
    Results b = run_on(context, loose, padded);
    EXPECT_EQ(std::count(b.y.begin() + 6 * 3 * 11, b.y.end(), 0.0f), 17 * 3 * 11);
    b.y.resize(a.y.size());
    b.dx.resize(a.dx.size());
    expect_same(a.y, b.y);
    expect_same(a.dx, b.dx);
    expect_same(a.dweights, b.dweights);
  }
}

TEST_P(LstmTest, AnyOrderOfSequencesGivesTheSame) {
  const Context context(device());
  for (const bool reversed : {false, true}) {
    const Problem sorted{{.time = 9, .feature = 4, .lengths = {9, 7, 4, 1}}, 6, reversed, 0, 0};
    const std::vector<std::size_t> order{2, 0, 3, 1};  // place in the shuffled batch -> in the sorted one
    Problem shuffled = sorted;
    const Values v = values_of(sorted);
    Values w = v;
    for (std::size_t b = 0; b < order.size(); ++b) {
      shuffled.batch.lengths[b] = sorted.batch.lengths[order[b]];
      for (std::int64_t t = 0; t < 9; ++t) {
        const auto from = static_cast<std::int64_t>(order[b]);
        const auto to = static_cast<std::int64_t>(b);
        for (std::int64_t f = 0; f < 4; ++f)
          w.x[sorted.batch.place(t, to, f, 4)] = v.x[sorted.batch.place(t, from, f, 4)];
        for (std::int64_t f = 0; f < 6; ++f)
          w.dy[sorted.batch.place(t, to, f, 6)] = v.dy[sorted.batch.place(t, from, f, 6)];
      }
    }
    const Results a = run_on(context, sorted, v);
    const Results b = run_on(context, shuffled, w);
    expect_close(b.dweights, a.dweights, 5e-6, 1e-5);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto y_a = sorted.batch.sequence(a.y, static_cast<std::int64_t>(order[i]), 6);
      const auto y_b = shuffled.batch.sequence(b.y, static_cast<std::int64_t>(i), 6);
      const auto dx_a = sorted.batch.sequence(a.dx, static_cast<std::int64_t>(order[i]), 4);
      const auto dx_b = shuffled.batch.sequence(b.dx, static_cast<std::int64_t>(i), 4);
      ASSERT_EQ(y_a.size(), y_b.size());
      for (std::size_t t = 0; t < y_a.size(); ++t) {
        expect_close(y_b[t], y_a[t], 1e-6, 1e-6);
        expect_close(dx_b[t], dx_a[t], 1e-6, 1e-5);
      }
    }
  }
}

TEST_P(LstmTest, RepeatsGiveTheSameBits) {
  const Context context(device());
  const Problem p{{.time = 31, .feature = 13, .lengths = {31, 30, 17, 9, 9, 2}}, 24, true, 0, 0};
  const Values v = values_of(p);
  const Results first = run_on(context, p, v);
  for (int repeat = 0; repeat < 8; ++repeat) {
    const Results again = run_on(context, p, v);
    EXPECT_TRUE(same_bits(first.y, again.y));
    EXPECT_TRUE(same_bits(first.dx, again.dx));
    EXPECT_TRUE(same_bits(first.dweights, again.dweights));
  }
}

TEST_P(LstmTest, WrongArgumentsAreCaught) {
  const Context context(device());
  const Problem good{{.time = 4, .feature = 3, .lengths = {4, 2}}, 5, false, 0, 0};
  const auto fails = [&](const Problem& p, Values v) { EXPECT_THROW(run_on(context, p, v), InternalError); };
  Problem p = good;
  p.batch.lengths = {5, 2};
  fails(p, {random_values(24, 1), random_values(p.parameters(), 2), random_values(40, 3)});
  p.batch.lengths = {4, 0};
  fails(p, {random_values(24, 1), random_values(p.parameters(), 2), random_values(40, 3)});
  Values v = values_of(good);
  v.weights.pop_back();
  fails(good, v);
  v = values_of(good);
  v.x.pop_back();
  fails(good, v);
}

SERVAL_DEVICE_TESTS(LstmTest);

TEST(LstmOnCpu, ABatchGivesTheBitsOfItsSequencesOneByOne) {
  const Context context;
  for_each_level({}, [&] {
    const Problem p{{.time = 8, .feature = 6, .lengths = {8, 5, 5, 2}}, 10, false, 0, 0};
    const Values v = values_of(p);
    const Results together = run_on(context, p, v);
    for (std::int64_t b = 0; b < 4; ++b) {
      Problem single = p;
      single.batch.lengths = {p.batch.lengths[static_cast<std::size_t>(b)]};
      single.batch.time = single.batch.lengths[0];
      Values w{.x = {}, .weights = v.weights, .dy = {}};
      for (std::int64_t t = 0; t < single.batch.time; ++t) {
        for (std::int64_t f = 0; f < 6; ++f) w.x.push_back(v.x[p.batch.place(t, b, f, 6)]);
        for (std::int64_t f = 0; f < 10; ++f) w.dy.push_back(v.dy[p.batch.place(t, b, f, 10)]);
      }
      const Results alone = run_on(context, single, w);
      EXPECT_EQ(single.batch.sequence(alone.y, 0, 10), p.batch.sequence(together.y, b, 10)) << b;
      EXPECT_EQ(single.batch.sequence(alone.dx, 0, 6), p.batch.sequence(together.dx, b, 6)) << b;
    }
  });
}

TEST(LstmParameters, CountHasOneBias) {
  EXPECT_EQ(lstm_parameter_count(1, 256), 264192);
  EXPECT_EQ(lstm_parameter_count(120, 128), 127488);
}

}  // namespace
}  // namespace serval::nn
