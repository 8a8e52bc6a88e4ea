#include "optimiser.h"

namespace serval::train {

Optimiser::Optimiser(const Context& context, const nn::Network& network, const TrainSettings& settings)
    : settings_(settings.optimizer), trained_(network.trained_count()) {
  settings_.clip_norm = settings.clip_norm;
  const auto slots = static_cast<std::int64_t>(nn::optimiser_slots(settings_).size());
  state_ = Tensor(context.device(), {slots * trained_});
  scratch_ = Tensor(context.device(), {nn::optimiser_scratch_size(trained_)});
}

void Optimiser::step(const Context& context, nn::Network& network, double learning_rate, std::int64_t step) {
  if (trained_ == 0) return;  // all frozen
  nn::OptimiserArgs args;
  args.settings = settings_;
  args.settings.learning_rate = learning_rate;
  args.step = step;
  args.parameters = network.parameters().view(0, {trained_});
  args.gradients = network.gradients().view(0, {trained_});
  if (state_.size() > 0) args.state = state_.view();
  args.scratch = scratch_.view();
  run<nn::OptimiserStep>(context, args);
}

}  // namespace serval::train
