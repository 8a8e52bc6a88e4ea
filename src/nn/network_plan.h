// From settings to nodes with their types, clocks and parameter blocks; needs no device.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/nn/network.h"

namespace serval::nn {

class Layer;
struct LayerBuild;
class LayerBody;

struct PlannedClock {
  int from = kNoClock;     // derived: by `rule` from that clock
  int input = -1;          // of that input of the network
  std::int64_t steps = 0;  // always so many, where it is neither
  LengthRule rule = {};
  std::int64_t max_time = 0;
  std::string name = {};  // of the layer or input that made it
};

struct PlannedValue {
  ValueType type;
  int storage = 0;                 // the value whose memory it has: its own, or that of which it is a view
  std::uint32_t sources = 0;       // kParameters and 1 << input: what its gradient could be wanted for
  std::int64_t reversed_from = 0;  // columns of a sequence's features from here on read it from its end
};
constexpr std::uint32_t kParameters = std::uint32_t{1} << 31;

struct PlannedNode {
  std::string name;
  const char* type = "";
  std::shared_ptr<LayerBody> body;  // its settings
  std::vector<int> inputs;          // values
  int output = 0;
  std::vector<std::size_t> blocks;  // into NetworkPlan::blocks, in the order the layer lists them
  bool trains = false;              // any of them is trained
  std::function<std::unique_ptr<Layer>(const LayerBuild&)> make;  // none: a view
};

struct NetworkPlan {
  std::vector<PlannedValue> values;  // the inputs first
  std::vector<PlannedNode> nodes;    // in an order in which they can run
  std::vector<PlannedClock> clocks;
  std::vector<ParameterBlock> blocks;
  std::int64_t trained = 0, parameter_count = 0;
  NamedList<int> names;  // of inputs and layers, to values
  std::vector<int> outputs;
};

// What other sizes of the data could make right.
class SizeError : public ConfigError {
 public:
  using ConfigError::ConfigError;
};

// Throws ConfigError, naming the layer and what would be right.
NetworkPlan plan_network(const NetworkSettings& settings, const NetworkSizes& sizes);

// As the function of network.h; any_count: however many classes there are.
std::string classifier_problem(const NetworkSettings& settings, const NetworkSizes& sizes, bool any_count);

// Values of every block, drawn as initialiser.h says.
std::vector<float> initial_parameters(const NetworkPlan& plan, std::uint64_t seed, std::uint32_t fold);

class Planner;

// What a layer's plan() works with.
class NodePlan {
 public:
  NodePlan(Planner& planner, std::string label, std::string name, const LayerBody& body,
           std::vector<int> inputs);

  const std::string& name() const { return node_.name; }
  std::size_t input_count() const { return node_.inputs.size(); }
  const ValueType& input(std::size_t index = 0) const;
  int input_value(std::size_t index = 0) const { return node_.inputs[index]; }
  std::int64_t reversed_from(std::size_t index = 0) const;
  std::int64_t classes() const;
  bool frozen() const;                // the layer keeps the weights that it starts with
  std::uint32_t next_random_layer();  // tells the masks of several dropout layers apart

  // Refuses, naming the layer: "layers[3] (lstm) ..."
  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void fail_size(
      const std::string& message) const;  // because of a width or a length: a SizeError
  void need_inputs(std::size_t count) const;
  // Refuse an input of another form, saying which layer would make it fit.
  const ValueType& need_sequence(std::size_t index = 0) const;    // of feature vectors
  const ValueType& need_one_vector(std::size_t index = 0) const;  // [batch, feature]
  const ValueType& need_vectors(std::size_t index = 0) const;     // either of them
  const ValueType& need_images(std::size_t index = 0) const;      // items are [channel, height, width]

  // A block called <layer>.<what>. `fan_in` and `fan_out` are put into init.
  void block(const std::string& what, Shape shape, Initialiser init, bool statistic = false);
  // The clock of sequences that a layer shortens or lengthens.
  int clock(int from, LengthRule rule);
  int fixed_clock(std::int64_t steps);
  std::int64_t clock_steps(int clock) const;       // where each recording has as many; else 0
  const std::string& clock_name(int clock) const;  // of the layer or input that made it

  // Exactly one of these three ends a plan.
  template <class L, class... Args>
  void layer(ValueType output, Args... args) {
    finish(output, [args...](const LayerBuild& build) -> std::unique_ptr<Layer> {
      return std::make_unique<L>(build, args...);
    });
  }
  void view(Shape item);   // the same numbers in another shape
  void result(int value);  // of layers added with add()

  // For a layer that is made of others: one called <layer>.<what>; gives its value.
  int add(const std::string& what, const LayerBody& body, const std::vector<int>& inputs);
  const ValueType& type_of(int value) const;

  void set_reversed_from(std::int64_t columns) { reversed_from_ = columns; }
  int output_value() const { return output_; }

 private:
  void finish(ValueType output, std::function<std::unique_ptr<Layer>(const LayerBuild&)> make);

  Planner& planner_;
  std::string label_;
  PlannedNode node_;
  std::int64_t reversed_from_ = -1;
  int output_ = -1;
};

}  // namespace serval::nn
