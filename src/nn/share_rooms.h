// Memory for values that are not all needed at once: those whose times do not meet share a room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace serval::nn {

struct RoomNeed {
  std::size_t value = 0;
  std::int64_t floats = 0;
  int first = std::numeric_limits<int>::max();  // times, both inclusive
  int last = std::numeric_limits<int>::min();
};

// assign(value, number of its room) for each; returns the floats of every room.
template <class Assign>
std::vector<std::int64_t> share_rooms(std::vector<RoomNeed> needs, Assign assign) {
  std::stable_sort(needs.begin(), needs.end(),
                   [](const RoomNeed& a, const RoomNeed& b) { return a.first < b.first; });
  std::vector<std::int64_t> rooms;
  std::vector<int> taken_to;
  for (const RoomNeed& need : needs) {
    // Of the free rooms the one that has to grow least.
    const auto growth = [&](std::size_t room) {
      return std::max<std::int64_t>(0, need.floats - rooms[room]);
    };
    std::size_t best = rooms.size();
    for (std::size_t r = 0; r < rooms.size(); ++r) {
      if (taken_to[r] >= need.first) continue;
      if (best == rooms.size() || growth(r) < growth(best)) best = r;
    }
    if (best == rooms.size()) {
      rooms.push_back(0);
      taken_to.push_back(0);
    }
    rooms[best] = std::max(rooms[best], need.floats);
    taken_to[best] = need.last;
    assign(need.value, static_cast<int>(best));
  }
  return rooms;
}

}  // namespace serval::nn
