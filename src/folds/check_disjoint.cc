#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

namespace serval::folds {

namespace {

struct Side {
  const char* name;
  const std::vector<std::string>& actors;
  const std::vector<std::int64_t>& recordings;
};

}  // namespace

void check_disjoint(const std::vector<Fold>& folds, const corpus::Manifest& manifest) {
  std::vector<std::string> problems;
  for (const Fold& fold : folds) {
    if (!fold.actors_apart) continue;
    std::map<std::string, std::set<std::string>> sides_of;  // actor -> sides
    const Side sides[] = {{"training", fold.train_actors, fold.train},
                          {"validation", fold.validation_actors, fold.validation},
                          {"test", fold.test_actors, fold.test}};
    for (const Side& side : sides) {
      for (const std::string& actor : side.actors) sides_of[actor].insert(side.name);
      for (const std::int64_t r : side.recordings) {
        SERVAL_CHECK(r >= 0 && r < static_cast<std::int64_t>(manifest.recordings.size()), "recording ", r,
                     " of ", manifest.recordings.size());
        sides_of[manifest.recordings[static_cast<std::size_t>(r)].actor].insert(side.name);
      }
    }
    for (const auto& [actor, names] : sides_of) {
      if (names.size() < 2) continue;
      problems.push_back(cat("fold ", fold.index + 1, ": ", actor, " is on the sides ",
                             join({names.begin(), names.end()}, " and ")));
    }
  }
  if (!problems.empty()) throw AuditError("actors on two sides: " + join(problems, "; "));
}

}  // namespace serval::folds
