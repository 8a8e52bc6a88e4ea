#include "serval/nn/network.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"
#include "serval/nn/arithmetic.h"

#include "layer.h"
#include "layer_body.h"
#include "network_memory.h"

namespace serval::nn {

struct Network::Impl {
  Impl(const Context& context, const NetworkSettings& settings, const NetworkSizes& network_sizes)
      : sizes(network_sizes), plan(plan_network(settings, network_sizes)) {
    SERVAL_CHECK(sizes.max_batch >= 1, "network for batches of ", sizes.max_batch);
    const Device device = context.device();
    parameters = Tensor(device, {plan.parameter_count});
    gradients = Tensor(device, {sizes.training ? plan.trained : 0});
    values.resize(plan.values.size());
    for (std::size_t c = 0; c < plan.clocks.size(); ++c) add_clock(device, plan.clocks[c]);
    for (const PlannedNode& node : plan.nodes)
      layers.push_back(node.make ? node.make({context, plan, node, sizes}) : nullptr);
    if (sizes.lean) {
      SERVAL_CHECK(!sizes.training, "a lean network cannot train");
      if (device.kind == DeviceKind::kCpu) normed = normed_nodes(plan, layers);
      const Rooms rooms = lean_rooms(plan, layers, normed, sizes.max_batch);
      value_rooms = make_rooms(device, rooms);
      for (std::size_t v = 0; v < values.size(); ++v) {
        if (rooms.room_of[v] >= 0)
          values[v].y = value_rooms[static_cast<std::size_t>(rooms.room_of[v])].data();
      }
      return;
    }
    for (const PlannedNode& node : plan.nodes) {
      if (!node.make) continue;
      Value& value = values[static_cast<std::size_t>(node.output)];
      value_rooms.emplace_back(device, Shape{most_floats(plan, node.output, sizes.max_batch)});
      value.y = value_rooms.back().data();
    }
    if (!sizes.training) return;
    scratch = Tensor(device, {scratch_floats(plan, sizes.max_batch)});
    const Rooms rooms = nn::gradient_rooms(plan, sizes.max_batch);
    gradient_rooms = make_rooms(device, rooms);
    for (std::size_t v = 0; v < values.size(); ++v) values[v].room = rooms.room_of[v];
  }

  struct Value {
    float* y = nullptr;          // where its numbers are written, in value_rooms
    int room = -1;               // its gradient's, in gradient_rooms; -1: none can arrive
    const float* now = nullptr;  // where the numbers of the last forward are
    float* gradient = nullptr;   // where its gradient goes in this backward; null: not wanted
    bool written = false;        // by this backward
  };
  struct Clock {
    Array<std::int32_t> lengths;  // of derived and fixed ones
    std::vector<std::int32_t> host_lengths;
  };

  void add_clock(Device device, const PlannedClock& planned) {
    Clock clock;
    if (planned.input < 0) {
      clock.host_lengths.assign(static_cast<std::size_t>(sizes.max_batch),
                                static_cast<std::int32_t>(planned.steps));
      clock.lengths = Array<std::int32_t>::from_host(device, clock.host_lengths);
    }
    clocks.push_back(std::move(clock));
    steps.emplace_back();
  }

  static std::vector<Tensor> make_rooms(Device device, const Rooms& rooms) {
    std::vector<Tensor> out;
    for (const std::int64_t floats : rooms.floats) out.emplace_back(device, Shape{floats});
    return out;
  }

  std::size_t storage(int value) const { return storage_of(plan, value); }
  const ValueType& type(int value) const { return plan.values[static_cast<std::size_t>(value)].type; }

  LayerCall call(const Context& context, Mode mode) {
    return {.context = context,
            .batch = batch,
            .clocks = steps,
            .mode = mode,
            .random = random,
            .parameters = parameters.data(),
            .gradients = gradients.data()};
  }
  ConstTensorView view(const LayerCall& call, int value) const {
    return {values[storage(value)].now, call.shape(type(value)), call.context.device().kind};
  }
  // Of the last forward.
  ConstTensorView result(int value) const {
    SERVAL_CHECK(batch > 0, "no forward yet");
    const ValueType& t = type(value);
    Shape shape = t.sequence() ? Shape{steps[static_cast<std::size_t>(t.clock)].time, batch} : Shape{batch};
    return {values[storage(value)].now, shape.append(t.item), parameters.device().kind};
  }
  TensorView gradient_view(const LayerCall& call, int value) const {
    return {values[storage(value)].gradient, call.shape(type(value)), call.context.device().kind};
  }

