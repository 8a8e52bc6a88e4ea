#include "targets.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/text.h"
#include "serval/corpus/labels.h"

#include "target_table.h"

namespace serval::experiment {

namespace {

// What a word or column of votes stands for.
class VoteClasses {
 public:
  VoteClasses(const ExperimentSettings& settings, const TargetSettings& target,
              const std::vector<std::string>& classes)
      : own_(target.label_map), labels_(corpus::label_set(settings.labels)), classes_(classes) {}

  static constexpr int kLeftOut = -1, kUnknown = -2;
  int operator()(const std::string& word) const {
    for (const auto* map : {&own_, &labels_.map}) {
      for (const auto& [from, to] : *map) {
        if (from == word) return number(to, kLeftOut);
      }
    }
    // A class that no recording has is none of the experiment's; its votes say nothing about the others.
    const bool known =
        std::find(labels_.classes.begin(), labels_.classes.end(), word) != labels_.classes.end();
    return number(word, known ? kLeftOut : kUnknown);
  }

 private:
  int number(const std::string& name, int otherwise) const {
    const auto found = std::find(classes_.begin(), classes_.end(), name);
    return found == classes_.end() ? otherwise : static_cast<int>(found - classes_.begin());
  }
  const NamedList<std::string>& own_;
  corpus::LabelSet labels_;
  const std::vector<std::string>& classes_;
};

// Adds up the votes of a file with a column a class.
void count_columns(const TargetSettings& settings, const VoteClasses& class_of, const TargetTable& table,
                   const std::vector<std::string>& classes, std::vector<double>& votes, LineErrors& errors) {
  std::vector<std::pair<int, int>> columns;  // column, class
  std::vector<bool> given(classes.size(), false);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const int number = class_of(trimmed(table.columns[c]));
    if (c == table.name_column || number < 0) continue;
    columns.emplace_back(static_cast<int>(c), number);
    given[static_cast<std::size_t>(number)] = true;
  }
  for (const auto& [column, name] : settings.label_map) {
    if (table.column(column) < 0)
      errors.add(1, cat("there is no column \"", column, "\", which label_map names"));
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (!given[c]) {
      errors.add(1, cat("no column has the votes for \"", classes[c],
                        "\"; say under label_map which one does, or "
                        "under vote which column has a rater's choice"));
    }
  }
  for (const TargetRow& row : table.rows) {
    for (const auto& [column, number] : columns) {
      const double value = target_number(table, row, column, errors);
      if (value < 0) {
        errors.add(row.line, cat(about(row), "column \"", table.columns[static_cast<std::size_t>(column)],
                                 "\": ", value, " votes are fewer than none"));
      }
      votes[row.recording * classes.size() + static_cast<std::size_t>(number)] += value;
    }
  }
}

// The same of a file with a row a vote.
void count_rows(const TargetSettings& settings, const VoteClasses& class_of, const TargetTable& table,
                std::size_t classes, std::vector<double>& votes, LineErrors& errors) {
  const int column = table.column(settings.vote);
  if (column < 0) return errors.add(1, cat("there is no column \"", settings.vote, "\", which vote names"));
  for (const TargetRow& row : table.rows) {
    const std::string word = trimmed(row.fields[static_cast<std::size_t>(column)]);
    const int number = class_of(word);
    if (number == VoteClasses::kUnknown) {
      errors.add(row.line, cat(about(row), "the vote \"", word,
                               "\" is no class; give its class in label_map, or null to leave it out"));
    } else if (number != VoteClasses::kLeftOut) {
      votes[row.recording * classes + static_cast<std::size_t>(number)] += 1;
    }
  }
}

void read_votes(const ExperimentSettings& experiment, const TargetSettings& settings,
                const corpus::Manifest& manifest, train::Target& target, LineErrors& errors) {
  target.kind = train::TargetKind::kExperimentClasses;
  target.names = manifest.classes;
  target.labels = manifest.class_of;
  const TargetTable table = read_target_table(settings, manifest, settings.vote.empty(), errors);
  const VoteClasses class_of(experiment, settings, manifest.classes);
  const std::size_t classes = manifest.classes.size();
  std::vector<double> votes(manifest.recordings.size() * classes, 0.0);
  if (settings.vote.empty()) {
    count_columns(settings, class_of, table, manifest.classes, votes, errors);
  } else {
    count_rows(settings, class_of, table, classes, votes, errors);
  }
  errors.throw_if_any();
  std::vector<bool> reported(manifest.recordings.size(), false);
  std::int64_t agree = 0;
  for (const TargetRow& row : table.rows) {
    const auto first = votes.begin() + static_cast<std::ptrdiff_t>(row.recording * classes);
    const double sum = std::accumulate(first, first + static_cast<std::ptrdiff_t>(classes), 0.0);
    if (sum > 0 || reported[row.recording]) continue;
    reported[row.recording] = true;
    errors.add(row.line,
               cat(about(row), "its votes for the classes ", join(manifest.classes, ", "), " add up to 0"));
  }
  errors.throw_if_any();
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    const auto first = votes.begin() + static_cast<std::ptrdiff_t>(r * classes);
    const auto last = first + static_cast<std::ptrdiff_t>(classes);
    const double sum = std::accumulate(first, last, 0.0);
    agree += std::max_element(first, last) - first == manifest.class_of[r];
    for (auto vote = first; vote != last; ++vote) target.rows.push_back(static_cast<float>(*vote / sum));
  }
  log_info(cat("target ", target.name, ": most votes are for the label in ", agree, " of ",
               manifest.recordings.size(), " recordings"));
}

