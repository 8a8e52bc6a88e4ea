#include "network_plan.h"

#include <algorithm>

#include "serval/core/text.h"

#include "layer_body.h"

namespace serval::nn {

std::string to_string(const ValueType& type) {
  std::vector<std::string> parts;
  if (type.sequence()) parts.emplace_back("time");
  for (int axis = 0; axis < type.item.rank(); ++axis) parts.push_back(cat(type.item[axis]));
  return "[" + join(parts, ", ") + "]";
}

class Planner {
 public:
  Planner(const NetworkSettings& settings, const NetworkSizes& sizes) : settings_(settings), sizes_(sizes) {}

  NetworkPlan plan() {
    add_inputs();
    if (settings_.layers.empty()) {
      throw ConfigError("there is no layer; the last must be {\"type\": \"dense\"}");
    }
    for (std::size_t i = 0; i < settings_.layers.size(); ++i) add_layer(i);
    add_outputs();
    place_blocks();
    return std::move(plan_);
  }

  // A node of a layer: gives its value.
  int add_node(PlannedNode node, ValueType type, bool view, std::int64_t reversed_from) {
    const int value = static_cast<int>(plan_.values.size());
    PlannedValue made{.type = type, .storage = value, .reversed_from = reversed_from};
    for (const int input : node.inputs) made.sources |= plan_.values[static_cast<std::size_t>(input)].sources;
    for (const std::size_t block : node.blocks)
      node.trains |= plan_.blocks[block].role == ParameterBlock::Role::kTrained;
    if (node.trains) made.sources |= kParameters;
    if (view) made.storage = plan_.values[static_cast<std::size_t>(node.inputs.front())].storage;
    node.output = value;
    plan_.values.push_back(made);
    plan_.nodes.push_back(std::move(node));
    return value;
  }

  // The blocks of a shared layer are those of the one that it shares with.
  void add_block(PlannedNode& node, const std::string& what, const Shape& shape, const Initialiser& init,
                 bool statistic, const std::string& label) {
    const std::string own = node.name + "." + what;
    if (!shared_from_.empty()) {
      const std::string wanted = shared_from_ + own.substr(sharing_.size());
      for (std::size_t i = 0; i < plan_.blocks.size(); ++i) {
        if (plan_.blocks[i].name != wanted) continue;
        if (!(plan_.blocks[i].shape == shape)) {
          throw SizeError(cat(label, " shares the weights of \"", shared_from_, "\", but ", wanted, " is ",
                              serval::to_string(plan_.blocks[i].shape), " and it needs ",
                              serval::to_string(shape), "; both need the same settings and input width"));
        }
        node.blocks.push_back(i);
        return;
      }
      throw ConfigError(cat(label, " shares the weights of \"", shared_from_, "\", which has no ", what,
                            "; both must be of one type"));
    }
    node.blocks.push_back(plan_.blocks.size());
    ParameterBlock block{.name = own, .shape = shape, .init = init};
    if (statistic) {
      block.role = ParameterBlock::Role::kStatistic;
    } else if (frozen_) {
      block.role = ParameterBlock::Role::kFrozen;
    }
    plan_.blocks.push_back(block);
  }

  const NetworkSizes& sizes() const { return sizes_; }
  NetworkPlan& plan_so_far() { return plan_; }
  bool frozen() const { return frozen_; }
  std::uint32_t next_random_layer() { return random_layers_++; }

