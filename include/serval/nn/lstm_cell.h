// What lies between the products of an LSTM whose gates may look at the cell (a peephole). Gates i, f, g, o, [rows, 4H];
// p is null or the diagonal peepholes of i, f and o, [3, H].
//   c = sigmoid(f + p_f c_before) c_before + sigmoid(i + p_i c_before) tanh(g)
//   h = sigmoid(o + p_o c') tanh(c)                                              c' = c, or c_before
#pragma once

#include "serval/nn/recurrent.h"

namespace serval::nn {

struct LstmCellRows {
  StepRows rows;
  std::int64_t hidden = 0;
  const float* p = nullptr;
  bool output_current = true;  // c' is c
};

// Gates i, f and g are activated; o gets its share of c_before.
struct LstmStateArgs {
  LstmCellRows cell;
  float* gates = nullptr;
  const float* c_before = nullptr;  // null: 0
  float* c = nullptr;

  SERVAL_HD std::int64_t teams() const { return cell.rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = cell.rows.run(row);
    const std::int64_t hidden = cell.hidden;
    const float* p = cell.p;
    float* to = gates + row * 4 * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const float before = run && c_before != nullptr ? c_before[row * hidden + j] : 0.0f;
      const float i = detail::sigmoid(to[j] + (p == nullptr ? 0.0f : p[j] * before));
      const float f = detail::sigmoid(to[hidden + j] + (p == nullptr ? 0.0f : p[hidden + j] * before));
      const float g = tanhf(to[2 * hidden + j]);
      to[j] = i;
      to[hidden + j] = f;
      to[2 * hidden + j] = g;
      if (p != nullptr && !cell.output_current) to[3 * hidden + j] += p[2 * hidden + j] * before;
      c[row * hidden + j] = run ? f * before + i * g : 0.0f;
    }
  }
};
struct LstmState : PortableOp<LstmStateArgs> {
  static constexpr const char* kName = "lstm_state";
};

struct LstmOutputArgs {
  LstmCellRows cell;
  float* gates = nullptr;
  const float* c = nullptr;
  float* h = nullptr;

  SERVAL_HD std::int64_t teams() const { return cell.rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = cell.rows.run(row);
    const std::int64_t hidden = cell.hidden;
    float* to = gates + (row * 4 + 3) * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const float state = c[row * hidden + j];
      const float peep = cell.p == nullptr || !cell.output_current ? 0.0f : cell.p[2 * hidden + j] * state;
      to[j] = detail::sigmoid(to[j] + peep);
      h[row * hidden + j] = run ? to[j] * tanhf(state) : 0.0f;
    }
  }
};
struct LstmOutput : PortableOp<LstmOutputArgs> {
  static constexpr const char* kName = "lstm_output";
};

// o becomes the gradient before its sigmoid; dc, in: from the step after, becomes that of c.
struct LstmOutputBackwardArgs {
  LstmCellRows cell;
  float* gates = nullptr;
  const float* c = nullptr;
  const float* dy = nullptr;
  const float* carry = nullptr;  // of h, from the step after
  float* dc = nullptr;

  SERVAL_HD std::int64_t teams() const { return cell.rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = cell.rows.run(row);
    const std::int64_t hidden = cell.hidden;
    float* to = gates + (row * 4 + 3) * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      const float tanh_c = tanhf(c[i]);
      const float dh = dy[i] + carry[i];
      const float o = to[j];
      const float before = dh * tanh_c * o * (1 - o);
      const float peep = cell.p == nullptr || !cell.output_current ? 0.0f : cell.p[2 * hidden + j] * before;
      dc[i] = run ? dc[i] + dh * o * (1 - tanh_c * tanh_c) + peep : 0.0f;
      to[j] = run ? before : 0.0f;
    }
  }
};
struct LstmOutputBackward : PortableOp<LstmOutputBackwardArgs> {
  static constexpr const char* kName = "lstm_output_backward";
};

// i, f and g become gradients; dc becomes what reaches c_before past full peepholes.
struct LstmStateBackwardArgs {
  LstmCellRows cell;
  float* gates = nullptr;
  const float* c_before = nullptr;  // null: 0
  float* dc = nullptr;

  SERVAL_HD std::int64_t teams() const { return cell.rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = cell.rows.run(row);
    const std::int64_t hidden = cell.hidden;
    const float* p = cell.p;
    float* to = gates + row * 4 * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t at = row * hidden + j;
      const float before = c_before == nullptr ? 0.0f : c_before[at];
      const float i = to[j];
      const float f = to[hidden + j];
      const float g = to[2 * hidden + j];
      const float d = dc[at];
      const float di = run ? d * g * i * (1 - i) : 0.0f;
      const float df = run ? d * before * f * (1 - f) : 0.0f;
      to[j] = di;
      to[hidden + j] = df;
      to[2 * hidden + j] = run ? d * i * (1 - g * g) : 0.0f;
      float out = run ? d * f : 0.0f;
      if (p != nullptr) {
        out += p[j] * di + p[hidden + j] * df;
        if (!cell.output_current) out += p[2 * hidden + j] * to[3 * hidden + j];
      }
      dc[at] = out;
    }
  }
};
struct LstmStateBackward : PortableOp<LstmStateBackwardArgs> {
  static constexpr const char* kName = "lstm_state_backward";
};

template <class List>
void list_lstm_cell_ops(List& list) {
  list.template op<LstmState>();
  list.template op<LstmOutput>();
  list.template op<LstmStateBackward>();
  list.template op<LstmOutputBackward>();
}

}  // namespace serval::nn
