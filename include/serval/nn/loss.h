// Losses over classes: cross-entropy and focal loss.
//   z = logits, p = softmax(z), w = class weights (1 without), smoothing e, gamma g (0: cross-entropy)
//   t = 1 for the label and 0 for the others, or the row of `targets`;  q_c = w_c ((1 - e) t_c + e / classes)
//   L_b = sum_c q_c (1 - p_c)^g (-log p_c)
//   loss = sum_b L_b / n,   n = sum_b w[label_b] with labels, the batch's size with rows of targets
// which is PyTorch's cross_entropy with weight, label_smoothing and probabilities as targets. The gradient is
//   dL_b/dz_k = q_k h_k - p_k sum_c q_c h_c,   h = g p (1 - p)^(g - 1) log p - (1 - p)^g
#pragma once

#include <cmath>

#include "serval/core/portable_op.h"
#include "serval/nn/detail/softmax.h"

namespace serval::nn {

struct SoftmaxCrossEntropyArgs {
  std::int64_t batch = 0, classes = 0;
  ConstTensorView logits;                // [batch, classes]
  View<const std::int32_t> labels = {};  // [batch]; without labels and targets, only probabilities are wanted
  ConstTensorView class_weights = {};    // [classes]; empty: all 1
  TensorView probabilities;              // [batch, classes]; written
  TensorView dlogits;                    // [batch, classes]; written; empty: not wanted
  TensorView loss;               // [2]: += factor * sum_b L_b, += n (so that an epoch adds up on the device)
  ConstTensorView targets = {};  // [batch, classes], in the place of labels
  float label_smoothing = 0;
  float gamma = 0;
  float factor = 1;        // of the loss and its gradient
  bool count_rows = true;  // adds n to loss[1]: once, where several outputs have a loss

  void check() const {
    SERVAL_CHECK(classes >= 1 && logits.size() == batch * classes && probabilities.size() == batch * classes,
                 "softmax of ", to_string(logits.shape), " into ", to_string(probabilities.shape));
    if (labels.empty() && targets.empty()) return;
    SERVAL_CHECK(loss.size() == 2 && (dlogits.empty() || dlogits.size() == batch * classes), "loss ",
                 to_string(loss.shape), " and gradient ", to_string(dlogits.shape));
    if (!targets.empty()) {
      SERVAL_CHECK(targets.size() == batch * classes, "targets ", to_string(targets.shape));
      return;
    }
    SERVAL_CHECK(labels.size() == batch, "labels ", to_string(labels.shape));
    if (labels.device != DeviceKind::kCpu) return;
    for (std::int64_t b = 0; b < batch; ++b) {
      SERVAL_CHECK(labels.data[b] >= 0 && labels.data[b] < classes, "label ", labels.data[b], " of ", classes,
                   " classes");
    }
  }
  SERVAL_HD std::int64_t teams() const { return 1; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t) const {
    const bool hard = !labels.empty() && targets.empty();
    if (!hard && targets.empty()) {
      for (std::int64_t b = team.rank(); b < batch; b += team.size())
        detail::softmax_row(logits.data + b * classes, classes, probabilities.data + b * classes);
      return;
    }
    double rows = 0;
    for (std::int64_t b = team.rank(); b < batch; b += team.size())
      rows += hard ? static_cast<double>(class_weight(labels.data[b])) : 1.0;
    rows = team.sum(rows);
    const float scale = factor / static_cast<float>(rows);
    double sum = 0;
    for (std::int64_t b = team.rank(); b < batch; b += team.size())
      sum += static_cast<double>(row(b, hard, scale));
    sum = team.sum(sum);
    if (team.rank() == 0) {
      loss.data[0] += factor * static_cast<float>(sum);
      if (count_rows) loss.data[1] += static_cast<float>(rows);
    }
  }

 private:
  SERVAL_HD float class_weight(std::int64_t c) const {
    return class_weights.empty() ? 1.0f : class_weights.data[c];
  }
  SERVAL_HD float target(std::int64_t b, std::int64_t c, bool hard) const {
    const float t = hard ? (labels.data[b] == c ? 1.0f : 0.0f) : targets.data[b * classes + c];
    return class_weight(c) * ((1 - label_smoothing) * t + label_smoothing / static_cast<float>(classes));
  }
  // h of the file's head, and (1 - p)^g.
  SERVAL_HD float slope(float p, float log_p, float& focus) const {
    focus = 1;
    if (gamma == 0) return -1;
    const float rest = 1 - p;
    focus = rest > 0 ? powf(rest, gamma) : 0.0f;
    return rest > 0 ? gamma * p * powf(rest, gamma - 1) * log_p - focus : 0.0f;
  }
  // L_b; writes the gradient's row.
  SERVAL_HD float row(std::int64_t b, bool hard, float scale) const {
    const float* z = logits.data + b * classes;
    float* p = probabilities.data + b * classes;
    const float log_sum = detail::softmax_row(z, classes, p);
    float loss_of_row = 0, slopes = 0, focus = 1;
    for (std::int64_t c = 0; c < classes; ++c) {
      const float q = target(b, c, hard);
      if (q == 0) continue;  // whose -log p may be infinite
      const float log_p = z[c] - log_sum;
      slopes += q * slope(p[c], log_p, focus);
      loss_of_row -= q * focus * log_p;
    }
    if (dlogits.empty()) return loss_of_row;
    for (std::int64_t c = 0; c < classes; ++c) {
      const float q = target(b, c, hard);
      const float own = q == 0 ? 0.0f : q * slope(p[c], z[c] - log_sum, focus);
      dlogits.data[b * classes + c] = scale * (own - p[c] * slopes);
    }
    return loss_of_row;
  }
};
struct SoftmaxCrossEntropy : PortableOp<SoftmaxCrossEntropyArgs> {
  static constexpr const char* kName = "softmax_cross_entropy";
};

}  // namespace serval::nn
