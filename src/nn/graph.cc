#include "serval/nn/graph.h"

#include "serval/core/settings_io.h"

#include "layer_body.h"
#include "network_plan.h"

namespace serval::nn {

NetworkGraph graph_of(const NetworkSettings& settings, const NetworkSizes& sizes) {
  const NetworkPlan plan = plan_network(settings, sizes);
  NetworkGraph out;
  for (const PlannedValue& value : plan.values) out.values.push_back({value.type, value.reversed_from});
  for (const PlannedClock& clock : plan.clocks)
    out.clocks.push_back({clock.input, clock.steps, clock.from, clock.rule});
  for (const PlannedNode& node : plan.nodes) {
    GraphStep& step = out.steps.emplace_back();
    step.name = node.name;
    step.type = node.type;
    step.settings = described_to_json([&](SettingsVisitor& v) { node.body->describe(v); });
    step.inputs = node.inputs;
    step.output = node.output;
    for (const std::size_t block : node.blocks) step.blocks.push_back(plan.blocks[block].name);
    step.view = node.make == nullptr;
  }
  out.outputs = plan.outputs;
  return out;
}

}  // namespace serval::nn