 private:
  void add_inputs() {
    const auto count = std::max<std::size_t>(settings_.inputs.size(), 1);
    SERVAL_CHECK(sizes_.inputs.size() == count, count, " inputs, sizes of ", sizes_.inputs.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = settings_.inputs.empty() ? "input" : settings_.inputs[i].first;
      const InputSettings input = settings_.inputs.empty() ? InputSettings{} : settings_.inputs[i].second;
      const InputSizes& size = sizes_.inputs[i];
      if (!input.shape.empty()) {
        Shape declared;
        for (const std::int64_t dim : input.shape) declared.append(dim);
        if (!(declared == size.item)) {
          throw ConfigError(cat("inputs.", name, " is declared as ", serval::to_string(declared),
                                ", but the data has ", serval::to_string(size.item)));
        }
      }
      ValueType type{size.item, kNoClock};
      if (input.kind == InputKind::kSequence) {
        type.clock = static_cast<int>(plan_.clocks.size());
        plan_.clocks.push_back({.input = static_cast<int>(i),
                                .max_time = std::max<std::int64_t>(size.max_time, 1),
                                .name = name});
      }
      plan_.names.emplace_back(name, static_cast<int>(i));
      plan_.values.push_back({.type = type,
                              .storage = static_cast<int>(i),
                              .sources = std::uint32_t{1} << i,
                              .reversed_from = size.item[0]});
    }
  }

  int find(const std::string& name, const std::string& label) const {
    for (const auto& [known, value] : plan_.names) {
      if (known == name) return value;
    }
    std::vector<std::string> names;
    for (const auto& [known, value] : plan_.names) names.push_back(known);
    const std::string guess = nearest_word(name, names);
    throw ConfigError(cat(label, " reads \"", name, "\", which is no input and no layer before it",
                          guess.empty() ? "" : cat("; did you mean \"", guess, "\"?")));
  }

  void add_layer(std::size_t i) {
    const LayerSettings& layer = settings_.layers[i];
    const std::string name = layer_name(settings_, i);
    const std::string label = cat("layers[", i, "] (", layer.body->type(), ")");
    for (const auto& [known, value] : plan_.names) {
      if (known == name) throw ConfigError(cat(label, " is called \"", name, "\", as is another"));
    }
    std::vector<int> inputs;
    for (const std::string& input : layer.input) inputs.push_back(find(input, label));
    if (inputs.empty()) inputs.push_back(plan_.names.back().second);
    if (layer.input.empty() && i == 0 && settings_.inputs.size() > 1) {
      throw ConfigError(cat(label, " is the first of a network with ", settings_.inputs.size(),
                            " inputs; say which it reads, as in \"input\": \"",
                            settings_.inputs.front().first, "\""));
    }
    frozen_ = layer.frozen;
    sharing_ = name;
    shared_from_ = layer.weights_of;
    if (!shared_from_.empty()) find(shared_from_, label + " shares weights and");
    NodePlan node(*this, label, name, *layer.body, inputs);
    layer.body->plan(node);
    SERVAL_CHECK(node.output_value() >= 0, label, " planned nothing");
    plan_.names.emplace_back(name, node.output_value());
  }

  void add_outputs() {
    if (settings_.outputs.empty()) plan_.outputs.push_back(plan_.names.back().second);
    for (const std::string& name : settings_.outputs) plan_.outputs.push_back(find(name, "outputs"));
  }

  // What is trained comes first, then what is frozen, then statistics.
  void place_blocks() {
    using Role = ParameterBlock::Role;
    for (const Role role : {Role::kTrained, Role::kFrozen, Role::kStatistic}) {
      for (ParameterBlock& block : plan_.blocks) {
        if (block.role != role) continue;
        block.offset = plan_.parameter_count;
        plan_.parameter_count += block.shape.size();
      }
      if (role == Role::kTrained) plan_.trained = plan_.parameter_count;
    }
  }

