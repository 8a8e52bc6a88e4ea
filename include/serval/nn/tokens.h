// Learned rows of features that are the same for every recording: positions, added to each step of a sequence, and tokens,
// put before it; and what is read off a sequence's first steps. Sequences are [time, batch, feature].
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

// y[t, b, f] = x[t, b, f] + p[t, f]
struct AddPositionsArgs {
  std::int64_t batch = 0, feature = 0;
  ConstTensorView x;  // [time, batch, feature]
  ConstTensorView p;  // [at least time, feature]
  TensorView y;       // [time, batch, feature]

  void check() const {
    SERVAL_CHECK(x.size() == y.size() && p.size() * batch >= x.size(), "add_positions ", to_string(p.shape),
                 " to ", to_string(x.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t t = i / (batch * feature);
    y.data[i] = x.data[i] + p.data[t * feature + i % feature];
  }
};
struct AddPositions : PortableOp<AddPositionsArgs> {
  static constexpr const char* kName = "add_positions";
};

// y[t, b, f] = tokens[t, f] for t < count, x[t - count, b, f] behind
struct PrependTokensArgs {
  std::int64_t tokens = 0, batch = 0, feature = 0;
  ConstTensorView token;  // [tokens, feature]
  ConstTensorView x;      // [at least time - tokens, batch, feature]
  TensorView y;           // [time, batch, feature]

  void check() const {
    SERVAL_CHECK(token.size() == tokens * feature && x.size() + tokens * batch * feature >= y.size(),
                 "prepend_tokens ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t t = i / (batch * feature);
    y.data[i] = t < tokens ? token.data[t * feature + i % feature] : x.data[i - tokens * batch * feature];
  }
};
struct PrependTokens : PortableOp<PrependTokensArgs> {
  static constexpr const char* kName = "prepend_tokens";
};

// sums[t, f] += sum over b of dy[t, b, f], for the first `time` steps: the gradient of both.
struct SumOverBatchArgs {
  std::int64_t time = 0, batch = 0, feature = 0;
  ConstTensorView dy;  // [at least time, batch, feature]
  TensorView sums;     // [at least time, feature]

  void check() const {
    SERVAL_CHECK(dy.size() >= time * batch * feature && sums.size() >= time * feature, "sum_over_batch ",
                 to_string(dy.shape), " to ", to_string(sums.shape));
  }
  SERVAL_HD std::int64_t count() const { return time * feature; }
  SERVAL_HD void at(std::int64_t i) const {
    const float* from = dy.data + i / feature * batch * feature + i % feature;
    double sum = 0;
    for (std::int64_t b = 0; b < batch; ++b) sum += static_cast<double>(from[b * feature]);
    sums.data[i] += static_cast<float>(sum);
  }
};
struct SumOverBatch : PortableOp<SumOverBatchArgs> {
  static constexpr const char* kName = "sum_over_batch";
};

// y[b, f] = mean of x[t, b, f] over the first `steps` steps
struct FirstStepsMeanArgs {
  std::int64_t steps = 1, width = 0;  // width: batch * feature
  ConstTensorView x;                  // [at least steps, width]
  TensorView y;                       // [width]

  void check() const {
    SERVAL_CHECK(y.size() == width && x.size() >= steps * width, "first_steps_mean ", to_string(x.shape));
  }
  SERVAL_HD std::int64_t count() const { return width; }
  SERVAL_HD void at(std::int64_t i) const {
    double sum = 0;
    for (std::int64_t t = 0; t < steps; ++t) sum += static_cast<double>(x.data[t * width + i]);
    y.data[i] = static_cast<float>(sum / static_cast<double>(steps));
  }
};
struct FirstStepsMean : PortableOp<FirstStepsMeanArgs> {
  static constexpr const char* kName = "first_steps_mean";
};

// dx[t, b, f] = dy[b, f] / steps in the first `steps` steps, 0 behind
struct FirstStepsMeanBackwardArgs {
  std::int64_t steps = 1, width = 0;
  ConstTensorView dy;  // [width]
  TensorView dx;       // [time, width]

  void check() const {
    SERVAL_CHECK(dy.size() == width && dx.size() >= steps * width, "first_steps_mean_backward ",
                 to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return dx.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    dx.data[i] = i < steps * width ? dy.data[i % width] / static_cast<float>(steps) : 0.0f;
  }
};
struct FirstStepsMeanBackward : PortableOp<FirstStepsMeanBackwardArgs> {
  static constexpr const char* kName = "first_steps_mean_backward";
};

// y[b, f] = max over a recording's own steps; which step, the first of equals, is kept for the way back.
struct SequenceMaxArgs {
  std::int64_t batch = 0, feature = 0;
  View<const std::int32_t> lengths;  // [batch]
  ConstTensorView x;                 // [time, batch, feature]
  TensorView y;                      // [batch, feature]
  View<std::int32_t> steps;          // [batch, feature]

  void check() const {
    SERVAL_CHECK(y.size() == batch * feature && steps.size() == y.size() && lengths.size() == batch,
                 "sequence_max ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t width = batch * feature;
    float largest = x.data[i];
    std::int32_t step = 0;
    for (std::int32_t t = 1; t < lengths.data[i / feature]; ++t) {
      const float value = x.data[t * width + i];
      if (value <= largest || largest != largest) continue;  // a NaN stays
      largest = value;
      step = t;
    }
    y.data[i] = largest;
    steps.data[i] = step;
  }
};
struct SequenceMax : PortableOp<SequenceMaxArgs> {
  static constexpr const char* kName = "sequence_max";
};

struct SequenceMaxBackwardArgs {
  std::int64_t width = 0;  // batch * feature
  View<const std::int32_t> steps;
  ConstTensorView dy;  // [batch, feature]
  TensorView dx;       // [time, batch, feature], overwritten

  void check() const {
    SERVAL_CHECK(dy.size() == width && steps.size() == width && dx.size() % width == 0,
                 "sequence_max_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return dx.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t column = i % width;
    dx.data[i] = steps.data[column] == i / width ? dy.data[column] : 0.0f;
  }
};
struct SequenceMaxBackward : PortableOp<SequenceMaxBackwardArgs> {
  static constexpr const char* kName = "sequence_max_backward";
};

template <class List>
void list_token_ops(List& list) {
  list.template op<AddPositions>();
  list.template op<PrependTokens>();
  list.template op<SumOverBatch>();
  list.template op<FirstStepsMean>();
  list.template op<FirstStepsMeanBackward>();
  list.template op<SequenceMax>();
  list.template op<SequenceMaxBackward>();
}

}  // namespace serval::nn