void read_numbers(const TargetSettings& settings, const corpus::Manifest& manifest, train::Target& target,
                  LineErrors& errors) {
  target.kind = train::TargetKind::kNumbers;
  target.names = settings.columns;
  const TargetTable table = read_target_table(settings, manifest, true, errors);
  std::vector<int> columns;
  for (const std::string& name : settings.columns) {
    columns.push_back(table.column(name));
    if (columns.back() >= 0) continue;
    errors.add(1, cat("there is no column \"", name, "\"; there are ", join(table.columns, ", ")));
  }
  target.rows.resize(manifest.recordings.size() * columns.size());
  for (const TargetRow& row : table.rows) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (columns[k] < 0) continue;
      target.rows[row.recording * columns.size() + k] =
          static_cast<float>(target_number(table, row, columns[k], errors));
    }
  }
  errors.throw_if_any();
}

std::string value_of(const corpus::Recording& recording, Attribute attribute) {
  switch (attribute) {
    case Attribute::kGender:
      return recording.gender == corpus::Gender::kUnknown ? "" : corpus::to_string(recording.gender);
    case Attribute::kCorpus:
      return recording.corpus;
    case Attribute::kLabel:
      return recording.label;
    case Attribute::kSentence:
      return recording.sentence;
    case Attribute::kIntensity:
      return recording.intensity;
    case Attribute::kRepetition:
      return recording.repetition;
  }
  return "";
}

void read_attribute(const TargetSettings& settings, const corpus::Manifest& manifest, train::Target& target) {
  const char* name = to_string(settings.attribute);
  target.kind = train::TargetKind::kOtherClasses;
  std::set<std::string> values;
  std::vector<std::string> unknown;
  for (const corpus::Recording& recording : manifest.recordings) {
    const std::string value = value_of(recording, settings.attribute);
    if (value.empty()) unknown.push_back(recording.id);
    values.insert(value);
  }
  if (!unknown.empty()) {
    throw DataError(cat("the ", name, " of ", unknown.size(), " of the ", manifest.recordings.size(),
                        " recordings is not known: ", first_few(unknown)));
  }
  if (values.size() < 2)
    throw DataError(
        cat("the ", name, " of all recordings is ", *values.begin(), "; there is nothing to learn"));
  target.names.assign(values.begin(), values.end());
  for (const corpus::Recording& recording : manifest.recordings) {
    const auto found = values.find(value_of(recording, settings.attribute));
    target.labels.push_back(static_cast<int>(std::distance(values.begin(), found)));
  }
}

void check_other_classes(const train::Target& target, const folds::Fold& fold) {
  std::vector<bool> there(target.names.size(), false);
  for (const std::int64_t r : fold.train)
    there[static_cast<std::size_t>(target.labels[static_cast<std::size_t>(r)])] = true;
  std::vector<std::string> absent;
  for (std::size_t c = 0; c < there.size(); ++c) {
    if (!there[c]) absent.push_back(target.names[c]);
  }
  if (absent.empty()) return;
  throw ConfigError(cat("targets.", target.name, ": no training recording of fold ", fold.index + 1, " is ",
                        join(absent, " or "), "; choose other folds or another target"));
}

folds::Normaliser fit_scaling(const train::Target& target, const folds::Fold& fold,
                              const corpus::Manifest& manifest) {
  folds::RaggedFeatures ragged;
  ragged.values = target.rows.data();
  ragged.dimension = target.width();
  ragged.offsets.resize(manifest.recordings.size() + 1);
  std::iota(ragged.offsets.begin(), ragged.offsets.end(), std::int64_t{0});
  folds::Normaliser scaling = folds::fit_normaliser(ragged, fold, manifest);
  for (const std::size_t k : scaling.constant) {
    throw DataError(cat("targets.", target.name, ": ", target.names[k],
                        " is the same in all training recordings of fold ", fold.index + 1,
                        "; it cannot be standardised"));
  }
  return scaling;
}

