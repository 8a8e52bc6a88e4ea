#include <algorithm>
#include <set>

#include "serval/core/text.h"
#include "serval/report/run_report.h"

namespace serval::report {

namespace {

// One fold and seed: predictions [begin, end), which lie together.
evaluate::FoldScores score_fold(const Prediction* begin, const Prediction* end, int classes) {
  std::set<std::string, decltype(&natural_less)> actors(&natural_less);
  std::vector<int> labels, predicted;
  for (const Prediction* p = begin; p != end; ++p) {
    actors.insert(p->actor);
    labels.push_back(p->label);
    predicted.push_back(p->predicted);
  }
  return {
      begin->fold, begin->seed, {actors.begin(), actors.end()}, evaluate::score(labels, predicted, classes)};
}

}  // namespace

const std::vector<NamedGroups>& group_kinds() {
  static const std::vector<NamedGroups> kinds = {{"actor", &Groups::actor},
                                                 {"gender", &Groups::gender},
                                                 {"corpus", &Groups::corpus},
                                                 {"intensity", &Groups::intensity},
                                                 {"sentence", &Groups::sentence}};
  return kinds;
}

void score_predictions(ModelReport& model, int classes) {
  std::vector<Prediction>& all = model.predictions;
  model.folds.clear();
  if (all.empty()) return;
  std::stable_sort(all.begin(), all.end(), [](const Prediction& a, const Prediction& b) {
    return a.fold != b.fold ? a.fold < b.fold : a.seed < b.seed;
  });
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    while (end < all.size() && all[end].fold == all[begin].fold && all[end].seed == all[begin].seed) ++end;
    model.folds.push_back(score_fold(all.data() + begin, all.data() + end, classes));
  }
  model.summary = evaluate::summarise(model.folds);

  evaluate::ActorTable actors(classes);
  for (const Prediction& p : all) actors.add(p.actor, p.fold, p.seed, p.label, p.predicted);
  model.intervals = evaluate::bootstrap_actors(actors);

  std::vector<int> labels, predicted;
  evaluate::Probabilities probabilities;
  for (const Prediction& p : all) {
    labels.push_back(p.label);
    predicted.push_back(p.predicted);
    probabilities.push_back(p.probabilities);
  }
  model.probabilities = evaluate::score_probabilities(labels, probabilities);
  const auto grouped = [&](std::string Prediction::*field) {
    std::vector<std::string> groups;
    for (const Prediction& p : all) groups.push_back(p.*field);
    return evaluate::score_groups(groups, labels, predicted, classes);
  };
  model.groups = {grouped(&Prediction::actor), grouped(&Prediction::gender), grouped(&Prediction::corpus),
                  grouped(&Prediction::intensity), grouped(&Prediction::sentence)};
}

}  // namespace serval::report
