// Scores of parts of the recordings: of each actor, gender, corpus and so on.
#pragma once

#include <string>
#include <vector>

#include "serval/evaluate/scores.h"

namespace serval::evaluate {

// UAR of a group is the mean recall of the classes that occur in it.
struct GroupScores {
  std::string name;
  Scores scores;
};

// groups[i] is the group of recording i; "" belongs to none. Groups come in natural order ("a/2" before "a/10"). There may be
// no recordings, and then no groups. Throws InternalError where the three are not equally long.
std::vector<GroupScores> score_groups(const std::vector<std::string>& groups, const std::vector<int>& labels,
                                      const std::vector<int>& predictions, int classes);

// The group of the lowest and of the highest UAR, of equal ones the first; null where there are no groups.
const GroupScores* worst_group(const std::vector<GroupScores>& groups);
const GroupScores* best_group(const std::vector<GroupScores>& groups);
const GroupScores* find_group(const std::vector<GroupScores>& groups, const std::string& name);

// How differently a model serves women and men: UAR of "female" minus UAR of "male". NaN where one of them is absent.
struct GenderGap {
  double female_minus_male = 0;
  double absolute = 0;
};
GenderGap gender_gap(const std::vector<GroupScores>& genders);

}  // namespace serval::evaluate
