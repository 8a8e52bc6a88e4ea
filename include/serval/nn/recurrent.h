// Steps of recurrent layers other than the LSTM of nn/lstm.h: products and sigmoids are ops of their own, here is what
// lies between them. Rows are [batch, per]: a sequence has one row a step, or one for each place of its item. Rows of
// sequences that have ended hold 0, whatever was there.
#pragma once

#include <cmath>

#include "serval/core/portable_op.h"
#include "serval/nn/detail/activation.h"

namespace serval::nn {

struct StepRows {
  std::int64_t step = 0, batch = 0, per = 1;
  View<const std::int32_t> lengths;  // [batch]

  SERVAL_HD std::int64_t count() const { return batch * per; }
  SERVAL_HD bool run(std::int64_t row) const { return step < lengths.data[row / per]; }
};

// From the order of time to the order of reading, or back: `to` = `from`, 0 past a sequence's end. Reversed, each
// sequence starts at its own last step. With `add`, added to what is there, and nothing past the end.
struct ReadStepsArgs {
  std::int64_t time = 0, batch = 0, columns = 0;
  View<const std::int32_t> lengths;
  const float* from = nullptr;  // [time, batch, from_stride]
  std::int64_t from_stride = 0;
  float* to = nullptr;  // [time, batch, to_stride]
  std::int64_t to_stride = 0;
  bool reversed = false, add = false;

  void check() const {
    SERVAL_CHECK(from_stride >= columns && to_stride >= columns, columns, " columns from ", from_stride,
                 " to ", to_stride);
  }
  SERVAL_HD std::int64_t teams() const { return time * batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t b = row % batch;
    const std::int64_t step = row / batch;
    const std::int64_t length = lengths.data[b];
    float* out = to + row * to_stride;
    if (step >= length) {
      if (add) return;
      for (std::int64_t i = team.rank(); i < columns; i += team.size()) out[i] = 0;
      return;
    }
    const float* in = from + ((reversed ? length - 1 - step : step) * batch + b) * from_stride;
    for (std::int64_t i = team.rank(); i < columns; i += team.size()) out[i] = add ? out[i] + in[i] : in[i];
  }
};
struct ReadSteps : PortableOp<ReadStepsArgs> {
  static constexpr const char* kName = "read_steps";
};

// Puts 0 where a sequence has ended.
struct EndStepsArgs {
  StepRows rows;
  std::int64_t columns = 0;
  float* values = nullptr;  // [rows, columns]

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    if (rows.run(row)) return;
    for (std::int64_t i = team.rank(); i < columns; i += team.size()) values[row * columns + i] = 0;
  }
};
struct EndSteps : PortableOp<EndStepsArgs> {
  static constexpr const char* kName = "end_steps";
};

// A simple recurrent step backwards: da = (dy + carry) activation'(h)
struct SimpleStepBackwardArgs {
  StepRows rows;
  std::int64_t hidden = 0;
  const float* h = nullptr;
  const float* dy = nullptr;
  const float* carry = nullptr;  // from the step after
  float* da = nullptr;
  Activation activation = Activation::kTanh;

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      da[i] = run ? (dy[i] + carry[i]) * detail::activation_slope(activation, h[i]) : 0.0f;
    }
  }
};
struct SimpleStepBackward : PortableOp<SimpleStepBackwardArgs> {
  static constexpr const char* kName = "simple_step_backward";
};

// sums[c] += sum over rows of a[r, c] * b[r, c], in double and in order.
struct ProductSumArgs {
  std::int64_t rows = 0, columns = 0;
  const float* a = nullptr;  // [rows, a_stride]
  std::int64_t a_stride = 0;
  const float* b = nullptr;  // [rows, b_stride]
  std::int64_t b_stride = 0;
  float* sums = nullptr;  // [columns]

  SERVAL_HD std::int64_t count() const { return columns; }
  SERVAL_HD void at(std::int64_t c) const {
    double sum = 0;
    for (std::int64_t r = 0; r < rows; ++r)
      sum += static_cast<double>(a[r * a_stride + c]) * static_cast<double>(b[r * b_stride + c]);
    sums[c] += static_cast<float>(sum);
  }
};
struct ProductSum : PortableOp<ProductSumArgs> {
  static constexpr const char* kName = "product_sum";
};

template <class List>
void list_recurrent_ops(List& list) {
  list.template op<ReadSteps>();
  list.template op<EndSteps>();
  list.template op<SimpleStepBackward>();
  list.template op<ProductSum>();
}

}  // namespace serval::nn
