#include "serval/experiment/fuse_runs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "serval/audit/audit.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/report/comparison.h"

#include "merged_report.h"
#include "report_files.h"
#include "run_scores.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

using report::Prediction;

std::string listed(const SeedSet& seeds) {
  std::vector<std::string> out;
  for (const std::uint64_t seed : seeds) out.push_back(std::to_string(seed));
  return join(out, ", ");
}

std::set<std::string> actors_of(const std::vector<const Prediction*>& rows) {
  std::set<std::string> out;
  for (const Prediction* row : rows) out.insert(row->actor);
  return out;
}

class Fuser {
 public:
  explicit Fuser(const FuseRuns& what) : what_(what) {
    check_folder();
    for (const RunName& name : what.members) add(name);
    if (members_.size() < 2 && !(members_.size() == 1 && together() && members_.front().seeds.size() > 1)) {
      throw ConfigError("a fusion needs two models, or one with several seeds and --seeds together");
    }
    check_pairs();
    name_members();
  }

  RunOutcome run() {
    std::vector<const FinishedRun*> runs;
    for (const auto& [folder, run] : runs_) runs.push_back(run.get());
    report::RunReport out = merged_report(runs);
    out.name = what_.name.empty() ? fs::path(what_.folder).filename().string() : what_.name;
    report::FusionReport& how = out.fusion.emplace();
    how.rule = to_string(what_.rule);
    how.seeds = to_string(what_.seeds);
    report::ModelReport fused;
    fused.name = report::kFusion;
    for (const RunMember& member : members_) {
      how.models.push_back(member.name);
      fused.parameters +=
          member.model->parameters * (together() ? static_cast<std::int64_t>(member.seeds.size()) : 1);
    }
    std::set<int> folds;
    for (const evaluate::FoldScores& fold : members_.front().model->folds) folds.insert(fold.fold);
    audit::Check unseen{.name = "fusion_never_saw_test_actors", .evidence = {}};
    for (const int fold : folds) {
      if (together()) {
        fuse(fold, nullptr, fused, how, out, unseen);
        continue;
      }
      for (const std::uint64_t seed : members_.front().seeds) {
        const SeedSet one{seed};
        fuse(fold, &one, fused, how, out, unseen);
      }
    }
    if (fits(what_.rule)) {
      if (unseen.passed) unseen.evidence = {cat("fitted on validation sides of ", folds.size(), " folds")};
      unseen.allowed = !unseen.passed && !out.leaks.empty();
      out.audit.checks.push_back(unseen);
    }
    audit::require_passed(out.audit, what_.folder);
    report::score_predictions(fused, static_cast<int>(out.classes.size()));
    out.models.push_back(std::move(fused));
    for (const RunMember& member : members_) {
      out.models.push_back(*member.model);
      out.models.back().name = member.name;
    }
    return write(out, runs.front()->folder);
  }

 private:
  bool together() const { return what_.seeds == FusedSeeds::kTogether; }

  void check_folder() const {
    std::error_code ignored;
    if (what_.folder.empty()) throw ConfigError("a fused run needs a folder of its own: --out DIR");
    if (fs::exists(what_.folder, ignored) && !fs::is_empty(what_.folder, ignored))
      throw ConfigError(cat(what_.folder, ": is not empty; name a new folder for the fused run"));
  }

  void add(const RunName& name) {
    std::unique_ptr<FinishedRun>& run = runs_[name.folder];
    if (!run) {
      run = std::make_unique<FinishedRun>(read_finished_run(name.folder));
      if (fits(what_.rule)) read_validation(*run);
    }
    RunMember member{run.get(), &chosen_model(*run, name.model), {}, {}};
    for (const RunMember& other : members_) {
      if (other.model == member.model)
        throw ConfigError(cat(name.folder, ": model ", member.model->name, " is named twice"));
    }
    for (const evaluate::FoldScores& fold : member.model->folds) member.seeds.insert(fold.seed);
    if (fits(what_.rule) && member.model->validation.empty()) {
      throw DataError(cat(name.folder, ": there are no validation scores of model ", member.model->name,
                          ", and ", to_string(what_.rule),
                          " is fitted on them; fuse the models it was made of, or take a rule ",
                          "that needs none, such as mean"));
    }
    members_.push_back(std::move(member));
  }