  void take_inputs(const Batch& given) {
    SERVAL_CHECK(given.size >= 1 && given.size <= sizes.max_batch, "a batch of ", given.size,
                 "; the network was made for ", sizes.max_batch);
    SERVAL_CHECK(given.inputs.size() == sizes.inputs.size(), given.inputs.size(), " inputs of ",
                 sizes.inputs.size());
    batch = given.size;
    for (std::size_t i = 0; i < given.inputs.size(); ++i) {
      const InputBatch& input = given.inputs[i];
      const ValueType& planned = plan.values[i].type;
      const std::int64_t time = planned.sequence() ? input.time : 1;
      if (planned.sequence()) {
        const auto c = static_cast<std::size_t>(planned.clock);
        SERVAL_CHECK(time >= 1 && time <= plan.clocks[c].max_time, "a batch of ", time,
                     " steps; the network was made for ", plan.clocks[c].max_time);
        SERVAL_CHECK(input.host_lengths != nullptr && input.lengths.size() == batch, "lengths of ",
                     plan.clocks[c].name);
        steps[c] = {time, input.lengths, input.host_lengths};
      }
      SERVAL_CHECK(input.x.size() == batch * time * planned.item.size(), "network input ",
                   serval::to_string(input.x.shape), " for items ", serval::to_string(planned.item));
      values[i].now = input.x.data;
    }
  }

  void derive_clocks(const Context& context) {
    for (std::size_t c = 0; c < plan.clocks.size(); ++c) {
      const PlannedClock& planned = plan.clocks[c];
      if (planned.input >= 0) continue;
      Clock& clock = clocks[c];
      std::int64_t time = planned.steps;
      if (planned.from != kNoClock) {
        const Steps& source = steps[static_cast<std::size_t>(planned.from)];
        time = 1;
        for (std::int64_t b = 0; b < batch; ++b) {
          const std::int64_t length = planned.rule(source.host_lengths[b]);
          if (length < 1) {
            throw DataError(
                cat("layer ", planned.name, " needs ", planned.rule.shortest(), " steps, but a sequence has ",
                    source.host_lengths[b],
                    "; make its kernels or strides smaller, pad them, or leave out short recordings"));
          }
          clock.host_lengths[static_cast<std::size_t>(b)] = static_cast<std::int32_t>(length);
          time = std::max(time, length);
        }
        run<DeriveLengths>(
            context, DeriveLengthsArgs{
                         .from = source.lengths, .to = clock.lengths.view(0, {batch}), .rule = planned.rule});
      }
      steps[c] = {time, clock.lengths.view(0, {batch}), clock.host_lengths.data()};
    }
  }

