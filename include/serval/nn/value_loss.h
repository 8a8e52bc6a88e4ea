// Losses between numbers: outputs y [batch, targets] and what they should be, t.
//   mean_square   loss = mean of (y - t)^2, PyTorch's mse_loss
//   concordance   loss = 1 - mean over the targets of ccc,
//                 ccc = 2 cov(y, t) / (var y + var t + (mean y - mean t)^2) over the batch, variances divided by its
//                 size; 0, and without a gradient, where both are constant and equal
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

struct ValueLossArgs {
  std::int64_t batch = 0, width = 0;
  ConstTensorView y, targets;  // [batch, width]
  TensorView dy;               // [batch, width]; written; empty: not wanted
  TensorView loss;             // [2]: += factor * batch * loss, += batch
  float factor = 1;            // of the loss and its gradient
  bool count_rows = true;      // adds to loss[1]

  void check() const {
    const std::int64_t numbers = batch * width;
    SERVAL_CHECK(numbers >= 1 && y.size() == numbers && targets.size() == numbers &&
                     (dy.empty() || dy.size() == numbers) && loss.size() == 2,
                 "loss of ", to_string(y.shape), " and ", to_string(targets.shape));
  }
  SERVAL_HD std::int64_t teams() const { return 1; }
  SERVAL_HD void add(double mean) const {
    loss.data[0] += static_cast<float>(static_cast<double>(factor) * static_cast<double>(batch) * mean);
    if (count_rows) loss.data[1] += static_cast<float>(batch);
  }
};

struct MeanSquareLossArgs : ValueLossArgs {
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t) const {
    const std::int64_t numbers = batch * width;
    const float scale = 2 * factor / static_cast<float>(numbers);
    double sum = 0;
    for (std::int64_t i = team.rank(); i < numbers; i += team.size()) {
      const float difference = y.data[i] - targets.data[i];
      sum += static_cast<double>(difference) * static_cast<double>(difference);
      if (!dy.empty()) dy.data[i] = scale * difference;
    }
    sum = team.sum(sum);
    if (team.rank() == 0) add(sum / static_cast<double>(numbers));
  }
};
struct MeanSquareLoss : PortableOp<MeanSquareLossArgs> {
  static constexpr const char* kName = "mean_square_loss";
};

struct ConcordanceLossArgs : ValueLossArgs {
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t) const {
    double sum = 0;
    for (std::int64_t k = team.rank(); k < width; k += team.size()) sum += column(k);
    sum = team.sum(sum);
    if (team.rank() == 0) add(1 - sum / static_cast<double>(width));
  }

 private:
  SERVAL_HD double y_at(std::int64_t b, std::int64_t k) const {
    return static_cast<double>(y.data[b * width + k]);
  }
  SERVAL_HD double target_at(std::int64_t b, std::int64_t k) const {
    return static_cast<double>(targets.data[b * width + k]);
  }
  // ccc of target k; writes its gradients.
  SERVAL_HD double column(std::int64_t k) const {
    const auto rows = static_cast<double>(batch);
    double mean_y = 0, mean_t = 0;
    for (std::int64_t b = 0; b < batch; ++b) {
      mean_y += y_at(b, k) / rows;
      mean_t += target_at(b, k) / rows;
    }
    double variances = 0, covariance = 0;
    for (std::int64_t b = 0; b < batch; ++b) {
      const double from_y = y_at(b, k) - mean_y;
      const double from_t = target_at(b, k) - mean_t;
      variances += (from_y * from_y + from_t * from_t) / rows;
      covariance += from_y * from_t / rows;
    }
    const double below = variances + (mean_y - mean_t) * (mean_y - mean_t);
    const double ccc = below > 0 ? 2 * covariance / below : 0;
    if (dy.empty()) return ccc;
    const double scale =
        below > 0 ? -static_cast<double>(factor) / (below * rows * static_cast<double>(width)) : 0;
    for (std::int64_t b = 0; b < batch; ++b) {
      dy.data[b * width + k] =
          static_cast<float>(scale * (2 * (target_at(b, k) - mean_t) - ccc * 2 * (y_at(b, k) - mean_t)));
    }
    return ccc;
  }
};
struct ConcordanceLoss : PortableOp<ConcordanceLossArgs> {
  static constexpr const char* kName = "concordance_loss";
};

}  // namespace serval::nn
