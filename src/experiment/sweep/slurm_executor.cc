#include <algorithm>
#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/core/text.h"
#include "serval/experiment/sweep_executor.h"

#include "command.h"
#include "directory.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

std::string jobs_file(const std::string& folder) { return folder + "/slurm/jobs.txt"; }

// As sbatch reads a path: it takes words apart at blanks, and % for its own.
std::string output_pattern(const std::string& folder, const std::string& name) {
  std::string out = "\"";
  for (const char c : folder) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (c == '%') out += c;
  }
  return out + "/slurm/out/" + name + "\"";
}

// The head of a script: what sbatch reads.
std::string script_head(const SiteSettings& site, const std::string& name, const std::string& output) {
  std::string out = "#!/bin/bash\n";
  const auto option = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) out += cat("#SBATCH --", key, "=", value, "\n");
  };
  option("job-name", name);
  option("output", output);
  out += "#SBATCH --open-mode=append\n#SBATCH --requeue\n";
  option("partition", site.partition);
  option("account", site.account);
  option("gres", site.gres);
  option("time", site.time);
  option("mem", site.memory);
  option("ntasks", "1");
  option("cpus-per-task", std::to_string(site.cpus));
  // To the script alone: it tells its worker.
  option("signal", cat("B:USR1@", site.warning_s));
  for (const std::string& extra : site.extra) out += "#SBATCH " + extra + "\n";
  // Since 22.05 a launcher's srun does not take this over by itself.
  out += cat("export SRUN_CPUS_PER_TASK=", site.cpus, "\n");
  for (const std::string& line : site.setup) out += line + "\n";
  return out;
}

std::string serval_words(const SiteSettings& site) {
  const std::string program =
      site.program.empty() ? fs::read_symlink("/proc/self/exe").string() : site.program;
  return site.launcher.empty() ? shell_word(program) : site.launcher + " " + shell_word(program);
}

// Runs a worker and passes on what Slurm says to it: SIGUSR1 before the time limit, after which this element alone is queued
// again, and SIGTERM where the job is to end.
std::string script_work(const SiteSettings& site, const std::string& folder, const std::string& more) {
  return cat(R"(again=no
trap 'again=yes; kill -USR1 "$worker" 2>/dev/null' USR1
trap 'kill -TERM "$worker" 2>/dev/null' TERM
)",
             serval_words(site), " sweep work ", shell_word(folder), " --device ", shell_word(site.device),
             " --threads ", site.cpus, " --quiet", more, R"( &
worker=$!
code=0
wait "$worker" || code=$?
while kill -0 "$worker" 2>/dev/null; do  # a signal ends the waiting, not the worker
  code=0
  wait "$worker" || code=$?
done
# The worker may have ended before the waiting for it was over.
if [[ $code -gt 128 ]]; then
  code=0
  wait "$worker" || code=$?
fi
if [[ $again == yes && $code == 5 ]]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_}${SLURM_ARRAY_TASK_ID:-$SLURM_JOB_ID}"
fi
)");
}

std::string array_script(const SiteSettings& site, const SweepDirectory& directory) {
  // Where later batches follow, an element waits for them.
  const bool waits = adaptive(directory.settings().strategy);
  return script_head(site, directory.settings().name, output_pattern(directory.folder(), "%A_%a.txt")) +
         script_work(site, directory.folder(), waits ? "" : " --leave") + "exit $code\n";
}

std::string merge_script(const SiteSettings& site, const SweepDirectory& directory) {
  return script_head(site, directory.settings().name + "-collect",
                     output_pattern(directory.folder(), "%j.txt")) +
         script_work(site, directory.folder(), "") +
         cat(serval_words(site), " sweep collect ", shell_word(directory.folder()), "\nexit $code\n");
}

