// The batch norm of a recurrent layer's gates: statistics of each step, one gamma and one beta.
#pragma once

#include "serval/nn/batch_norm_backward.h"

#include "recurrent.h"

namespace serval::nn {

struct GateNormSettings {
  std::int64_t channels = 0;
  std::int64_t max_steps = 0;  // that have statistics
  double epsilon = 1e-5, momentum = 0.1;
};

class GateNorm {
 public:
  struct Blocks {
    ConstTensorView gamma, beta;                // [channels]
    TensorView running_mean, running_variance;  // [max_steps, channels]
    TensorView dgamma = {}, dbeta = {};         // for backward
    bool of_batch = false;                      // else of the running statistics
  };

  GateNorm() = default;
  GateNorm(const LayerBuild& build, const GateNormSettings& settings);

  // Throws DataError where a sequence has more steps than there are statistics.
  void check_steps(const Scan& scan, const std::string& layer) const;
  // Step s of gates [time, rows, channels].
  void forward(const Scan& scan, std::int64_t s, const Blocks& blocks, const Tensor& gates);
  // dgates, in: of the normed gates. Without dgamma and dbeta those are not wanted.
  void backward(const Scan& scan, std::int64_t s, const Blocks& blocks, const Tensor& gates, Tensor& dgates);
  const float* normed() const { return normed_.data(); }  // [time, rows, channels]

 private:
  NormShape shape(const Scan& scan, std::int64_t s) const;
  NormPlanes planes(std::int64_t s);
  ConstTensorView of_step(const Tensor& values, const Scan& scan, std::int64_t s) const;
  TensorView of_step(Tensor& values, const Scan& scan, std::int64_t s) const;

  GateNormSettings s_;
  Tensor normed_, planes_, means_;
  Array<double> sums_;
};

}  // namespace serval::nn
