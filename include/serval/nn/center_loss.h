// Center loss (Wen et al., ECCV 2016): pulls what a layer says of a recording towards the centre of its class.
//   loss = 1 / (2 batch) sum_b |x_b - c[label_b]|^2
// The centres are no weights: after each step, with n_j recordings of class j in the batch,
//   c_j -= rate * sum_{b of class j} (c_j - x_b) / (1 + n_j)
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

struct CenterLossArgs {
  std::int64_t batch = 0, width = 0;
  ConstTensorView x;                // [batch, width]
  ConstTensorView centers;          // [classes, width]
  View<const std::int32_t> labels;  // [batch]
  TensorView dx;                    // [batch, width]; written; empty: not wanted
  TensorView loss;                  // [2]: += factor * batch * loss, += batch
  float factor = 1;                 // of the loss and its gradient

  void check() const {
    SERVAL_CHECK(batch >= 1 && x.size() == batch * width && labels.size() == batch && loss.size() == 2 &&
                     (dx.empty() || dx.size() == x.size()) && centers.size() % width == 0,
                 "center loss of ", to_string(x.shape), " with centres ", to_string(centers.shape));
  }
  SERVAL_HD std::int64_t teams() const { return 1; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t) const {
    const float scale = factor / static_cast<float>(batch);
    double sum = 0;
    for (std::int64_t i = team.rank(); i < batch * width; i += team.size()) {
      const float difference = x.data[i] - centers.data[labels.data[i / width] * width + i % width];
      sum += static_cast<double>(difference) * static_cast<double>(difference);
      if (!dx.empty()) dx.data[i] = scale * difference;
    }
    sum = team.sum(sum);
    if (team.rank() == 0) {
      loss.data[0] += factor * static_cast<float>(sum / 2);
      loss.data[1] += static_cast<float>(batch);
    }
  }
};
struct CenterLoss : PortableOp<CenterLossArgs> {
  static constexpr const char* kName = "center_loss";
};

struct CenterUpdateArgs {
  std::int64_t batch = 0, width = 0;
  ConstTensorView x;                // [batch, width]
  View<const std::int32_t> labels;  // [batch]
  TensorView centers;               // [classes, width]
  float rate = 0.5f;

  void check() const {
    SERVAL_CHECK(x.size() == batch * width && labels.size() == batch && centers.size() % width == 0,
                 "centres ", to_string(centers.shape), " of ", to_string(x.shape));
  }
  SERVAL_HD std::int64_t count() const { return centers.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    double sum = 0;
    std::int64_t own = 0;
    for (std::int64_t b = 0; b < batch; ++b) {
      if (labels.data[b] != i / width) continue;
      ++own;
      sum += static_cast<double>(centers.data[i]) - static_cast<double>(x.data[b * width + i % width]);
    }
    if (own > 0) centers.data[i] -= rate * static_cast<float>(sum / static_cast<double>(1 + own));
  }
};
struct CenterUpdate : PortableOp<CenterUpdateArgs> {
  static constexpr const char* kName = "center_update";
};

}  // namespace serval::nn
