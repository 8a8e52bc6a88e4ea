#include "serval/evaluate/groups.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "serval/core/error.h"
#include "serval/core/text.h"

namespace serval::evaluate {

std::vector<GroupScores> score_groups(const std::vector<std::string>& groups, const std::vector<int>& labels,
                                      const std::vector<int>& predictions, int classes) {
  SERVAL_CHECK(groups.size() == labels.size() && groups.size() == predictions.size(), groups.size(),
               " groups, ", labels.size(), " labels, ", predictions.size(), " predictions");
  struct Members {
    std::vector<int> labels, predictions;
  };
  std::map<std::string, Members, decltype(&natural_less)> members(&natural_less);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].empty()) continue;
    Members& group = members[groups[i]];
    group.labels.push_back(labels[i]);
    group.predictions.push_back(predictions[i]);
  }
  std::vector<GroupScores> out;
  for (const auto& [name, group] : members)
    out.push_back({name, score(group.labels, group.predictions, classes)});
  return out;
}

namespace {

bool lower_uar(const GroupScores& a, const GroupScores& b) { return a.scores.uar < b.scores.uar; }

}  // namespace

const GroupScores* worst_group(const std::vector<GroupScores>& groups) {
  const auto worst = std::min_element(groups.begin(), groups.end(), lower_uar);
  return worst == groups.end() ? nullptr : &*worst;
}

const GroupScores* best_group(const std::vector<GroupScores>& groups) {
  const auto best = std::max_element(groups.begin(), groups.end(), lower_uar);
  return best == groups.end() ? nullptr : &*best;
}

const GroupScores* find_group(const std::vector<GroupScores>& groups, const std::string& name) {
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const GroupScores& group) { return group.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

GenderGap gender_gap(const std::vector<GroupScores>& genders) {
  const GroupScores* female = find_group(genders, "female");
  const GroupScores* male = find_group(genders, "male");
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  if (female == nullptr || male == nullptr) return {kUndefined, kUndefined};
  const double difference = female->scores.uar - male->scores.uar;
  return {difference, std::abs(difference)};
}

}  // namespace serval::evaluate