std::string submit(const std::vector<std::string>& options, const std::string& script) {
  std::vector<std::string> words{"sbatch", "--parsable"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(script);
  const CommandOutcome outcome = run_command(words);
  if (!outcome.found)
    throw ConfigError("sbatch is not on PATH: is this a login node of a cluster with Slurm?");
  if (outcome.code != 0) {
    throw ConfigError(cat("sbatch refuses ", script, ": ", trimmed(outcome.err),
                          "\nmend the site file and run the same command again; nothing is lost"));
  }
  // "123" or "123;cluster"
  return trimmed(outcome.out.substr(0, outcome.out.find(';')));
}

std::string jobs_of(const std::string& folder) {
  return fs::exists(jobs_file(folder)) ? read_text(jobs_file(folder)) : "";
}

class Slurm : public Executor {
 public:
  explicit Slurm(const SiteSettings& site) : site_(site) {}

  void launch(const std::string& folder) override {
    const SweepDirectory directory(folder);
    const SweepStatus status = sweep_status(folder);
    const std::int64_t open = status.count(TrialState::kWaiting) + status.count(TrialState::kRunning);
    if (open == 0) {
      log_info(cat(directory.folder(), ": no trial is left to run"));
      return;
    }
    make_folder(directory.folder() + "/slurm/out");
    const std::string work = directory.folder() + "/slurm/work.sh";
    const std::string merge = directory.folder() + "/slurm/collect.sh";
    write_atomically(work, array_script(site_, directory));
    write_atomically(merge, merge_script(site_, directory));
    std::string range = cat("0-", std::min(open, site_.elements) - 1);
    if (site_.at_once > 0) range += cat("%", site_.at_once);
    const std::string array = submit({"--array=" + range}, work);
    write_atomically(jobs_file(directory.folder()), jobs_of(directory.folder()) + array + "\n");
    const std::string last = submit({"--dependency=afterany:" + array}, merge);
    write_atomically(jobs_file(directory.folder()), jobs_of(directory.folder()) + last + "\n");
    log_info(cat(directory.folder(), ": ", open, " trials; job ", array, " works on them in ",
                 std::min(open, site_.elements), " elements, job ", last, " collects; `serval sweep status ",
                 directory.folder(), "` says how far they are"));
  }

 private:
  SiteSettings site_;
};

}  // namespace

void describe(SettingsVisitor& v, SiteSettings& s) {
  v.text("partition", s.partition, {"sbatch --partition"});
  v.text("account", s.account, {"sbatch --account"});
  v.text("gres", s.gres, {"sbatch --gres, as in \"gpu:1\""});
  v.text("time", s.time, {"sbatch --time of one element, as in \"04:00:00\""});
  v.text("memory", s.memory, {"sbatch --mem, as in \"16G\""});
  v.integer("cpus", s.cpus, {.min = 1, .max = 4096}, {"processors of one element"});
  v.integer("elements", s.elements, {.min = 1, .max = 1'000'000},
            {"elements of the array, at most; each works on trials until none is left"});
  v.integer("at_once", s.at_once, {.min = 0, .max = 1'000'000},
            {"elements that run side by side; 0: no such limit"});
  v.integer("warning_s", s.warning_s, {.min = 1, .max = 65535},
            {"so long before the time limit, a worker keeps what it has and is queued again", "s"});
  v.text("device", s.device, {"auto, cpu, cuda or cuda:N"});
  v.path("program", s.program, {"serval as the nodes find it; may be left out where they see the same"});
  v.text("launcher", s.launcher,
         {"words of shell before the program, as in \"srun apptainer exec --nv serval.sif\""});
  v.texts("setup", s.setup, {"lines of shell before that, as in \"module load cuda\""});
  v.texts("extra", s.extra, {"further options of sbatch, as in \"--constraint=a100\""});
  for (const std::string* text : {&s.partition, &s.account, &s.gres, &s.time, &s.memory})
    v.check(text->find('\n') == std::string::npos, "", "an option of sbatch is one line");
}

SiteSettings load_site(const std::string& path) {
  JsonValue json = parse_json_file(path);
  std::erase_if(json.members, [](const auto& member) { return member.first == "$schema"; });
  std::vector<std::string> errors;
  auto site = read_settings<SiteSettings>(json, errors);
  if (!errors.empty())
    throw ConfigError(cat(join(errors, "\n"), "\n", errors.size(), errors.size() == 1 ? " error" : " errors",
                          "; nothing was submitted"));
  if (!site.program.empty()) site.program = fs::absolute(site.program).lexically_normal().string();
  return site;
}

JsonValue site_schema() {
  SiteSettings site;
  return settings_schema([&](SettingsVisitor& v) { describe(v, site); });
}

std::unique_ptr<Executor> slurm_executor(const SiteSettings& site) { return std::make_unique<Slurm>(site); }

int cancel_jobs(const std::string& folder) {
  int cancelled = 0;
  const std::string jobs = jobs_of(fs::absolute(folder).lexically_normal().string());
  for (std::size_t at = 0; at < jobs.size();) {
    const std::size_t end = std::min(jobs.find('\n', at), jobs.size());
    const CommandOutcome outcome = run_command({"scancel", jobs.substr(at, end - at)});
    if (!outcome.found) {
      log_warning(
          "scancel is not on PATH; the workers see that the sweep is cancelled, and end by themselves");
      return cancelled;
    }
    if (outcome.code == 0) ++cancelled;
    at = end + 1;
  }
  return cancelled;
}

}  // namespace serval::experiment