  NetworkSizes sizes;
  NetworkPlan plan;
  Tensor parameters, gradients, scratch;
  std::vector<Tensor> gradient_rooms, value_rooms;
  std::set<std::size_t> normed;  // nodes that do the next one's norm too
  Layers layers;
  std::vector<Value> values;
  std::vector<Clock> clocks;
  std::vector<Steps> steps;  // of every clock, in the last forward
  std::vector<ConstTensorView> xs;
  std::vector<TensorView> dxs;
  // What the last forward was, so that backward can tell whether it follows.
  std::int64_t batch = 0;
  bool trained = false;
  RandomStream random;
};

Network::Network(const Context& context, const NetworkSettings& settings, const NetworkSizes& sizes)
    : impl_(std::make_unique<Impl>(context, settings, sizes)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

Tensor& Network::parameters() { return impl_->parameters; }
const Tensor& Network::parameters() const { return impl_->parameters; }
Tensor& Network::gradients() { return impl_->gradients; }
std::int64_t Network::parameter_count() const { return impl_->plan.parameter_count; }
std::int64_t Network::trained_count() const { return impl_->plan.trained; }
const std::vector<ParameterBlock>& Network::blocks() const { return impl_->plan.blocks; }

void Network::initialise(std::uint64_t seed, std::uint32_t fold) {
  impl_->parameters.assign(initial_parameters(impl_->plan, seed, fold));
  impl_->gradients.assign(std::vector<float>(static_cast<std::size_t>(impl_->gradients.size())));
}

ConstTensorView Network::forward(const Context& context, const Batch& batch, Mode mode, RandomStream random) {
  Impl& self = *impl_;
  SERVAL_CHECK(mode == Mode::kInfer || self.sizes.training, "a network without gradients cannot train");
  self.take_inputs(batch);
  self.derive_clocks(context);
  self.trained = mode == Mode::kTrain;
  self.random = random;
  const LayerCall call = self.call(context, mode);
  for (std::size_t n = 0; n < self.layers.size(); ++n) {
    const PlannedNode& node = self.plan.nodes[n];
    if (!self.layers[n]) continue;  // its storage is its input's
    Impl::Value& value = self.values[static_cast<std::size_t>(node.output)];
    if (self.layers[n]->passes_through(mode)) {
      value.now = self.values[self.storage(node.inputs.front())].now;
      continue;
    }
    self.xs.clear();
    for (const int input : node.inputs) self.xs.push_back(self.view(call, input));
    const auto y = [&](int made) {
      Impl::Value& of = self.values[static_cast<std::size_t>(made)];
      of.now = of.y;
      return TensorView{of.y, call.shape(self.type(made)), context.device().kind};
    };
    if (self.normed.contains(n)) {
      Layer& layer = *self.layers[n];
      ++n;
      layer.forward_normed(call, self.xs, self.layers[n]->norm(call), y(self.plan.nodes[n].output));
    } else {
      self.layers[n]->forward(call, self.xs, y(node.output));
    }
  }
  return output(0);
}

std::size_t Network::output_count() const { return impl_->plan.outputs.size(); }

const ValueType& Network::output_type(std::size_t index) const {
  return impl_->type(impl_->plan.outputs[index]);
}

ConstTensorView Network::output(std::size_t index) const { return impl_->result(impl_->plan.outputs[index]); }

namespace {

int find_value(const NetworkPlan& plan, const std::string& name) {
  for (const auto& [known, value] : plan.names) {
    if (known == name) return value;
  }
  throw ConfigError(cat("the network has no input and no layer \"", name, "\""));
}

}  // namespace

ConstTensorView Network::tap(const std::string& name) const {
  SERVAL_CHECK(!impl_->sizes.lean, "a tap of a lean network");
  return impl_->result(find_value(impl_->plan, name));
}

const std::int32_t* Network::host_lengths(const std::string& name) const {
  const ValueType& type = impl_->type(find_value(impl_->plan, name));
  return type.sequence() ? impl_->steps[static_cast<std::size_t>(type.clock)].host_lengths : nullptr;
}

void Network::backward(const Context& context, const Batch& batch, ConstTensorView doutput) {
  backward(context, batch, std::span(&doutput, 1));
}

void Network::backward(const Context& context, const Batch& batch, std::span<const ConstTensorView> doutputs,
                       std::span<const TensorView> dx) {
  Impl& self = *impl_;
  SERVAL_CHECK(self.trained && self.batch == batch.size,
               "backward must follow a forward of the same batch in Mode::kTrain");
  SERVAL_CHECK(doutputs.size() == self.plan.outputs.size(), doutputs.size(), " gradients of ",
               self.plan.outputs.size(), " outputs");
  SERVAL_CHECK(dx.size() <= self.sizes.inputs.size(), dx.size(), " gradients of inputs");
  const LayerCall call = self.call(context, Mode::kTrain);

  std::uint32_t wanted = kParameters;
  for (std::size_t v = 0; v < self.values.size(); ++v) {
    Impl::Value& value = self.values[v];
    value.gradient =
        value.room < 0 ? nullptr : self.gradient_rooms[static_cast<std::size_t>(value.room)].data();
    value.written = false;
    if (v >= self.sizes.inputs.size()) continue;
    value.gradient = v < dx.size() ? dx[v].data : nullptr;
    if (value.gradient == nullptr) continue;
    SERVAL_CHECK(dx[v].size() == batch.inputs[v].x.size(), "dx ", serval::to_string(dx[v].shape));
    wanted |= std::uint32_t{1} << v;
  }
  const auto wants = [&](int value) {
    return (self.plan.values[static_cast<std::size_t>(value)].sources & wanted) != 0 &&
           self.values[self.storage(value)].gradient != nullptr;
  };
  // Puts a gradient that arrived from `from` where the value keeps its own.
  const auto arrive = [&](int value, ConstTensorView from) {
    Impl::Value& kept = self.values[self.storage(value)];
    const TensorView to = self.gradient_view(call, value);
    if (from.data != to.data) run<AddInto>(context, AddIntoArgs{from, to, kept.written ? 1.0f : 0.0f});
    kept.written = true;
  };

  for (std::size_t i = 0; i < doutputs.size(); ++i) {
    const int value = self.plan.outputs[i];
    if (doutputs[i].empty() || !wants(value)) continue;
    SERVAL_CHECK(doutputs[i].size() == self.view(call, value).size(), "gradient of output ", i, ": ",
                 serval::to_string(doutputs[i].shape));
    arrive(value, doutputs[i]);
  }
  for (std::size_t n = self.layers.size(); n-- > 0;) {
    const PlannedNode& node = self.plan.nodes[n];
    Impl::Value& value = self.values[self.storage(node.output)];
    if (!self.layers[n] || !value.written || !wants(node.output)) continue;
    self.xs.clear();
    self.dxs.clear();
    std::int64_t used = 0;
    for (const int input : node.inputs) {
      self.xs.push_back(self.view(call, input));
      TensorView to;
      if (wants(input)) {
        to = self.gradient_view(call, input);
        // Taken already, by another layer or by an input of this one before?
        bool taken = self.values[self.storage(input)].written;
        for (const TensorView& before : self.dxs) taken |= before.data == to.data;
        if (taken) {
          to.data = self.scratch.data() + used;
          used += to.size();
        }
      }
      self.dxs.push_back(to);
    }
    self.layers[n]->backward(call, {.x = self.xs,
                                    .y = self.view(call, node.output),
                                    .dy = self.gradient_view(call, node.output),
                                    .dx = self.dxs});
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (!self.dxs[k].empty()) arrive(node.inputs[k], self.dxs[k]);
    }
  }
  // An input that no gradient reached.
  for (std::size_t v = 0; v < dx.size(); ++v) {
    if (!dx[v].empty() && !self.values[v].written) run<FillZero>(context, dx[v]);
  }
}

}  // namespace serval::nn
