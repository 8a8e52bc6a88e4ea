#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/text.h"
#include "serval/evaluate/cross_validation.h"
#include "serval/experiment/resolve.h"
#include "serval/report/sweep_page.h"

#include "checked_line.h"
#include "directory.h"
#include "trial_result.h"

namespace serval::experiment {

namespace {

constexpr std::size_t kMostRows = 25;  // that the text shows

struct Entry {
  Trial trial;
  TrialResult result;
};

// By fold: the mean over seeds.
std::map<int, double> score_of_folds(const evaluate::ActorTable& table, SelectionScore score) {
  std::map<int, std::vector<double>> values;
  for (const auto& part : table.parts())
    values[part.fold].push_back(score_of(part_scores(part, table.classes()), score));
  std::map<int, double> out;
  for (const auto& [fold, of_seeds] : values) {
    double sum = 0;
    for (const double value : of_seeds) sum += value;
    out[fold] = sum / static_cast<double>(of_seeds.size());
  }
  return out;
}

// Whether two trials tested the same actors in the same folds with the same seeds.
bool same_folds(const evaluate::ActorTable& a, const evaluate::ActorTable& b) {
  const auto places = [](const evaluate::ActorTable& table) {
    std::set<std::tuple<int, std::uint64_t, std::string>> out;
    for (const auto& part : table.parts()) {
      for (const auto& cell : part.cells)
        out.emplace(part.fold, part.seed, table.actors()[static_cast<std::size_t>(cell.actor)]);
    }
    return out;
  };
  return a.classes() == b.classes() && places(a) == places(b);
}

void add_fold(const evaluate::ActorTable& from, int fold, evaluate::ActorTable& to) {
  const auto classes = static_cast<std::size_t>(from.classes());
  for (const auto& part : from.parts()) {
    if (part.fold != fold) continue;
    for (const auto& cell : part.cells) {
      for (std::size_t i = 0; i < cell.counts.size(); ++i) {
        for (std::int64_t n = 0; n < cell.counts[i]; ++n)
          to.add(from.actors()[static_cast<std::size_t>(cell.actor)], fold, part.seed,
                 static_cast<int>(i / classes), static_cast<int>(i % classes));
      }
    }
  }
}

// The test scores of choosing anew in every fold, by the validation actors of that fold alone.
struct Nested {
  std::vector<std::pair<int, std::int64_t>> chosen;  // fold from 0, number of the trial
  SideScores scores;
};

std::optional<Nested> choose_by_fold(const std::vector<Entry>& entries, SelectionScore score) {
  const evaluate::ActorTable& first = entries.front().result.test.table;
  for (const Entry& entry : entries) {
    if (!same_folds(first, entry.result.test.table)) return std::nullopt;
  }
  Nested out;
  std::map<int, std::pair<double, const Entry*>> best;
  for (const Entry& entry : entries) {
    for (const auto& [fold, value] : score_of_folds(entry.result.validation.table, score)) {
      auto& [top, who] = best[fold];
      if (who == nullptr || value > top) {
        top = value;
        who = &entry;
      }
    }
  }
  evaluate::ActorTable table(first.classes());
  for (const auto& [fold, choice] : best) {
    add_fold(choice.second->result.test.table, fold, table);
    out.chosen.emplace_back(fold, choice.second->trial.number);
  }
  if (table.actors().size() != first.actors().size()) return std::nullopt;  // folds without validation
  out.scores = scores_of_table(std::move(table));
  return out;
}

JsonValue to_json(const ScoreAndInterval& score) {
  JsonValue interval;
  if (!std::isnan(score.low)) {
    interval = JsonValue::list();
    interval.items = {JsonValue::of(score.low), JsonValue::of(score.high)};
  }
  return JsonValue::object().set("mean", JsonValue::of(score.mean)).set("interval", std::move(interval));
}

JsonValue to_json(const SideScores& scores) {
  return JsonValue::object()
      .set("uar", to_json(scores.uar))
      .set("wa", to_json(scores.wa))
      .set("macro_f1", to_json(scores.macro_f1));
}

JsonValue point_json(const Point& point) {
  JsonValue out = JsonValue::object();
  for (const auto& [path, value] : point) out.set(path, value);
  return out;
}

std::string percent(const ScoreAndInterval& score) {
  const std::string mean = formatted("%.1f", 100 * score.mean);
  if (std::isnan(score.low)) return mean;
  return mean + " [" + formatted("%.1f", 100 * score.low) + ", " + formatted("%.1f", 100 * score.high) + "]";
}

// Whether who validated a fold was tested in one too, as actors are where folds take turns.
bool validators_are_tested(const Entry& entry) {
  const std::vector<std::string>& tested = entry.result.test.table.actors();
  const std::set<std::string> test(tested.begin(), tested.end());
  const std::vector<std::string>& validated = entry.result.validation.table.actors();
  return std::any_of(validated.begin(), validated.end(),
                     [&](const std::string& actor) { return test.count(actor) > 0; });
}

// What a reader must know before believing the test scores of choices.
std::string choice_stamp(std::size_t trials, bool by_fold, Strategy strategy) {
  std::string out = cat("the selected trial is the best of ", trials,
                        " by actors who validate one fold and are tested in another, so its test score is "
                        "too good by a little");
  if (!by_fold) return out;
  return out + (adaptive(strategy)
                    ? cat("; the score chosen fold by fold is less so, but ", to_string(strategy),
                          " made trials where all folds' scores were good")
                    : "; the score chosen fold by fold is not");
}

std::vector<std::string> stamps_of(const std::vector<Entry>& entries, bool by_fold, Strategy strategy) {
  std::vector<std::string> out;
  std::set<std::string> devices;
  for (const Entry& entry : entries) {
    for (const std::string& stamp : entry.result.stamps) {
      if (std::find(out.begin(), out.end(), stamp) == out.end()) out.push_back(stamp);
    }
    devices.insert(entry.result.devices.begin(), entry.result.devices.end());
  }
  if (devices.size() > 1) {
    out.push_back(
        cat("the sweep mixes devices, which round differently, so trials of one are compared with those of "
            "another: ",
            join({devices.begin(), devices.end()}, "; ")));
  }
  std::set<std::string> manifests;
  for (const Entry& entry : entries) manifests.insert(entry.result.manifest);
  if (manifests.size() > 1) {
    out.push_back(
        cat("the trials are of ", manifests.size(),
            " different manifests: recordings or labels changed while the sweep ran, and trials of one are "
            "compared with those of another; a sweep with another name starts anew"));
  }
  if (entries.size() > 1 && std::any_of(entries.begin(), entries.end(), validators_are_tested))
    out.push_back(choice_stamp(entries.size(), by_fold, strategy));
  return out;
}

struct Board {
  std::string name, score;
  std::vector<Entry> entries;  // the best first
  std::vector<TrialStatus> failed;
  std::int64_t open = 0;
  std::optional<Nested> nested;
  std::vector<std::string> stamps;
};

std::string test_text(const SideScores& test) {
  return "test UAR " + percent(test.uar) + ", WA " + percent(test.wa) + ", macro F1 " +
         percent(test.macro_f1);
}

std::string failed_text(const TrialStatus& trial) {
  std::string out = cat("failed: trial ", trial.number, " (", trial.id, "), ", point_text(trial.point),
                        "\n  ", trial.error, "\n");
  for (const std::string& line : trial.last_lines) out += "  | " + line + "\n";
  return out;
}

std::string board_text(const Board& board, SelectionScore score) {
  std::ostringstream out;
  const Entry& selected = board.entries.front();
  out << board.name << ": " << board.entries.size() << " trials finished, " << board.failed.size()
      << " failed, " << board.open << " open; ranked by validation " << board.score
      << ", in %, with 95 % intervals over actors\n\n";
  out << padded("rank", 6) << padded("validation", 22) << padded("trial", 8) << "values\n";
  for (std::size_t i = 0; i < std::min(kMostRows, board.entries.size()); ++i) {
    const Entry& entry = board.entries[i];
    out << padded(std::to_string(i + 1), 6) << padded(percent(score_of(entry.result.validation, score)), 22)
        << padded(std::to_string(entry.trial.number), 8) << point_text(entry.trial.point) << '\n';
  }
  if (board.entries.size() > kMostRows)
    out << "and " << board.entries.size() - kMostRows << " more in leaderboard.csv\n";
  out << "\nselected: trial " << selected.trial.number << " (" << selected.trial.id << "), "
      << point_text(selected.trial.point) << "\n  " << test_text(selected.result.test) << '\n';
  if (board.nested) {
    out << "chosen fold by fold: " << test_text(board.nested->scores) << "\n  trials";
    for (const auto& [fold, number] : board.nested->chosen) out << ' ' << number;
    out << '\n';
  }
  for (const std::string& stamp : board.stamps) out << "! " << stamp << '\n';
  for (const TrialStatus& trial : board.failed) out << failed_text(trial);
  return out.str();
}

// Of the axes, in the order in which trials have them.
std::vector<std::string> paths_of(const Board& board) {
  std::vector<std::string> paths;
  for (const Entry& entry : board.entries) {
    for (const auto& [path, value] : entry.trial.point) {
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }
  }
  return paths;
}

// "" where the trial does not have the axis.
std::string value_at(const Entry& entry, const std::string& path) {
  const auto at = std::find_if(entry.trial.point.begin(), entry.trial.point.end(),
                               [&](const auto& value) { return value.first == path; });
  return at == entry.trial.point.end() ? "" : one_line(at->second);
}

std::string board_html(const Board& board, SelectionScore score) {
  report::SweepPage page;
  page.name = board.name;
  page.score = board.score;
  page.axes = paths_of(board);
  for (const Entry& entry : board.entries) {
    const ScoreAndInterval& of_trial = score_of(entry.result.validation, score);
    page.trials.push_back({entry.trial.number, of_trial.mean, of_trial.low, of_trial.high, {}});
    for (const std::string& path : page.axes) page.trials.back().values.push_back(value_at(entry, path));
  }
  page.test = "Selected trial: " + test_text(board.entries.front().result.test);
  if (board.nested) page.fold_by_fold = "Chosen fold by fold: " + test_text(board.nested->scores);
  page.open = board.open;
  page.stamps = board.stamps;
  for (const TrialStatus& trial : board.failed) page.failed.push_back(failed_text(trial));
  return report::sweep_html(page);
}

std::string board_csv(const Board& board) {
  const std::vector<std::string> paths = paths_of(board);
  std::ostringstream out;
  out << "rank,trial,number,parameters";
  for (const char* score : {"uar", "wa", "macro_f1"})
    out << ",validation_" << score << ",validation_" << score << "_low,validation_" << score << "_high";
  for (const std::string& path : paths) out << ',' << csv_field(path);
  out << '\n';
  for (std::size_t i = 0; i < board.entries.size(); ++i) {
    const Entry& entry = board.entries[i];
    const SideScores& scores = entry.result.validation;
    out << i + 1 << ',' << entry.trial.id << ',' << entry.trial.number << ',' << entry.result.parameters;
    for (const ScoreAndInterval* score : {&scores.uar, &scores.wa, &scores.macro_f1})
      out << ',' << json_number(score->mean) << ',' << json_number(score->low) << ','
          << json_number(score->high);
    for (const std::string& path : paths) out << ',' << csv_field(value_at(entry, path));
    out << '\n';
  }
  return out.str();
}

JsonValue board_json(const Board& board) {
  const Entry& selected = board.entries.front();
  JsonValue rows = JsonValue::list();
  for (std::size_t i = 0; i < board.entries.size(); ++i) {
    const Entry& entry = board.entries[i];
    rows.items.push_back(JsonValue::object()
                             .set("rank", JsonValue::of(static_cast<std::int64_t>(i + 1)))
                             .set("trial", JsonValue::of(entry.trial.id))
                             .set("number", JsonValue::of(entry.trial.number))
                             .set("set", point_json(entry.trial.point))
                             .set("parameters", JsonValue::of(entry.result.parameters))
                             .set("validation", to_json(entry.result.validation)));
  }
  JsonValue out = JsonValue::object();
  out.set("name", JsonValue::of(board.name));
  out.set("score", JsonValue::of(board.score));
  out.set("finished", JsonValue::of(static_cast<std::int64_t>(board.entries.size())));
  out.set("open", JsonValue::of(board.open));
  out.set("selected", JsonValue::object()
                          .set("trial", JsonValue::of(selected.trial.id))
                          .set("number", JsonValue::of(selected.trial.number))
                          .set("set", point_json(selected.trial.point))
                          .set("validation", to_json(selected.result.validation))
                          .set("test", to_json(selected.result.test)));
  if (board.nested) {
    JsonValue folds = JsonValue::list();
    for (const auto& [fold, number] : board.nested->chosen)
      folds.items.push_back(
          JsonValue::object().set("fold", JsonValue::of(fold + 1)).set("number", JsonValue::of(number)));
    out.set("fold_by_fold",
            JsonValue::object().set("chosen", std::move(folds)).set("test", to_json(board.nested->scores)));
  }
  out.set("stamps", JsonValue::of(board.stamps));
  JsonValue failed = JsonValue::list();
  for (const TrialStatus& trial : board.failed)
    failed.items.push_back(JsonValue::object()
                               .set("trial", JsonValue::of(trial.id))
                               .set("number", JsonValue::of(trial.number))
                               .set("set", point_json(trial.point))
                               .set("error", JsonValue::of(trial.error))
                               .set("last_lines", JsonValue::of(trial.last_lines)));
  out.set("failed", std::move(failed));
  out.set("trials", std::move(rows));
  return out;
}

std::vector<Entry> read_entries(const SweepDirectory& directory) {
  const std::set<std::string> finished = directory.finished();
  std::vector<Entry> out;
  for (Trial& trial : directory.trials()) {
    if (finished.count(trial.id) > 0) out.push_back({std::move(trial), {}});
  }
  // On a network the answers take their time, so several are asked for at once.
  parallel_for(out.size(), 8, [&](std::size_t i) {
    const std::string path = directory.trial_file(out[i].trial.id);
    out[i].result = read_trial_result(path);
    if (out[i].result.id != out[i].trial.id)
      throw DataError(cat(path, ": is the file of trial ", out[i].result.id));
  });
  return out;
}

}  // namespace

Leaderboard collect_sweep(const std::string& folder) {
  const SweepDirectory directory(folder);
  const SelectionScore score = directory.settings().select.score;
  Board board;
  board.name = directory.settings().name;
  board.score = to_string(score);
  board.entries = read_entries(directory);
  if (board.entries.empty())
    throw DataError(cat(folder, ": no trial is finished yet; `serval sweep status` says how far they are"));
  const auto value = [&](const Entry& entry) {
    const double mean = score_of(entry.result.validation, score).mean;
    return std::isnan(mean) ? -1.0 : mean;
  };
  // Of equal ones the earlier is the better.
  std::stable_sort(board.entries.begin(), board.entries.end(),
                   [&](const Entry& a, const Entry& b) { return value(a) > value(b); });
  SweepStatus status = sweep_status(folder);
  board.open = status.count(TrialState::kWaiting) + status.count(TrialState::kRunning);
  for (TrialStatus& trial : status.trials) {
    if (trial.state == TrialState::kFailed) board.failed.push_back(std::move(trial));
  }
  board.nested = choose_by_fold(board.entries, score);
  board.stamps = stamps_of(board.entries, board.nested.has_value(), directory.settings().strategy);
  std::vector<std::string> errors;
  ExperimentSettings selected =
      trial_settings(directory.experiment(), board.entries.front().trial.point, errors);
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
  selected.tried += static_cast<std::int64_t>(board.entries.size()) - 1;
  Leaderboard out{board_text(board, score), board_csv(board), board_json(board)};
  write_atomically(directory.folder() + "/leaderboard.txt", out.text);
  write_atomically(directory.folder() + "/leaderboard.csv", out.csv);
  write_atomically(directory.folder() + "/leaderboard.json", write_json(out.json));
  write_atomically(directory.folder() + "/leaderboard.html", board_html(board, score));
  write_atomically(directory.folder() + "/selected.json", write_json(resolved_json(selected)));
  return out;
}

}  // namespace serval::experiment