  const NetworkSettings& settings_;
  const NetworkSizes& sizes_;
  NetworkPlan plan_;
  std::uint32_t random_layers_ = 0;
  bool frozen_ = false;
  std::string sharing_, shared_from_;  // of the layer at hand
};

NodePlan::NodePlan(Planner& planner, std::string label, std::string name, const LayerBody& body,
                   std::vector<int> inputs)
    : planner_(planner), label_(std::move(label)) {
  node_.name = std::move(name);
  node_.type = body.type();
  node_.body = body.clone();
  node_.inputs = std::move(inputs);
}

const ValueType& NodePlan::type_of(int value) const {
  return planner_.plan_so_far().values[static_cast<std::size_t>(value)].type;
}
const ValueType& NodePlan::input(std::size_t index) const { return type_of(node_.inputs[index]); }
std::int64_t NodePlan::reversed_from(std::size_t index) const {
  return planner_.plan_so_far().values[static_cast<std::size_t>(node_.inputs[index])].reversed_from;
}
std::int64_t NodePlan::classes() const { return planner_.sizes().classes; }
bool NodePlan::frozen() const { return planner_.frozen(); }
std::uint32_t NodePlan::next_random_layer() { return planner_.next_random_layer(); }

void NodePlan::fail(const std::string& message) const { throw ConfigError(cat(label_, " ", message)); }

void NodePlan::fail_size(const std::string& message) const { throw SizeError(cat(label_, " ", message)); }

void NodePlan::need_inputs(std::size_t count) const {
  if (input_count() == count) return;
  fail(cat("reads ", count, count == 1 ? " input" : " inputs", ", but ", input_count(), " are named"));
}

const ValueType& NodePlan::need_vectors(std::size_t index) const {
  const ValueType& type = input(index);
  if (type.item.rank() != 1) {
    fail(cat("reads feature vectors, but gets ", nn::to_string(type),
             "; put {\"type\": \"flatten\"} or a global pool before it"));
  }
  return type;
}
const ValueType& NodePlan::need_sequence(std::size_t index) const {
  const ValueType& type = input(index);
  if (!type.sequence()) {
    fail(cat("reads a sequence, but gets ", nn::to_string(type),
             type.item.rank() == 3 ? "; put {\"type\": \"to_sequence\"} before it"
                                   : ", one vector; put it before the pool"));
  }
  return need_vectors(index);
}
const ValueType& NodePlan::need_one_vector(std::size_t index) const {
  const ValueType& type = need_vectors(index);
  if (type.sequence()) {
    fail(cat("reads one vector, but gets the sequence ", nn::to_string(type),
             "; put a mean_pool, last_pool or attention_pool before it"));
  }
  return type;
}
const ValueType& NodePlan::need_images(std::size_t index) const {
  const ValueType& type = input(index);
  if (type.item.rank() != 3) {
    fail(cat(
        "reads images [channel, height, width], but gets ", nn::to_string(type),
        "; put {\"type\": \"reshape\", \"shape\": [1, ...]} before it, or declare the input as an image"));
  }
  return type;
}

void NodePlan::block(const std::string& what, Shape shape, Initialiser init, bool statistic) {
  planner_.add_block(node_, what, shape, init, statistic, label_);
}

int NodePlan::clock(int from, LengthRule rule) {
  NetworkPlan& plan = planner_.plan_so_far();
  // Two layers with one rule give sequences that can be joined; so only what a rule makes of a length may count.
  rule.extent = rule.same ? 1 : rule.extent - rule.padding;
  rule.padding = 0;
  for (std::size_t i = 0; i < plan.clocks.size(); ++i) {
    if (plan.clocks[i].from == from && plan.clocks[i].rule == rule) return static_cast<int>(i);
  }
  const PlannedClock& source = plan.clocks[static_cast<std::size_t>(from)];
  if (rule.stride == 1 && rule.extent == 1) return from;
  if (source.steps > 0) {
    const std::int64_t steps = rule(source.steps);
    if (steps < 1) fail_size(cat("needs ", rule.shortest(), " steps, but its input has ", source.steps));
    return fixed_clock(steps);
  }
  PlannedClock made{.from = from, .rule = rule, .max_time = std::max<std::int64_t>(rule(source.max_time), 1)};
  made.name = node_.name;
  plan.clocks.push_back(std::move(made));
  return static_cast<int>(plan.clocks.size()) - 1;
}
int NodePlan::fixed_clock(std::int64_t steps) {
  NetworkPlan& plan = planner_.plan_so_far();
  for (std::size_t i = 0; i < plan.clocks.size(); ++i) {
    if (plan.clocks[i].steps == steps) return static_cast<int>(i);
  }
  plan.clocks.push_back({.steps = steps, .max_time = steps, .name = node_.name});
  return static_cast<int>(plan.clocks.size()) - 1;
}

std::int64_t NodePlan::clock_steps(int clock) const {
  return planner_.plan_so_far().clocks[static_cast<std::size_t>(clock)].steps;
}
const std::string& NodePlan::clock_name(int clock) const {
  return planner_.plan_so_far().clocks[static_cast<std::size_t>(clock)].name;
}

void NodePlan::finish(ValueType output, std::function<std::unique_ptr<Layer>(const LayerBuild&)> make) {
  node_.make = std::move(make);
  const std::int64_t width = output.item[output.item.rank() - 1];
  output_ = planner_.add_node(node_, output, false, reversed_from_ < 0 ? width : reversed_from_);
}
void NodePlan::view(Shape item) {
  const ValueType type{item, input().clock};
  SERVAL_CHECK(item.size() == input().item.size(), label_, ": ", nn::to_string(input()), " as ",
               nn::to_string(type));
  output_ = planner_.add_node(node_, type, true, item[item.rank() - 1]);
}
void NodePlan::result(int value) { output_ = value; }

int NodePlan::add(const std::string& what, const LayerBody& body, const std::vector<int>& inputs) {
  NodePlan inner(planner_, cat(label_, ", its ", what), node_.name + "." + what, body, inputs);
  body.plan(inner);
  return inner.output_value();
}

NetworkPlan plan_network(const NetworkSettings& settings, const NetworkSizes& sizes) {
  return Planner(settings, sizes).plan();
}

std::vector<LayerSummary> summarise(const NetworkSettings& settings, const NetworkSizes& sizes) {
  const NetworkPlan plan = plan_network(settings, sizes);
  std::vector<LayerSummary> out;
  std::vector<bool> counted(plan.blocks.size(), false);
  for (const PlannedNode& node : plan.nodes) {
    LayerSummary line{.name = node.name, .type = node.type};
    line.output_shape = to_string(plan.values[static_cast<std::size_t>(node.output)].type);
    for (const std::size_t block : node.blocks) {
      if (counted[block]) continue;  // shared weights count once
      counted[block] = true;
      const std::int64_t size = plan.blocks[block].shape.size();
      (plan.blocks[block].role == ParameterBlock::Role::kStatistic ? line.non_trainable : line.parameters) +=
          size;
      line.frozen |= plan.blocks[block].role == ParameterBlock::Role::kFrozen;
    }
    out.push_back(std::move(line));
  }
  return out;
}

namespace {

// `width` -1: any.
std::string first_output_problem(const NetworkSettings& settings, const NetworkSizes& sizes,
                                 std::int64_t width, bool logits, const std::string& wanted) {
  NetworkPlan plan;
  try {
    plan = plan_network(settings, sizes);
  } catch (const ConfigError& error) {
    return error.what();
  }
  const int value = plan.outputs.front();
  const ValueType& type = plan.values[static_cast<std::size_t>(value)].type;
  const std::string label = settings.outputs.empty() ? cat("layers[", settings.layers.size() - 1, "] (",
                                                           settings.layers.back().body->type(), ")")
                                                     : cat("outputs[0] (", settings.outputs.front(), ")");
  if (type.sequence()) {
    return cat(label, " would give ", logits ? "classes" : "numbers",
               " for each time step; put a mean_pool, last_pool or attention_pool somewhere before it");
  }
  if (type.item.rank() != 1 || (width >= 0 && type.item[0] != width))
    return cat(label, " gives ", to_string(type), ", but ", wanted);
  for (const PlannedNode& node : plan.nodes) {
    if (logits && node.output == value && std::string(node.type) == "softmax")
      return cat(label, " ends in softmax, which belongs to the loss; leave it out");
  }
  return "";
}

}  // namespace

std::string classifier_problem(const NetworkSettings& settings, const NetworkSizes& sizes, bool any_count) {
  return first_output_problem(
      settings, sizes, any_count ? -1 : sizes.classes, true,
      cat("there are ", sizes.classes, " classes; end with {\"type\": \"dense\"} without units"));
}

std::string output_problem(const NetworkSettings& settings, const NetworkSizes& sizes,
                           const WantedOutput& output) {
  return first_output_problem(settings, sizes, output.width, output.logits, output.wanted);
}

}  // namespace serval::nn
