#include "serval/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "serval/core/error.h"

namespace serval::report {

namespace {

using evaluate::ActorTable;

// What a run says of a recording that it tested in a fold, all seeds together.
struct Tested {
  std::string actor;
  int label = 0;
  std::vector<double> probabilities;  // summed over seeds
  int seeds = 0;
};
using Place = std::pair<std::string, int>;  // recording, fold

struct Sums {
  std::map<Place, Tested> tested;
  std::vector<double> fold_uar;  // [fold], the mean over seeds
  ActorTable actors;
};

std::size_t distinct(const ModelReport& model, std::string Prediction::*field) {
  std::set<std::string> values;
  for (const Prediction& p : model.predictions) values.insert(p.*field);
  return values.size();
}

// Throws DataError for a recording that some seed has not tested: then seeds are no repeated looks at the same.
Sums sum_up(const ComparisonInput& input) {
  const auto classes = static_cast<int>(input.run->classes.size());
  Sums out{{}, {}, ActorTable(classes)};
  std::map<int, std::vector<double>> folds;
  for (const evaluate::FoldScores& fold : input.model->folds) folds[fold.fold].push_back(fold.scores.uar);
  std::size_t seeds = 0;
  for (const auto& [fold, values] : folds) {
    out.fold_uar.push_back(evaluate::mean_std(values).mean);
    seeds = std::max(seeds, values.size());
  }
  for (const Prediction& p : input.model->predictions) {
    out.actors.add(p.actor, p.fold, p.seed, p.label, p.predicted);
    Tested& tested = out.tested[{p.recording, p.fold}];
    tested.actor = p.actor;
    tested.label = p.label;
    tested.probabilities.resize(p.probabilities.size());
    for (std::size_t c = 0; c < p.probabilities.size(); ++c)
      tested.probabilities[c] += static_cast<double>(p.probabilities[c]);
    ++tested.seeds;
  }
  for (const auto& [place, tested] : out.tested) {
    if (tested.seeds != static_cast<int>(seeds)) {
      throw DataError(cat(input.folder, "/predictions.csv: model ", input.model->name, " has ", place.first,
                          " in fold ", place.second + 1, " with ", tested.seeds, " of ", seeds, " seeds"));
    }
  }
  return out;
}

std::string label_of(const ComparisonInput& input, int label) {
  return input.run->classes[static_cast<std::size_t>(label)];
}

// The first thing that keeps two runs from being paired, for "<A> and <B> are not paired: ..."; "" where nothing does.
std::string difference_of(const ComparisonInput& a, const Sums& of_a, const ComparisonInput& b,
                          const Sums& of_b) {
  if (a.run->classes != b.run->classes) {
    return cat("the classes are ", join(a.run->classes, " "), " there and ", join(b.run->classes, " "),
               " here");
  }
  std::map<std::string, std::set<int>> folds_in_a, folds_in_b;
  for (const auto& [place, tested] : of_a.tested) folds_in_a[place.first].insert(place.second);
  for (const auto& [place, tested] : of_b.tested) folds_in_b[place.first].insert(place.second);
  for (const auto* pair : {&folds_in_a, &folds_in_b}) {
    const auto& other = pair == &folds_in_a ? folds_in_b : folds_in_a;
    for (const auto& [recording, folds] : *pair) {
      if (other.count(recording) == 0)
        return cat("recording ", recording, " is tested ", pair == &folds_in_a ? "there" : "here", " alone");
    }
  }
  for (const auto& [recording, hash] : *a.contents) {
    const auto at = b.contents->find(recording);
    if (folds_in_a.count(recording) != 0 && at != b.contents->end() && at->second != hash)
      return cat("recording ", recording, " is another file in each");
  }
  for (const auto& [place, tested] : of_a.tested) {
    const auto at = of_b.tested.find(place);
    if (at == of_b.tested.end()) {
      return cat("recording ", place.first, " is tested in fold ", place.second + 1, " there and in fold ",
                 *folds_in_b.at(place.first).begin() + 1, " here");
    }
    if (at->second.label != tested.label) {
      return cat("recording ", place.first, " is ", label_of(a, tested.label), " there and ",
                 label_of(b, at->second.label), " here");
    }
    if (at->second.actor != tested.actor)
      return cat("recording ", place.first, " is of actor ", tested.actor, " there and of ", at->second.actor,
                 " here");
  }
  if (of_a.tested.size() != of_b.tested.size()) return "recordings are tested in more folds here than there";
  return "";
}

// Of the runs' mean over folds: recordings of the test side for each of the training side.
double test_to_train(const RunReport& run) {
  double sum = 0;
  for (const FoldSize& fold : run.fold_sizes)
    sum += static_cast<double>(fold.test) / static_cast<double>(fold.train);
  return sum / static_cast<double>(run.fold_sizes.size());
}

// Whether the seeds' mean probabilities put the true class first, recording by recording.
std::vector<bool> rights(const Sums& sums) {
  std::vector<bool> out;
  for (const auto& [place, tested] : sums.tested) {
    const auto most = std::max_element(tested.probabilities.begin(), tested.probabilities.end());
    out.push_back(most - tested.probabilities.begin() == tested.label);
  }
  return out;
}

PairedDifference difference(const std::vector<ComparedRun>& runs, const std::vector<ComparisonInput>& inputs,
                            const std::vector<Sums>& sums, std::size_t first, std::size_t second) {
  PairedDifference out;
  out.first = first;
  out.second = second;
  const evaluate::Summary& a = runs[first].summary;
  const evaluate::Summary& b = runs[second].summary;
  out.uar = b.uar.mean - a.uar.mean;
  out.wa = b.wa.mean - a.wa.mean;
  out.macro_f1 = b.macro_f1.mean - a.macro_f1.mean;
  out.pooled_uar = b.pooled.uar - a.pooled.uar;
  out.intervals = evaluate::bootstrap_difference(sums[second].actors, sums[first].actors);
  out.permutation.p =
      evaluate::sign_flip_p(evaluate::uar_differences(sums[second].actors, sums[first].actors));
  std::vector<double> folds;
  for (std::size_t f = 0; f < sums[first].fold_uar.size(); ++f)
    folds.push_back(sums[second].fold_uar[f] - sums[first].fold_uar[f]);
  // Runs with other validation actors train on more or fewer recordings: the larger share is the careful one.
  out.t_test = evaluate::corrected_t_test(
      folds, std::max(test_to_train(*inputs[first].run), test_to_train(*inputs[second].run)));
  out.t_test_p.p = out.t_test.p;
  out.mcnemar = evaluate::mcnemar(rights(sums[first]), rights(sums[second]));
  out.mcnemar_p.p = out.mcnemar.p;
  return out;
}

void correct(std::vector<PairedDifference>& pairs, CorrectedP PairedDifference::*test) {
  std::vector<double> p;
  for (const PairedDifference& pair : pairs) p.push_back((pair.*test).p);
  const std::vector<double> holm = evaluate::holm(p), hochberg = evaluate::benjamini_hochberg(p);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    (pairs[i].*test).holm = holm[i];
    (pairs[i].*test).benjamini_hochberg = hochberg[i];
  }
}

std::string last_folder(const std::string& path) {
  std::string out = path;
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out.substr(out.rfind('/') + 1);
}

// The shortest of these that tells every run from the others: its name; with the model; the folder with the model; the
// whole path with the model.
std::vector<std::string> names_of(const std::vector<ComparisonInput>& inputs) {
  std::vector<std::string> names;
  for (int length = 0; length < 4; ++length) {
    names.clear();
    for (const ComparisonInput& input : inputs) {
      const std::string& model = input.model->name;
      names.push_back(length == 0   ? input.run->name
                      : length == 1 ? cat(input.run->name, ":", model)
                      : length == 2 ? cat(last_folder(input.folder), ":", model)
                                    : cat(input.folder, ":", model));
    }
    if (std::set<std::string>(names.begin(), names.end()).size() == names.size()) return names;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::count(names.begin(), names.end(), names[i]) > 1)
      throw ConfigError(cat(names[i], " is named twice; it cannot differ from itself"));
  }
  return names;
}

