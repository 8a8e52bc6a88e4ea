// Where a network's values and gradients lie: who reads what, for how long each is needed, and which of them share a room.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "layer.h"
#include "network_plan.h"

namespace serval::nn {

using Layers = std::vector<std::unique_ptr<Layer>>;  // [node]; null: a view

// Rooms and who has which.
struct Rooms {
  std::vector<int> room_of;          // [value]; -1: none
  std::vector<std::int64_t> floats;  // [room]
};

inline std::size_t storage_of(const NetworkPlan& plan, int value) {
  return static_cast<std::size_t>(plan.values[static_cast<std::size_t>(value)].storage);
}
// The most that a value can have, of so large a batch.
std::int64_t most_floats(const NetworkPlan& plan, int value, std::int64_t max_batch);

// Of gradients: needed from the last of a value's readers, the first to go back, to the layer that made it.
Rooms gradient_rooms(const NetworkPlan& plan, std::int64_t max_batch);
// Gradients that reach a value a second time are written elsewhere and then added: the most that one node needs.
std::int64_t scratch_floats(const NetworkPlan& plan, std::int64_t max_batch);

// Nodes whose layer also does the norm behind it.
std::set<std::size_t> normed_nodes(const NetworkPlan& plan, const Layers& layers);
// Of values where nothing trains: needed from the layer that makes one to the last of its readers. Those of layers that pass
// their input on read that.
Rooms lean_rooms(const NetworkPlan& plan, const Layers& layers, const std::set<std::size_t>& normed,
                 std::int64_t max_batch);

}  // namespace serval::nn
