#include "network_memory.h"

#include <algorithm>
#include <limits>

#include "share_rooms.h"

namespace serval::nn {

namespace {

// How often each is read, by layers and as an output.
std::vector<int> count_readers(const NetworkPlan& plan) {
  std::vector<int> readers(plan.values.size(), 0);
  for (const int output : plan.outputs) ++readers[storage_of(plan, output)];
  for (const PlannedNode& node : plan.nodes) {
    if (!node.make) continue;
    for (const int input : node.inputs) ++readers[storage_of(plan, input)];
  }
  return readers;
}

Rooms share(const std::vector<RoomNeed>& needs, std::size_t values) {
  Rooms out;
  out.room_of.assign(values, -1);
  out.floats = share_rooms(needs, [&](std::size_t value, int room) { out.room_of[value] = room; });
  return out;
}

}  // namespace

std::int64_t most_floats(const NetworkPlan& plan, int value, std::int64_t max_batch) {
  const ValueType& type = plan.values[static_cast<std::size_t>(value)].type;
  const std::int64_t time = type.sequence() ? plan.clocks[static_cast<std::size_t>(type.clock)].max_time : 1;
  return max_batch * time * type.item.size();
}

Rooms gradient_rooms(const NetworkPlan& plan, std::int64_t max_batch) {
  const int before_all = static_cast<int>(plan.nodes.size());
  std::vector<RoomNeed> needs(plan.values.size());
  for (const int output : plan.outputs) needs[storage_of(plan, output)].first = -before_all;
  for (int n = 0; n < before_all; ++n) {
    const PlannedNode& node = plan.nodes[static_cast<std::size_t>(n)];
    if (!node.make) continue;
    for (const int input : node.inputs) {
      RoomNeed& need = needs[storage_of(plan, input)];
      need.first = std::min(need.first, -n);
    }
    RoomNeed& made = needs[static_cast<std::size_t>(node.output)];
    made.value = static_cast<std::size_t>(node.output);
    made.floats = most_floats(plan, node.output, max_batch);
    made.last = -n;
  }
  std::erase_if(needs, [](const RoomNeed& need) { return need.floats == 0 || need.first > 0; });
  return share(needs, plan.values.size());
}

std::int64_t scratch_floats(const NetworkPlan& plan, std::int64_t max_batch) {
  const std::vector<int> readers = count_readers(plan);
  std::int64_t most = 0;
  for (const PlannedNode& node : plan.nodes) {
    std::int64_t floats = 0;
    for (const int input : node.inputs) {
      if (node.make && readers[storage_of(plan, input)] > 1) floats += most_floats(plan, input, max_batch);
    }
    most = std::max(most, floats);
  }
  return most;
}

std::set<std::size_t> normed_nodes(const NetworkPlan& plan, const Layers& layers) {
  const std::vector<int> readers = count_readers(plan);
  std::set<std::size_t> out;
  for (std::size_t n = 0; n + 1 < layers.size(); ++n) {
    const PlannedNode& next = plan.nodes[n + 1];
    const int made = plan.nodes[n].output;
    if (layers[n] && layers[n + 1] && layers[n]->takes_norm() && layers[n + 1]->gives_norm() &&
        next.inputs.size() == 1 && next.inputs.front() == made && readers[storage_of(plan, made)] == 1)
      out.insert(n);
  }
  return out;
}

Rooms lean_rooms(const NetworkPlan& plan, const Layers& layers, const std::set<std::size_t>& normed,
                 std::int64_t max_batch) {
  constexpr int kAfterAll = std::numeric_limits<int>::max();
  std::vector<std::size_t> root(plan.values.size());
  for (std::size_t v = 0; v < root.size(); ++v) root[v] = storage_of(plan, static_cast<int>(v));
  std::vector<RoomNeed> needs(plan.values.size());
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const PlannedNode& node = plan.nodes[n];
    const auto made = static_cast<std::size_t>(node.output);
    const int now = static_cast<int>(n);
    for (const int input : node.inputs) {
      RoomNeed& need = needs[root[storage_of(plan, input)]];
      need.last = std::max(need.last, now);
    }
    if (!layers[n]) continue;
    if (layers[n]->passes_through(Mode::kInfer)) {
      root[made] = root[storage_of(plan, node.inputs.front())];
      continue;
    }
    if (normed.contains(n)) continue;  // written by the norm's name
    const bool second = n > 0 && normed.contains(n - 1);
    needs[made] = {made, most_floats(plan, node.output, max_batch), second ? now - 1 : now, now};
  }
  for (const int output : plan.outputs) needs[root[storage_of(plan, output)]].last = kAfterAll;
  std::erase_if(needs, [](const RoomNeed& need) { return need.floats == 0; });
  return share(needs, plan.values.size());
}

}  // namespace serval::nn