  void check_pairs() const {
    const RunMember& first = members_.front();
    const auto input = [](const RunMember& m) {
      return report::ComparisonInput{&m.run->report, m.model, m.run->folder, &m.run->contents};
    };
    for (const RunMember& member : members_) {
      if (member.run == first.run) continue;
      const std::string why = report::why_unpaired(input(first), input(member));
      if (!why.empty())
        throw DataError(cat(first.run->folder, " and ", member.run->folder, " cannot be fused: ", why));
      if (!together() && member.seeds != first.seeds) {
        throw ConfigError(cat(first.run->folder, " has the seeds ", listed(first.seeds), " and ",
                              member.run->folder, " ", listed(member.seeds),
                              "; --seeds together averages each over its own"));
      }
    }
  }

  // "lstm" of the run "first" becomes "first.lstm"; of runs with one name, the folder tells them apart.
  void name_members() {
    std::map<std::string, std::set<std::string>> folders;
    for (const auto& [folder, run] : runs_) folders[run->report.name].insert(folder);
    for (RunMember& member : members_) {
      const std::string& name = member.run->report.name;
      member.name = cat(folders[name].size() > 1 ? member.run->folder : name, ".", member.model->name);
    }
  }

  void fuse(int fold, const SeedSet* seeds, report::ModelReport& fused, report::FusionReport& how,
            report::RunReport& out, audit::Check& unseen) {
    const SideScores test = scores_of(members_, fold, seeds, &report::ModelReport::predictions);
    SideScores fitted;
    if (fits(what_.rule)) fitted = scores_of(members_, fold, seeds, &report::ModelReport::validation);
    if (what_.rule == FusionRule::kStacking) need_classes(fitted.labels(), fold, out.classes);
    const std::uint64_t seed = seeds == nullptr ? 0 : *seeds->begin();
    FusedScores scores = fuse_scores(what_.rule, test.scores, fitted.scores, fitted.labels(),
                                     static_cast<int>(out.classes.size()));
    for (std::size_t i = 0; i < test.rows.size(); ++i) {
      Prediction p = *test.rows[i];
      p.seed = seed;
      p.probabilities = scores.probabilities[i];
      p.predicted = evaluate::most_probable(p.probabilities);
      fused.predictions.push_back(std::move(p));
    }
    if (!scores.weights.empty()) how.folds.push_back({fold, seed, scores.weights});
    if (fitted.rows.empty()) return;
    const std::set<std::string> chosen_by = actors_of(fitted.rows), tested = actors_of(test.rows);
    for (const std::string& actor : chosen_by) {
      if (tested.count(actor) == 0) continue;
      unseen.passed = false;
      unseen.evidence.push_back(cat("fold ", fold + 1, ": fitted on test actor ", actor));
    }
    audit::Statistic& statistic = out.audit.statistics.emplace_back();
    statistic.name = cat("fusion, fold ", fold + 1, ", seed ", seed);
    statistic.fold = fold;
    statistic.fitted_on_actors.assign(chosen_by.begin(), chosen_by.end());
  }

  static void need_classes(const std::vector<int>& labels, int fold,
                           const std::vector<std::string>& classes) {
    const std::vector<std::string> missing = classes_without_rows(labels, classes);
    if (missing.empty()) return;
    throw DataError(cat("stacking: fold ", fold + 1, " has no validation recording of: ", join(missing, ", "),
                        "; take another rule, such as weighted or mean"));
  }

  RunOutcome write(report::RunReport& out, const std::string& first) const {
    JsonValue members = JsonValue::list();
    for (const RunMember& member : members_) {
      members.items.push_back(JsonValue::object()
                                  .set("run", JsonValue::of(member.run->folder))
                                  .set("model", JsonValue::of(member.model->name))
                                  .set("experiment", JsonValue::of(member.run->report.name)));
    }
    out.experiment =
        write_json(JsonValue::object()
                       .set("name", JsonValue::of(out.name))
                       .set("fused_runs", std::move(members))
                       .set("fusion", JsonValue::object()
                                          .set("rule", JsonValue::of(std::string(to_string(what_.rule))))
                                          .set("seeds", JsonValue::of(std::string(to_string(what_.seeds)))))
                       .set("protocol", JsonValue::object().set("leaks", JsonValue::of(out.leaks))));
    make_folder(what_.folder);
    write_atomically(what_.folder + "/experiment.json", out.experiment);
    write_atomically(what_.folder + "/manifest.csv", read_text(first + "/manifest.csv"));
    write_atomically(what_.folder + "/audit.json", write_json(audit::to_json(out.audit)));
    return write_report_files(out, what_.folder);
  }

  const FuseRuns& what_;
  std::map<std::string, std::unique_ptr<FinishedRun>> runs_;  // by folder
  std::vector<RunMember> members_;
};

}  // namespace

RunOutcome fuse_runs(const FuseRuns& what) { return Fuser(what).run(); }

}  // namespace serval::experiment
