#include "sweep_command.h"

#include <iostream>
#include <memory>

#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/sweep.h"
#include "serval/experiment/sweep_executor.h"

namespace serval::cli {

namespace {

struct SweepArguments {
  std::string file, folder, out, site;
  int workers = 0;
  std::int64_t trials = 0;
  bool leave = false;
};

std::string default_folder(const SweepArguments& arguments, const experiment::SweepPlan& plan) {
  return arguments.out.empty() ? "sweeps/" + plan.settings.name : arguments.out;
}

// Trials that failed are the sweep's failure, once all that could be run has been.
void need_all_sound(const std::string& folder) {
  const experiment::SweepStatus status = experiment::sweep_status(folder);
  for (const experiment::TrialStatus& trial : status.trials) {
    if (trial.state != experiment::TrialState::kFailed) continue;
    throw Error(static_cast<ExitCode>(trial.code),
                cat(status.count(experiment::TrialState::kFailed), " of ", status.trials.size(),
                    " trials failed, the first with: ", trial.error, "\n`serval sweep status ", folder,
                    "` names them all, `serval sweep retry ", folder, "` runs them again"));
  }
}

void print(const Common& common, const experiment::Leaderboard& board) {
  std::cout << (common.json ? write_json(board.json) : board.text) << std::flush;
}

// In jobs of Slurm where a site file is given, else in processes of this machine, up to the leaderboard.
void launch(const Common& common, const SweepArguments& arguments, const std::string& folder) {
  if (!arguments.site.empty()) {
    experiment::slurm_executor(experiment::load_site(arguments.site))->launch(folder);
    return;
  }
  const int threads = threads_of(common);
  experiment::local_executor({common.device, threads, arguments.workers})->launch(folder);
  const experiment::SweepStatus status = experiment::sweep_status(folder);
  if (status.count(experiment::TrialState::kFinished) > 0) print(common, experiment::collect_sweep(folder));
  need_all_sound(folder);
}

void sweep(const Common& common, const SweepArguments& arguments) {
  set_quiet(common.quiet);
  if (!arguments.site.empty())
    experiment::load_site(arguments.site);  // its mistakes show before anything is written
  const experiment::SweepPlan plan = experiment::load_sweep(arguments.file);
  const std::string folder = default_folder(arguments, plan);
  experiment::begin_sweep(plan, folder);
  launch(common, arguments, folder);
}

void work(const Common& common, const SweepArguments& arguments) {
  const int threads = threads_of(common);
  experiment::work_on_sweep(arguments.folder,
                            {choose_device(common.device), threads, arguments.trials, !arguments.leave});
}

// A sweep that has measured nothing yet runs its first trial, which is not lost.
void plan(const Common& common, const SweepArguments& arguments) {
  const int threads = threads_of(common);
  std::string folder = arguments.folder;
  if (folder.ends_with(".json")) {
    const experiment::SweepPlan plan = experiment::load_sweep(folder);
    folder = default_folder(arguments, plan);
    experiment::begin_sweep(plan, folder);
  }
  if (experiment::sweep_status(folder).count(experiment::TrialState::kFinished) == 0)
    experiment::work_on_sweep(folder, {choose_device(common.device), threads, 1, false});
  const int workers = arguments.workers > 0 ? arguments.workers : threads;
  const experiment::SweepEstimate estimate = experiment::estimate_sweep(folder, workers);
  std::cout << (common.json ? write_json(experiment::estimate_json(estimate))
                            : experiment::estimate_text(estimate));
}

void status(const Common& common, const SweepArguments& arguments) {
  const experiment::SweepStatus found = experiment::sweep_status(arguments.folder);
  std::cout << (common.json ? write_json(experiment::status_json(found)) : experiment::status_text(found));
}

void retry(const Common& common, const SweepArguments& arguments) {
  set_quiet(common.quiet);
  const int reopened = experiment::retry_sweep(arguments.folder);
  log_info(cat(arguments.folder, ": ", reopened,
               reopened == 1 ? " failed trial waits" : " failed trials wait", " again"));
  launch(common, arguments, arguments.folder);
}

void cancel(const Common&, const SweepArguments& arguments) {
  experiment::cancel_sweep(arguments.folder);
  experiment::cancel_jobs(arguments.folder);
  std::cout << arguments.folder << ": cancelled; `serval sweep retry " << arguments.folder << "` goes on\n";
}

void collect(const Common& common, const SweepArguments& arguments) {
  print(common, experiment::collect_sweep(arguments.folder));
}

void add_json(CLI::App* app, Common& common) {
  app->add_flag("--json", common.json, "standard output is one JSON document and nothing else");
}

void add_place(CLI::App* app, Common& common) {
  app->add_option("--device", common.device, "auto, cpu, cuda or cuda:N");
  app->add_option("--threads", common.threads, "processors to use; 0: all")->check(CLI::Range(0, 4096));
  app->add_flag("--quiet", common.quiet, "warnings and errors only");
}

void add_launch(CLI::App* app, Common& common, SweepArguments& arguments) {
  add_place(app, common);
  add_json(app, common);
  app->add_option("--slurm", arguments.site,
                  "submit to Slurm as this site file (JSON) says, and return at once; default: run here");
  app->add_option("--workers", arguments.workers,
                  "processes; 0: one a GPU, on the CPU one a thread as far as memory goes")
      ->check(CLI::Range(0, 4096));
}

CLI::App* add_part(CLI::App& sweep, const char* name, const char* help, SweepArguments& arguments) {
  CLI::App* part = sweep.add_subcommand(name, help);
  part->add_option("folder", arguments.folder, "the sweep's folder")->required();
  return part;
}

}  // namespace

void add_sweep(CLI::App& app, Common& common) {
  const auto arguments = std::make_shared<SweepArguments>();
  CLI::App* all = app.add_subcommand(
      "sweep", "run many variants of an experiment, or continue them; docs/sweeps.md tells all about it");
  all->require_subcommand(0, 1);
  CLI::Option* file = all->add_option("sweep", arguments->file, "sweep file (JSON)");
  all->add_option("--out", arguments->out, "the sweep's folder; default sweeps/<name>");
  add_launch(all, common, *arguments);

  CLI::App* part = add_part(
      *all, "work", "run trials of a sweep until none is left, as one of any number of workers", *arguments);
  add_place(part, common);
  part->add_flag("--leave", arguments->leave, "end when others have all trials that are left");
  part->add_option("--trials", arguments->trials, "end after so many; 0: no such limit")
      ->check(CLI::Range(0, 1 << 30));
  part->callback([&common, arguments] { work(common, *arguments); });

  part = add_part(*all, "status", "how far a sweep is, and why trials failed", *arguments);
  add_json(part, common);
  part->callback([&common, arguments] { status(common, *arguments); });

  part = add_part(*all, "retry", "run failed trials again, and go on with a cancelled sweep", *arguments);
  add_launch(part, common, *arguments);
  part->callback([&common, arguments] { retry(common, *arguments); });

  part = add_part(*all, "cancel", "stop a sweep's workers wherever they are", *arguments);
  part->callback([&common, arguments] { cancel(common, *arguments); });

  part = add_part(*all, "collect", "rank what is finished: leaderboard.{txt,csv,json,html}, selected.json",
                  *arguments);
  add_json(part, common);
  part->callback([&common, arguments] { collect(common, *arguments); });

  part = all->add_subcommand("plan",
                             "what a sweep will take, reckoned from its finished trials; the first is run");
  part->add_option("sweep", arguments->folder, "the sweep's folder or file")->required();
  part->add_option("--out", arguments->out, "with a file: the sweep's folder; default sweeps/<name>");
  add_place(part, common);
  add_json(part, common);
  part->add_option("--workers", arguments->workers, "that the sweep will have; default: as many as --threads")
      ->check(CLI::Range(1, 1 << 20));
  part->callback([&common, arguments] { plan(common, *arguments); });

  all->callback([&common, arguments, all, file] {
    if (!all->get_subcommands().empty()) return;
    if (file->empty()) throw CLI::RequiredError("sweep");
    sweep(common, *arguments);
  });
}

}  // namespace serval::cli
