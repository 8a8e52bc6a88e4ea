#include "serval/nn/network.h"

#include "layer.h"

namespace serval::nn {

namespace {

std::unique_ptr<Layer> make_layer(const Context& context, const NetworkPlan& plan,
                                  const PlannedLayer& planned, const NetworkSizes& sizes) {
  switch (planned.type) {
    case LayerType::kLstm:
      return make_lstm_layer(context, plan, planned, sizes);
    case LayerType::kMeanPool:
    case LayerType::kLastPool:
      return make_pool_layer(context, plan, planned, sizes);
    case LayerType::kAttentionPool:
      return make_attention_layer(context, plan, planned, sizes);
    case LayerType::kDense:
      return make_dense_layer(context, plan, planned, sizes);
    case LayerType::kDropout:
      return make_dropout_layer(context, plan, planned, sizes);
  }
  throw InternalError("unknown layer type");
}

}  // namespace

struct Network::Impl {
  NetworkSizes sizes;
  NetworkPlan plan;
  Tensor parameters;
  Tensor gradients;
  std::vector<std::unique_ptr<Layer>> layers;
  std::vector<ConstTensorView> inputs;  // of each layer, in the last forward
  // What the last forward was, so that backward can tell whether it follows.
  std::int64_t time = 0, batch = 0;
  bool trained = false;
  RandomStream random;

  LayerCall call(const Context& context, const SequenceBatch& sequences, Mode mode) {
    return {.context = context,
            .batch = sequences,
            .mode = mode,
            .random = random,
            .parameters = parameters.data(),
            .gradients = gradients.data()};
  }
};

Network::Network(const Context& context, const NetworkSettings& settings, const NetworkSizes& sizes)
    : impl_(std::make_unique<Impl>()) {
  SERVAL_CHECK(sizes.max_batch >= 1 && sizes.max_time >= 1, "network for batches of ", sizes.max_batch,
               " and ", sizes.max_time, " steps");
  impl_->sizes = sizes;
  impl_->plan = plan_network(settings, sizes);
  impl_->parameters = Tensor(context.device(), {impl_->plan.parameter_count});
  impl_->gradients = Tensor(context.device(), {impl_->plan.parameter_count});
  for (const PlannedLayer& planned : impl_->plan.layers) {
    impl_->layers.push_back(make_layer(context, impl_->plan, planned, sizes));
  }
  impl_->inputs.resize(impl_->layers.size());
}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

Tensor& Network::parameters() { return impl_->parameters; }
const Tensor& Network::parameters() const { return impl_->parameters; }
Tensor& Network::gradients() { return impl_->gradients; }
std::int64_t Network::parameter_count() const { return impl_->plan.parameter_count; }
const std::vector<ParameterBlock>& Network::blocks() const { return impl_->plan.blocks; }

void Network::initialise(std::uint64_t seed, std::uint32_t fold) {
  impl_->parameters.assign(initial_parameters(impl_->plan, seed, fold));
  impl_->gradients.assign(std::vector<float>(static_cast<std::size_t>(impl_->plan.parameter_count)));
}

ConstTensorView Network::forward(const Context& context, const SequenceBatch& batch, Mode mode,
                                 RandomStream random) {
  Impl& self = *impl_;
  SERVAL_CHECK(batch.time >= 1 && batch.time <= self.sizes.max_time && batch.batch >= 1 &&
                   batch.batch <= self.sizes.max_batch,
               "a batch of ", batch.batch, " with ", batch.time, " steps; the network was made for ",
               self.sizes.max_batch, " with ", self.sizes.max_time);
  SERVAL_CHECK(batch.x.size() == batch.time * batch.batch * self.sizes.feature, "network input ",
               to_string(batch.x.shape), " for ", self.sizes.feature, " features");
  self.time = batch.time;
  self.batch = batch.batch;
  self.trained = mode == Mode::kTrain;
  self.random = random;
  const LayerCall call = self.call(context, batch, mode);
  ConstTensorView x = batch.x;
  for (std::size_t i = 0; i < self.layers.size(); ++i) {
    self.inputs[i] = x;
    x = self.layers[i]->forward(call, x);
  }
  return x;
}

void Network::backward(const Context& context, const SequenceBatch& batch, ConstTensorView dlogits,
                       TensorView dx) {
  Impl& self = *impl_;
  SERVAL_CHECK(self.trained && self.time == batch.time && self.batch == batch.batch,
               "backward must follow a forward of the same batch in Mode::kTrain");
  SERVAL_CHECK(dlogits.size() == batch.batch * self.sizes.classes, "dlogits ", to_string(dlogits.shape));
  SERVAL_CHECK(dx.empty() || dx.size() == batch.x.size(), "dx ", to_string(dx.shape));
  const LayerCall call = self.call(context, batch, Mode::kTrain);
  ConstTensorView dy = dlogits;
  for (std::size_t i = self.layers.size(); i-- > 0;) {
    const TensorView to = i > 0 ? self.layers[i - 1]->output_gradient(call) : dx;
    self.layers[i]->backward(call, self.inputs[i], dy, to);
    dy = to;
  }
}

}  // namespace serval::nn
