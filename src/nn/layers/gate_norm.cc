#include "gate_norm.h"

namespace serval::nn {

GateNorm::GateNorm(const LayerBuild& build, const GateNormSettings& settings) : s_(settings) {
  normed_ = build.floats(build.max_rows(build.input()) * s_.channels);
  planes_ = build.floats(build.max_time(build.input()) * 4 * s_.channels);
  means_ = build.floats(2 * s_.channels);
  if (!build.sizes.training) return;
  NormShape one;
  one.rows = build.sizes.max_batch;
  one.channels = s_.channels;
  sums_ = Array<double>(build.context.device(), {2 * one.parts() * one.statistics()});
}

void GateNorm::check_steps(const Scan& scan, const std::string& layer) const {
  for (std::int64_t b = 0; b < scan.call.batch; ++b) {
    const std::int32_t length = scan.steps.host_lengths[b];
    if (length > s_.max_steps) {
      throw DataError(cat("layer ", layer, " has statistics for ", s_.max_steps,
                          " steps, but a sequence has ", length, "; raise max_steps"));
    }
  }
}

void GateNorm::forward(const Scan& scan, std::int64_t s, const Blocks& blocks, const Tensor& gates) {
  const Context& context = scan.call.context;
  const ConstTensorView x = of_step(gates, scan, s);
  if (s >= s_.max_steps) {  // past the end of every sequence
    scan.zero(of_step(normed_, scan, s).data, x.size());
    return;
  }
  const std::int64_t at = s * s_.channels;
  if (blocks.of_batch) {
    run<NormSums>(context, NormSumsArgs{.shape = shape(scan, s), .a = x, .b = x, .sums = sums_.view()});
    run<NormStatistics>(context, NormStatisticsArgs{.shape = shape(scan, s),
                                                    .sums = sums_.view(),
                                                    .gamma = blocks.gamma,
                                                    .beta = blocks.beta,
                                                    .planes = planes(s),
                                                    .running_mean = blocks.running_mean.data + at,
                                                    .running_variance = blocks.running_variance.data + at,
                                                    .epsilon = s_.epsilon,
                                                    .momentum = s_.momentum});
  } else {
    const auto running = [&](const TensorView& statistic) {
      return ConstTensorView{statistic.data + at, Shape{s_.channels}, statistic.device};
    };
    run<NormRunning>(context, NormRunningArgs{.groups = 1,
                                              .channels = s_.channels,
                                              .gamma = blocks.gamma,
                                              .beta = blocks.beta,
                                              .running_mean = running(blocks.running_mean),
                                              .running_variance = running(blocks.running_variance),
                                              .planes = planes(s),
                                              .epsilon = s_.epsilon});
  }
  run<NormApply>(
      context,
      NormApplyArgs{.shape = shape(scan, s), .x = x, .planes = planes(s), .y = of_step(normed_, scan, s)});
}

void GateNorm::backward(const Scan& scan, std::int64_t s, const Blocks& blocks, const Tensor& gates,
                        Tensor& dgates) {
  if (s >= s_.max_steps) return;  // nothing but zeros
  const Context& context = scan.call.context;
  const TensorView dz = of_step(dgates, scan, s);
  const ConstTensorView x = of_step(gates, scan, s);
  float* const products = means_.data() + s_.channels;
  if (blocks.of_batch || !blocks.dgamma.empty()) {
    run<NormSums>(context, NormSumsArgs{.shape = shape(scan, s), .a = dz, .b = x, .sums = sums_.view()});
    run<NormGradients>(context, NormGradientsArgs{.shape = shape(scan, s),
                                                  .sums = sums_.view(),
                                                  .planes = planes(s),
                                                  .dgamma = blocks.dgamma,
                                                  .dbeta = blocks.dbeta,
                                                  .mean_dz = means_.data(),
                                                  .mean_dz_x = products,
                                                  .of_running = !blocks.of_batch});
  } else {
    run<FillZero>(context, means_.view());
  }
  run<NormBackward>(context, NormBackwardArgs{.shape = shape(scan, s),
                                              .x = x,
                                              .dz = dz,
                                              .planes = planes(s),
                                              .mean_dz = means_.data(),
                                              .mean_dz_x = products,
                                              .dx = dz});
}

// Step s as the only one there is.
NormShape GateNorm::shape(const Scan& scan, std::int64_t s) const {
  NormShape out;
  out.rows = out.batch = scan.rows();
  out.channels = s_.channels;
  out.lengths = scan.steps.lengths;
  out.first_step = s;
  return out;
}

NormPlanes GateNorm::planes(std::int64_t s) {
  float* const first = planes_.data() + s * 4 * s_.channels;
  return {first, first + s_.channels, first + 2 * s_.channels, first + 3 * s_.channels};
}

ConstTensorView GateNorm::of_step(const Tensor& values, const Scan& scan, std::int64_t s) const {
  const std::int64_t size = scan.rows() * s_.channels;
  return {values.data() + s * size, Shape{scan.rows(), s_.channels}, scan.call.context.device().kind};
}
TensorView GateNorm::of_step(Tensor& values, const Scan& scan, std::int64_t s) const {
  return values.view(s * scan.rows() * s_.channels, {scan.rows(), s_.channels});
}

}  // namespace serval::nn
