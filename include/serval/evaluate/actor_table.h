// Which classes each actor's recordings were taken for, fold by fold and seed by seed: all that the statistics over actors
// need. Actors are what was drawn from a population of speakers; recordings of one actor resemble each other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace serval::evaluate {

class ActorTable {
 public:
  explicit ActorTable(int classes);

  // One prediction. Throws InternalError for a class that there is not.
  void add(const std::string& actor, int fold, std::uint64_t seed, int label, int predicted);

  struct Cell {
    int actor = 0;                     // number in actors()
    std::vector<std::int64_t> counts;  // [true class * classes + predicted class]
  };
  struct Part {
    int fold = 0;
    std::uint64_t seed = 1;
    std::vector<Cell> cells;  // one an actor
  };

  int classes() const { return classes_; }
  const std::vector<std::string>& actors() const { return actors_; }  // as they came
  std::vector<Part> parts() const;                                    // by fold, then seed

 private:
  int classes_;
  std::vector<std::string> actors_;
  std::map<std::string, int> number_of_;
  std::map<std::pair<int, std::uint64_t>, std::map<int, std::vector<std::int64_t>>> counts_;
};

// UAR, WA and macro F1 as scores.h defines them, of counts [true class * classes + predicted class], not all zero.
struct Headline {
  double uar = 0, wa = 0, macro_f1 = 0;
};
Headline headline(const std::vector<std::int64_t>& counts, int classes);

}  // namespace serval::evaluate