ComparedRun compared(const ComparisonInput& input, const std::string& name) {
  ComparedRun out;
  out.name = name;
  out.folder = input.folder;
  out.model = input.model->name;
  out.recordings = distinct(*input.model, &Prediction::recording);
  out.actors = distinct(*input.model, &Prediction::actor);
  std::set<int> folds;
  std::set<std::uint64_t> seeds;
  for (const evaluate::FoldScores& fold : input.model->folds) {
    folds.insert(fold.fold);
    seeds.insert(fold.seed);
  }
  out.folds = folds.size();
  out.seeds = seeds.size();
  out.configurations = input.run->configurations;
  out.summary = input.model->summary;
  out.intervals = input.model->intervals;
  out.chance = input.run->chance;
  for (const evaluate::GroupScores& actor : input.model->groups.actor)
    out.actor_uar.emplace_back(actor.name, actor.scores.uar);
  out.stamps = input.run->stamps;
  out.leaks = input.run->leaks;
  out.audit = input.run->audit.verdict();
  return out;
}

}  // namespace

std::string why_unpaired(const ComparisonInput& a, const ComparisonInput& b) {
  return difference_of(a, sum_up(a), b, sum_up(b));
}

Comparison compare_runs(const std::vector<ComparisonInput>& inputs, const ComparisonSettings& settings) {
  SERVAL_CHECK(inputs.size() > 1, "one run cannot be compared");
  Comparison out;
  out.classes = inputs.front().run->classes;
  const std::vector<std::string> names = names_of(inputs);
  std::vector<Sums> sums;
  std::set<std::string> folders;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    out.runs.push_back(compared(inputs[i], names[i]));
    sums.push_back(sum_up(inputs[i]));
    out.runs.back().fold_uar = sums.back().fold_uar;
    if (folders.insert(inputs[i].folder).second) out.configurations += inputs[i].run->configurations;
    if (i == 0) continue;
    const std::string why = difference_of(inputs[0], sums[0], inputs[i], sums[i]);
    if (!why.empty()) out.why_unpaired.push_back(cat(names[i], " is not paired with ", names[0], ": ", why));
  }
  if (!out.why_unpaired.empty()) {
    if (settings.unpaired) return out;
    throw DataError(cat(join(out.why_unpaired, "\n"),
                        "\n--unpaired shows such runs beside each other, without differences and tests"));
  }
  const std::size_t baselines = settings.all_pairs ? inputs.size() - 1 : 1;
  for (std::size_t first = 0; first < baselines; ++first) {
    for (std::size_t second = first + 1; second < inputs.size(); ++second)
      out.pairs.push_back(difference(out.runs, inputs, sums, first, second));
  }
  correct(out.pairs, &PairedDifference::permutation);
  correct(out.pairs, &PairedDifference::t_test_p);
  correct(out.pairs, &PairedDifference::mcnemar_p);
  return out;
}

}  // namespace serval::report
