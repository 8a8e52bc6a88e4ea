#include "weight_mean.h"

#include "serval/nn/blend.h"

namespace serval::train {

namespace {

void copy(const Context& context, const Tensor& from, Tensor& to) {
  run<nn::BlendInto>(context, nn::BlendIntoArgs{.from = from.view(), .to = to.view()});
}

}  // namespace

WeightMean::WeightMean(const Context& context, const nn::Network& network, const AveragingSettings& settings)
    : settings_(settings) {
  if (settings_.type == Averaging::kNone) return;
  mean_ = Tensor(context.device(), {network.parameter_count()});
  weights_ = Tensor(context.device(), {network.parameter_count()});
}

void WeightMean::after_step(const Context& context, nn::Network& network) {
  if (settings_.type != Averaging::kEma) return;
  const auto decay = static_cast<float>(count_ == 0 ? 0 : settings_.decay);
  run<nn::BlendInto>(
      context,
      nn::BlendIntoArgs{
          .from = network.parameters().view(), .to = mean_.view(), .share = 1 - decay, .keep = decay});
  ++count_;
}

void WeightMean::after_epoch(const Context& context, nn::Network& network, int epoch) {
  if (settings_.type != Averaging::kSwa || epoch < settings_.first_epoch) return;
  ++count_;
  const float share = 1 / static_cast<float>(count_);
  run<nn::BlendInto>(
      context,
      nn::BlendIntoArgs{
          .from = network.parameters().view(), .to = mean_.view(), .share = share, .keep = 1 - share});
}

void WeightMean::enter(const Context& context, nn::Network& network) {
  if (count_ == 0) return;
  copy(context, network.parameters(), weights_);
  copy(context, mean_, network.parameters());
}

void WeightMean::leave(const Context& context, nn::Network& network) {
  if (count_ == 0) return;
  copy(context, weights_, network.parameters());
}

}  // namespace serval::train
