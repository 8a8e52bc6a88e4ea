// What lies between the products and norms of a dual-sequence LSTM. Gates f, iT, o, and iF where there is a second
// candidate, are sigmoids, normed or not, so they may lie beyond 0 and 1; the candidates xT and xF are tanh already.
//   c = f c_before + iT xT + iF xF,  h = o tanh(c)
#pragma once

#include "serval/nn/recurrent.h"

namespace serval::nn {

struct DsStateArgs {
  StepRows rows;
  std::int64_t hidden = 0, gate_stride = 0;
  const float* gates = nullptr;  // [rows, gate_stride]
  const float* x_candidate = nullptr;
  const float* y_candidate = nullptr;  // null: none
  const float* c_before = nullptr;     // null: 0
  float* c = nullptr;
  float* h = nullptr;

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    const float* from = gates + row * gate_stride;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      const float before = run && c_before != nullptr ? c_before[i] : 0.0f;
      float state = from[j] * before + from[hidden + j] * x_candidate[i];
      if (y_candidate != nullptr) state += from[3 * hidden + j] * y_candidate[i];
      c[i] = run ? state : 0.0f;
      h[i] = run ? from[2 * hidden + j] * tanhf(state) : 0.0f;
    }
  }
};
struct DsState : PortableOp<DsStateArgs> {
  static constexpr const char* kName = "ds_state";
};

// The candidates become gradients before their tanh; dgates those of the normed gates; dc, in: from the step after, that
// of c_before.
struct DsStateBackwardArgs {
  StepRows rows;
  std::int64_t hidden = 0, gate_stride = 0, dy_stride = 0;
  const float* gates = nullptr;     // [rows, gate_stride]
  const float* c_before = nullptr;  // null: 0
  const float* c = nullptr;
  const float* dy = nullptr;     // [rows, dy_stride]
  const float* carry = nullptr;  // of h, from the step after
  float* x_candidate = nullptr;
  float* y_candidate = nullptr;  // null: none
  float* dc = nullptr;
  float* dgates = nullptr;  // [rows, gate_stride]

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    const float* from = gates + row * gate_stride;
    float* to = dgates + row * gate_stride;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      const float before = c_before == nullptr ? 0.0f : c_before[i];
      const float tanh_c = tanhf(c[i]);
      const float x = x_candidate[i];
      const float dh = dy[row * dy_stride + j] + carry[i];
      const float d = dc[i] + dh * from[2 * hidden + j] * (1 - tanh_c * tanh_c);
      to[j] = run ? d * before : 0.0f;
      to[hidden + j] = run ? d * x : 0.0f;
      to[2 * hidden + j] = run ? dh * tanh_c : 0.0f;
      x_candidate[i] = run ? d * from[hidden + j] * (1 - x * x) : 0.0f;
      dc[i] = run ? d * from[j] : 0.0f;
      if (y_candidate == nullptr) continue;
      const float y = y_candidate[i];
      to[3 * hidden + j] = run ? d * y : 0.0f;
      y_candidate[i] = run ? d * from[3 * hidden + j] * (1 - y * y) : 0.0f;
    }
  }
};
struct DsStateBackward : PortableOp<DsStateBackwardArgs> {
  static constexpr const char* kName = "ds_state_backward";
};

template <class List>
void list_ds_cell_ops(List& list) {
  list.template op<DsState>();
  list.template op<DsStateBackward>();
}

}  // namespace serval::nn
