// The gradients of batch norm. With z = gamma x^ + beta and n values of a channel in a group:
//   dbeta += sum of dz,  dgamma += sum of dz x^
//   dx = gamma / sqrt(variance + epsilon) * (dz - sum of dz / n - x^ * sum of dz x^ / n)
// Where the statistics were the running ones, the last two terms are absent.
#pragma once

#include "serval/nn/batch_norm.h"

namespace serval::nn {

// From the sums of dz and dz * x: dgamma and dbeta, which are added to, and what dx takes off.
struct NormGradientsArgs {
  NormShape shape;
  View<const double> sums;
  NormPlanes planes;
  TensorView dgamma, dbeta;    // [channels] or empty
  float* mean_dz = nullptr;    // [groups, channels]: sum of dz / n
  float* mean_dz_x = nullptr;  // sum of dz x^ / n, times inverse
  bool of_running = false;

  SERVAL_HD std::int64_t count() const { return shape.channels; }
  SERVAL_HD void at(std::int64_t c) const {
    double all = 0;
    double all_products = 0;
    for (std::int64_t group = 0; group < shape.groups; ++group) {
      double sum = 0;
      double products = 0;
      for (std::int64_t part = 0; part < shape.parts(); ++part) {
        const double* from = sums.data + (group * shape.parts() + part) * 2 * shape.channels + c;
        sum += from[0];
        products += from[shape.channels];
      }
      const std::int64_t i = group * shape.channels + c;
      const auto inverse = static_cast<double>(planes.inverse[i]);
      const double normed = (products - static_cast<double>(planes.center[i]) * sum) * inverse;
      const auto n = static_cast<double>(shape.count(group));
      const bool none = of_running || n == 0;
      mean_dz[i] = none ? 0.0f : static_cast<float>(sum / n);
      mean_dz_x[i] = none ? 0.0f : static_cast<float>(normed * inverse / n);
      all += sum;
      all_products += normed;
    }
    if (dbeta.data != nullptr) dbeta.data[c] += static_cast<float>(all);
    if (dgamma.data != nullptr) dgamma.data[c] += static_cast<float>(all_products);
  }
};
struct NormGradients : PortableOp<NormGradientsArgs> {
  static constexpr const char* kName = "norm_gradients";
};

struct NormBackwardArgs {
  NormShape shape;
  ConstTensorView x, dz;
  NormPlanes planes;
  const float* mean_dz = nullptr;
  const float* mean_dz_x = nullptr;
  TensorView dx;

  void check() const {
    SERVAL_CHECK(x.size() == shape.size() && dz.size() == x.size() && dx.size() == x.size(), "norm_backward ",
                 to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return shape.all_rows() * (shape.inner == 1 ? 1 : shape.channels); }
  SERVAL_HD std::int64_t items() const { return shape.inner == 1 ? shape.channels : shape.inner; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t row = shape.inner == 1 ? index : index / shape.channels;
    const std::int64_t width = shape.inner == 1 ? shape.channels : shape.inner;
    const float* u = dz.data + index * width;
    const float* v = x.data + index * width;
    float* to = dx.data + index * width;
    std::int64_t at = row / shape.rows * shape.channels;
    if (!shape.counts(row)) {
      for (std::int64_t i = team.rank(); i < width; i += team.size()) to[i] = 0;
    } else if (shape.inner == 1) {
      for (std::int64_t i = team.rank(); i < width; i += team.size()) {
        to[i] = planes.scale[at + i] *
                (u[i] - mean_dz[at + i] - (v[i] - planes.center[at + i]) * mean_dz_x[at + i]);
      }
    } else {
      at += index % shape.channels;
      const float scale = planes.scale[at];
      const float center = planes.center[at];
      const float plain = mean_dz[at];
      const float product = mean_dz_x[at];
      for (std::int64_t i = team.rank(); i < width; i += team.size())
        to[i] = scale * (u[i] - plain - (v[i] - center) * product);
    }
  }
};
struct NormBackward : PortableOp<NormBackwardArgs> {
  static constexpr const char* kName = "norm_backward";
};

template <class List>
void list_batch_norm_ops(List& list) {
  list.template op<NormSums>();
  list.template op<NormStatistics>();
  list.template op<NormRunning>();
  list.template op<NormApply>();
  list.template op<NormGradients>();
  list.template op<NormBackward>();
}

}  // namespace serval::nn