// The layer whose result is the network's first output.
std::string first_output(const nn::NetworkSettings& network) {
  if (!network.outputs.empty()) return network.outputs.front();
  return nn::layer_name(network, network.layers.size() - 1);
}

}  // namespace

std::vector<train::Target> read_targets(const ExperimentSettings& settings,
                                        const corpus::Manifest& manifest) {
  std::vector<train::Target> targets;
  std::vector<std::string> problems;
  std::optional<ExitCode> code;
  for (const auto& [name, target] : settings.targets) {
    train::Target& own = targets.emplace_back();
    own.name = name;
    LineErrors errors(target.file);
    try {
      switch (target.type) {
        case TargetType::kVotes:
          read_votes(settings, target, manifest, own, errors);
          break;
        case TargetType::kNumbers:
          read_numbers(target, manifest, own, errors);
          break;
        case TargetType::kAttribute:
          read_attribute(target, manifest, own);
          break;
      }
    } catch (const Error& error) {
      problems.push_back(cat("targets.", name, ": ", error.what()));
      if (!code || error.code() == ExitCode::kConfig) code = error.code();
    }
  }
  if (problems.empty()) return targets;
  if (*code == ExitCode::kConfig) throw ConfigError(join(problems, "\n"));
  throw DataError(join(problems, "\n"));
}

train::Target kept_target(const train::Target& target, const std::vector<std::size_t>& recordings) {
  train::Target out = target;
  out.labels.clear();
  out.rows.clear();
  const auto width = static_cast<std::size_t>(target.width());
  for (const std::size_t r : recordings) {
    if (!target.labels.empty()) out.labels.push_back(target.labels[r]);
    if (target.rows.empty()) continue;
    const auto row = target.rows.begin() + static_cast<std::ptrdiff_t>(r * width);
    out.rows.insert(out.rows.end(), row, row + static_cast<std::ptrdiff_t>(width));
  }
  return out;
}

FoldedTargets fold_targets(const ExperimentSettings& settings, const Dataset& dataset,
                           const std::vector<folds::Fold>& folds) {
  FoldedTargets out;
  for (std::size_t i = 0; i < dataset.targets.size(); ++i) {
    const train::Target& target = *dataset.targets[i];
    std::vector<folds::Normaliser>& scalings = out.scalings.emplace_back(folds.size());
    for (std::size_t f = 0; f < folds.size(); ++f) {
      if (target.kind == train::TargetKind::kOtherClasses) check_other_classes(target, folds[f]);
      if (!target.of_numbers() || !settings.targets[i].second.standardise) continue;
      scalings[f] = fit_scaling(target, folds[f], dataset.manifest);
      out.statistics.push_back({.name = cat("standardisation of target ", target.name, ", ",
                                            folds::fold_name(folds[f].index, folds[f].inner)),
                                .fold = folds[f].index,
                                .fitted_on_actors = scalings[f].fitted_on_actors,
                                .inner = folds[f].inner});
    }
  }
  return out;
}

std::vector<train::Head> make_heads(const ExperimentSettings& settings, const ModelSettings& model,
                                    const Dataset& dataset, const FoldedTargets& folded, int fold) {
  std::vector<train::Head> heads;
  const auto add = [&](const std::string& output, const std::string& target, const train::OutputLoss& loss,
                       double weight) {
    train::Head& head = heads.emplace_back();
    head.output = output;
    head.loss = loss;
    head.weight = weight;
    for (std::size_t i = 0; i < dataset.targets.size(); ++i) {
      if (dataset.targets[i]->name != target) continue;
      head.target = dataset.targets[i];
      head.scaling = folded.scalings[i][static_cast<std::size_t>(fold)];
    }
    if (head.target) return;
    auto classes = std::make_shared<train::Target>();
    classes->names = dataset.manifest.classes;
    classes->labels = dataset.manifest.class_of;
    head.target = std::move(classes);
  };
  for (const auto& [output, head] : model.heads)
    add(output, head.target, head.loss.value_or(settings.train.loss), head.weight);
  if (model.heads.empty() && model.target != train::kClassTarget) {
    // Branches are outputs of their own.
    const bool branches = !settings.train.loss.branches.empty();
    add(branches ? "" : first_output(*model.network), model.target, settings.train.loss, 1);
  }
  return heads;
}

}  // namespace serval::experiment
