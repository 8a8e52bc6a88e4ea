// What lies between the products of a GRU. Gates r and z, [rows, 2H], are sigmoids already; n is the candidate.
//   h = (1 - z) n + z h_before
#pragma once

#include "serval/nn/recurrent.h"

namespace serval::nn {

// reset after the product (PyTorch, cuDNN): n += r * q, where q = W h_before + b.
// reset before it: q = r * h_before.
struct GruResetArgs {
  StepRows rows;
  std::int64_t hidden = 0;
  bool after = true;
  const float* gates = nullptr;
  const float* h_before = nullptr;  // null: 0
  float* q = nullptr;
  float* n = nullptr;

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    const float* r = gates + row * 2 * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      if (after) {
        if (run) n[i] += r[j] * q[i];
      } else {
        q[i] = run && h_before != nullptr ? r[j] * h_before[i] : 0.0f;
      }
    }
  }
};
struct GruReset : PortableOp<GruResetArgs> {
  static constexpr const char* kName = "gru_reset";
};

struct GruStateArgs {
  StepRows rows;
  std::int64_t hidden = 0;
  const float* gates = nullptr;
  const float* n = nullptr;
  const float* h_before = nullptr;  // null: 0
  float* h = nullptr;

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    const float* z = gates + (row * 2 + 1) * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      const float before = h_before == nullptr ? 0.0f : h_before[i];
      h[i] = run ? n[i] + z[j] * (before - n[i]) : 0.0f;
    }
  }
};
struct GruState : PortableOp<GruStateArgs> {
  static constexpr const char* kName = "gru_state";
};

// Gates, n and (reset after) q become the gradients before their activations; carry, in: from the step after, becomes
// what reaches h_before past the products. r of reset before is left to GruResetBackward.
struct GruStateBackwardArgs {
  StepRows rows;
  std::int64_t hidden = 0;
  bool after = true;
  const float* h_before = nullptr;
  const float* dy = nullptr;
  float* gates = nullptr;
  float* n = nullptr;
  float* q = nullptr;
  float* carry = nullptr;

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    float* rs = gates + row * 2 * hidden;
    float* zs = rs + hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      const float before = h_before == nullptr ? 0.0f : h_before[i];
      const float r = rs[j];
      const float z = zs[j];
      const float dh = dy[i] + carry[i];
      const float dn = dh * (1 - z) * (1 - n[i] * n[i]);
      carry[i] = run ? dh * z : 0.0f;
      zs[j] = run ? dh * (before - n[i]) * z * (1 - z) : 0.0f;
      if (after) {
        rs[j] = run ? dn * q[i] * r * (1 - r) : 0.0f;
        q[i] = run ? dn * r : 0.0f;
      }
      n[i] = run ? dn : 0.0f;
    }
  }
};
struct GruStateBackward : PortableOp<GruStateBackwardArgs> {
  static constexpr const char* kName = "gru_state_backward";
};

// Reset before the product: from dq, the gradient of r * h_before, to those of r (before its sigmoid) and of h_before.
struct GruResetBackwardArgs {
  StepRows rows;
  std::int64_t hidden = 0;
  const float* h_before = nullptr;
  const float* dq = nullptr;
  float* gates = nullptr;
  float* carry = nullptr;  // added to

  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const bool run = rows.run(row);
    float* rs = gates + row * 2 * hidden;
    for (std::int64_t j = team.rank(); j < hidden; j += team.size()) {
      const std::int64_t i = row * hidden + j;
      const float r = rs[j];
      rs[j] = run && h_before != nullptr ? dq[i] * h_before[i] * r * (1 - r) : 0.0f;
      if (run) carry[i] += dq[i] * r;
    }
  }
};
struct GruResetBackward : PortableOp<GruResetBackwardArgs> {
  static constexpr const char* kName = "gru_reset_backward";
};

template <class List>
void list_gru_ops(List& list) {
  list.template op<GruReset>();
  list.template op<GruState>();
  list.template op<GruStateBackward>();
  list.template op<GruResetBackward>();
}

}  // namespace serval::nn
