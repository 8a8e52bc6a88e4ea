#include <algorithm>
#include <map>
#include <numeric>

#include "fold_draft.h"

namespace serval::folds {

namespace {

// How much the count of actors of a gender weighs beside the count of recordings of a class.
constexpr double kGenderWeight = 0.25;

// What each actor brings, in shares of the whole: a value a class, then one a gender.
std::vector<std::vector<double>> contributions(const corpus::Manifest& manifest, const Actors& actors) {
  const std::size_t classes = manifest.classes.size();
  std::map<std::string, std::size_t> number;
  for (std::size_t i = 0; i < actors.size(); ++i) number[actors[i]] = i;
  std::vector<std::vector<double>> shares(actors.size(), std::vector<double>(classes + 3));
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    const auto found = number.find(manifest.recordings[r].actor);
    if (found == number.end()) continue;
    shares[found->second][static_cast<std::size_t>(manifest.class_of[r])] += 1;
    shares[found->second][classes + static_cast<std::size_t>(manifest.recordings[r].gender)] = 1;
  }
  for (std::size_t d = 0; d < classes + 3; ++d) {
    double sum = 0;
    for (const std::vector<double>& share : shares) sum += share[d];
    for (std::vector<double>& share : shares) share[d] = sum > 0 ? share[d] / sum : 0;
  }
  return shares;
}

class Groups {
 public:
  Groups(std::vector<std::vector<double>> shares, std::size_t classes, std::size_t count)
      : shares_(std::move(shares)),
        classes_(classes),
        goal_(1.0 / static_cast<double>(count)),
        load_(count, std::vector<double>(shares_.front().size())),
        size_(count),
        group_of_(shares_.size(), count) {}

  void place(std::size_t actor, std::size_t group) {
    for (std::size_t d = 0; d < shares_[actor].size(); ++d) load_[group][d] += shares_[actor][d];
    ++size_[group];
    group_of_[actor] = group;
  }
  void take(std::size_t actor) {
    for (std::size_t d = 0; d < shares_[actor].size(); ++d) load_[group_of_[actor]][d] -= shares_[actor][d];
    --size_[group_of_[actor]];
  }

  // The first of the groups where this actor makes the least imbalance; empty ones first when no others may stay.
  std::size_t best_group(std::size_t actor, std::size_t actors_left) const {
    const auto empty = static_cast<std::size_t>(std::count(size_.begin(), size_.end(), std::size_t{0}));
    std::size_t best = load_.size();
    double least = 0;
    for (std::size_t g = 0; g < load_.size(); ++g) {
      if (size_[g] > 0 && empty >= actors_left) continue;
      const double change = cost(g, actor) - cost(g, kNobody);
      if (best == load_.size() || change < least) {
        best = g;
        least = change;
      }
    }
    return best;
  }

  // One exchange of two actors, or one move, that makes the groups more equal; false when there is none.
  bool improve() {
    for (std::size_t a = 0; a < shares_.size(); ++a) {
      const std::size_t from = group_of_[a];
      for (std::size_t to = 0; to < load_.size(); ++to) {
        if (to == from || size_[from] == 1) continue;
        if (try_change(a, kNobody, from, to)) return true;
      }
      for (std::size_t b = a + 1; b < shares_.size(); ++b) {
        if (group_of_[b] != from && try_change(a, b, from, group_of_[b])) return true;
      }
    }
    return false;
  }

  std::size_t group_of(std::size_t actor) const { return group_of_[actor]; }

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  static constexpr double kGain = 1e-12;  // less is rounding

  double cost(std::size_t group, std::size_t with) const {
    double sum = 0;
    for (std::size_t d = 0; d < load_[group].size(); ++d) {
      const double load = load_[group][d] + (with == kNobody ? 0 : shares_[with][d]);
      sum += (d < classes_ ? 1 : kGenderWeight) * (load - goal_) * (load - goal_);
    }
    return sum;
  }

  bool try_change(std::size_t a, std::size_t b, std::size_t from, std::size_t to) {
    const double before = cost(from, kNobody) + cost(to, kNobody);
    take(a);
    if (b != kNobody) take(b);
    place(a, to);
    if (b != kNobody) place(b, from);
    if (cost(from, kNobody) + cost(to, kNobody) < before - kGain) return true;
    take(a);
    if (b != kNobody) take(b);
    place(a, from);
    if (b != kNobody) place(b, to);
    return false;
  }

  std::vector<std::vector<double>> shares_;  // [actor][class or gender]
  std::size_t classes_;
  double goal_;                            // of each column, a group's fair part
  std::vector<std::vector<double>> load_;  // [group][class or gender]
  std::vector<std::size_t> size_;          // [group], in actors
  std::vector<std::size_t> group_of_;      // [actor]
};

}  // namespace

std::vector<Actors> balanced_groups(const corpus::Manifest& manifest, const Actors& actors,
                                    std::size_t count) {
  const std::vector<std::vector<double>> shares = contributions(manifest, actors);
  std::vector<std::size_t> order(actors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto size = [&](std::size_t actor) {
    return std::accumulate(shares[actor].begin(), shares[actor].end(), 0.0);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size(a) > size(b); });

  Groups groups(shares, manifest.classes.size(), count);
  for (std::size_t i = 0; i < order.size(); ++i)
    groups.place(order[i], groups.best_group(order[i], order.size() - i));
  while (groups.improve()) {
  }
  std::vector<Actors> out(count);
  for (std::size_t a = 0; a < actors.size(); ++a) out[groups.group_of(a)].push_back(actors[a]);
  for (Actors& group : out) sort_actors(group);
  // Named by their first actors, so that the order does not tell how they were found.
  std::sort(out.begin(), out.end(),
            [](const Actors& a, const Actors& b) { return natural_less(a.front(), b.front()); });
  return out;
}

}  // namespace serval::folds
