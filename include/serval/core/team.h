// Arithmetic that stands once for both devices is written for a team of threads that share one piece of work: a frame, a
// clip, a row. On the CPU a team is one thread; on a GPU it is a warp or a block
// (cuda/core/teams.cuh). A team offers
//   rank(), size()            loops go `for (i = team.rank(); i < n; i += team.size())`
//   sync()                    what the others wrote to memory before it can be read behind it
//   sum(x), max(x), min(x)    over the team, in a fixed order; everybody gets the result and everybody must call
// All of a team reach every sync, sum, max and min.
#pragma once

#include "serval/core/hd.h"

namespace serval {

struct SoloTeam {
  SERVAL_HD static constexpr int rank() { return 0; }
  SERVAL_HD static constexpr int size() { return 1; }
  SERVAL_HD static void sync() {}
  template <class T>
  SERVAL_HD static T sum(T value) {
    return value;
  }
  template <class T>
  SERVAL_HD static T max(T value) {
    return value;
  }
  template <class T>
  SERVAL_HD static T min(T value) {
    return value;
  }
};

}  // namespace serval
