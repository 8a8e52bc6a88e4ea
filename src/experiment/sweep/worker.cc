#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <new>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/hash.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/experiment/run.h"

#include "directory.h"
#include "journal.h"
#include "pulse.h"
#include "trial_result.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLastLines = 12;

// Together at most: past some tens of trials, loading takes no time any more.
constexpr std::size_t kMostPack = 64;
// What a pack of automatic size takes at most, so that workers end at about the same time.
constexpr double kPack_s = 60;

std::vector<std::string> last_lines(const std::string& path) {
  std::vector<std::string> lines;
  if (!fs::exists(path)) return lines;
  const std::string text = read_text(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (lines.size() > kLastLines) lines.erase(lines.begin(), lines.end() - kLastLines);
  return lines;
}

// A process that was only stalled may still hold a run whose claim it lost.
bool in_use(const std::string& folder) {
  const int fd = ::open((folder + "/.lock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held;
}

class Worker {
 public:
  Worker(const std::string& folder, const WorkOptions& options)
      : options_(options),
        directory_(folder),
        claims_(directory_.claims()),
        journal_(directory_.journals()) {}

  void work() {
    for (double pause_s = 0.05;; pause_s = std::min(1.5 * pause_s, kMostPause_s)) {
      need_going_on();
      const Pass pass = run_what_is_free();
      tidy();
      if (enough()) return;
      if (pass == Pass::kRan) {
        pause_s = 0.05;
        continue;
      }
      if (pass == Pass::kOver) {
        if (budget_spent() || !directory_.extend()) return;
        pause_s = 0.05;
        continue;
      }
      if (!options_.wait) return;
      std::this_thread::sleep_for(std::chrono::duration<double>(pause_s));
    }
  }

 private:
  enum class Pass { kRan, kOver, kOthersRun };
  static constexpr double kMostPause_s = 2;

  void need_going_on() const {
    check_interrupted();
    if (directory_.cancelled())
      throw InterruptedError(
          cat(directory_.folder(), ": the sweep was cancelled; `serval sweep retry` goes on"));
  }

  bool budget_spent() const {
    if (!directory_.settings().budget.hours) return false;
    double seconds = 0;
    for (const JournalEntry& entry : read_journals(directory_.journals())) seconds += entry.seconds;
    return seconds >= 3600 * *directory_.settings().budget.hours;
  }

  // Goes through the trials once and runs those that nobody has.
  Pass run_what_is_free() {
    const std::set<std::string> finished = directory_.finished();
    const std::vector<Trial> trials = directory_.trials();
    generations_ = claims_.generations();
    std::vector<const Trial*> open;
    for (const Trial& trial : trials) {
      if (finished.count(trial.id) == 0) open.push_back(&trial);
    }
    bool ran = false, others = false;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (open[i] == nullptr) continue;  // ran in an earlier one's pack
      const Trial& trial = *open[i];
      if (is_finished(trial)) continue;
      need_going_on();
      if (budget_spent()) return ran ? Pass::kRan : Pass::kOver;
      std::vector<Taken> pack;
      if (!take(trial, pack)) {
        others = others || !is_over(trial.id);
        continue;
      }
      fill_pack(pack, open, i);
      run_claimed(pack);
      ran = true;
      ran_ += static_cast<std::int64_t>(pack.size());
      if (enough()) return Pass::kRan;
    }
    if (ran) return Pass::kRan;
    return others ? Pass::kOthersRun : Pass::kOver;
  }

  bool is_finished(const Trial& trial) const { return fs::exists(directory_.trial_file(trial.id)); }

  bool take(const Trial& trial, std::vector<Taken>& pack) {
    const auto known = generations_.find(trial.id);
    const int generation = known == generations_.end() ? 0 : known->second;
    std::unique_ptr<Claim> claim = claims_.take(trial.id, generation, pack.empty());
    if (claim == nullptr) return false;
    if (is_finished(trial)) {  // since somebody looked
      claim->release();
      return false;
    }
    pack.push_back({&trial, std::move(claim)});
    return true;
  }

  // Of the same common part as the first. A trial whose process has died runs alone, so that it takes no other with it.
  void fill_pack(std::vector<Taken>& pack, std::vector<const Trial*>& open, std::size_t first) {
    const std::size_t most = pack_size(open.size() - first);
    if (most < 2 || pack.front().claim->info().crashes > 0) return;
    const std::string common = common_of(*open[first]);
    if (common.empty()) return;
    for (std::size_t i = first + 1; i < open.size() && pack.size() < most; ++i) {
      if (open[i] == nullptr || is_finished(*open[i])) continue;
      if (common_of(*open[i]) != common || !take(*open[i], pack)) continue;
      open[i] = nullptr;
    }
  }

  // With a share of what waits, the last packs are small and all workers have one.
  std::size_t pack_size(std::size_t waiting) const {
    const std::vector<std::int64_t>& wanted = directory_.settings().pack;
    std::size_t most = wanted.empty() ? kMostPack : static_cast<std::size_t>(wanted.front());
    if (wanted.empty()) {
      if (mean_trial_s_ <= 0) return 1;
      most = std::min({most, static_cast<std::size_t>(kPack_s / mean_trial_s_), (waiting + 3) / 4});
    }
    if (options_.most_trials > 0)
      most = std::min(most, static_cast<std::size_t>(options_.most_trials - ran_));
    return most;
  }

  // Hashed; "": never together with others. What a trial cannot be read for is told as it runs.
  const std::string& common_of(const Trial& trial) {
    const auto [at, made] = common_.try_emplace(trial.id);
    if (!made) return at->second;
    std::vector<std::string> errors;
    const ExperimentSettings settings = trial_settings(directory_.experiment(), trial.point, errors);
    const std::string common = errors.empty() ? common_part(settings) : "";
    if (!common.empty()) at->second = Hasher().text(common).hex();
    return at->second;
  }

  bool enough() const { return options_.most_trials > 0 && ran_ >= options_.most_trials; }

  bool is_over(const std::string& id) const {
    if (fs::exists(directory_.trial_file(id))) return true;
    int generation = 0;
    const std::map<std::string, int> generations = claims_.generations();
    if (const auto at = generations.find(id); at != generations.end()) generation = at->second;
    return generation > 0 && claims_.read(id, generation).state == ClaimState::kFailed;
  }

  void run_claimed(std::vector<Taken>& pack) {
    for (Taken& taken : pack) {
      taken.folder = directory_.run_folder(taken.trial->id);
      if (in_use(taken.folder)) taken.folder += cat(".", taken.claim->info().generation);
      note("started", taken, 0);
    }
    const double started_s = monotonic_s();
    try {
      const Pulse pulse(pack, directory_);
      const bool together = pack.size() > 1 && run_pack(pack);
      for (Taken& taken : pack) {
        if (!together) run_alone(taken);
      }
    } catch (...) {  // what is left of the pack goes on elsewhere, or later
      open_log_file("");
      const bool lost = std::any_of(pack.begin(), pack.end(), [](const Taken& t) { return t.claim->lost(); });
      give_back(pack, (monotonic_s() - started_s) / static_cast<double>(pack.size()));
      if (!lost) throw;
      go_on_without(pack);
    }
    // Should a result get lost, its trial can be run again.
    for (Taken& taken : pack) {
      if (taken.claim->info().state == ClaimState::kRunning) taken.claim->release();
    }
    mean_trial_s_ = (monotonic_s() - started_s) / static_cast<double>(pack.size());
  }

  // Called where something was thrown. A worker that was stalled for so long that others took its trial over works on others.
  void go_on_without(const std::vector<Taken>& pack) const {
    try {
      throw;
    } catch (const InterruptedError&) {
      need_going_on();
      log_warning(
          cat("trial ", pack.front().trial->number, " (", pack.front().trial->id,
              pack.size() > 1 ? ") or one beside it" : ")",
              " was taken over by another worker while this one stood still; it goes on with others"));
    }
  }

  void note(const char* event, const Taken& taken, double seconds) {
    journal_.append(event, taken.trial->id, taken.claim->info().generation, seconds);
  }

  void give_back(std::vector<Taken>& pack, double seconds) {
    try {
      for (Taken& taken : pack) {
        if (taken.claim->info().state == ClaimState::kRunning) taken.claim->release();
        if (!taken.ended) note("interrupted", taken, seconds);
      }
    } catch (const Error&) {
      // Without room for that, the claims' process is found to be gone.
    }
  }

  // False where something went wrong, which each trial alone then tells of itself.
  bool run_pack(std::vector<Taken>& pack) {
    const double started_s = monotonic_s();
    try {
      std::vector<ExperimentSettings> experiments;
      std::vector<std::string> folders;
      for (const Taken& taken : pack) {
        experiments.push_back(settings_of(*taken.trial));
        folders.push_back(taken.folder);
      }
      run_together(experiments, folders, options_.device, options_.threads);
      const double each_s = (monotonic_s() - started_s) / static_cast<double>(pack.size());
      for (std::size_t i = 0; i < pack.size(); ++i) publish(pack[i], experiments[i], each_s);
      return true;
    } catch (const InterruptedError&) {
      throw;
    } catch (const DiskError&) {
      throw;
    } catch (const std::exception& error) {
      open_log_file("");
      log_warning(cat(pack.size(), " trials together: ", error.what(), "; each is run alone"));
      return false;
    }
  }

  void run_alone(Taken& taken) {
    if (taken.ended) return;
    const double started_s = monotonic_s();
    const auto fail = [&](const std::string& what, ExitCode code) {
      open_log_file("");
      log_warning(cat("trial ", taken.trial->number, " (", taken.trial->id, ") failed: ", what));
      taken.claim->fail(what, static_cast<int>(code), last_lines(taken.folder + "/log.txt"));
      taken.ended = true;
      note("failed", taken, monotonic_s() - started_s);
    };
    try {
      const ExperimentSettings settings = settings_of(*taken.trial);
      run_experiment(settings, {options_.device, options_.threads, taken.folder});
      publish(taken, settings, monotonic_s() - started_s);
    } catch (const InterruptedError&) {
      throw;
    } catch (const DiskError&) {
      throw;
    } catch (const OutOfMemoryError& error) {
      fail(error.what(), error.code());
    } catch (const UnsupportedError& error) {
      fail(error.what(), error.code());
    } catch (const DeviceError&) {
      throw;  // another machine's device may be sound
    } catch (const Error& error) {
      fail(error.what(), error.code());
    } catch (const std::bad_alloc&) {
      fail("out of memory", ExitCode::kInternal);
    } catch (const std::exception& error) {
      fail(error.what(), ExitCode::kInternal);
    }
  }

  ExperimentSettings settings_of(const Trial& trial) const {
    std::vector<std::string> errors;
    ExperimentSettings settings = trial_settings(directory_.experiment(), trial.point, errors);
    if (!errors.empty()) throw ConfigError(join(errors, "\n"));
    if (trial_id(settings) != trial.id) {
      throw ConfigError(cat("trial ", trial.id, " is now the experiment ", trial_id(settings),
                            ": a file that it names has changed, or it was planned by another version; run "
                            "`serval sweep` with the sweep's file again"));
    }
    // A trial that was begun goes on when its experiment gets another name.
    settings.name = trial.id;
    settings.description = "";
    return settings;
  }

  // The scores of a finished run, unless somebody else had finished it by then.
  void publish(Taken& taken, const ExperimentSettings& settings, double seconds) {
    if (taken.ended) return;
    const std::string& id = taken.trial->id;
    TrialResult result = trial_result(taken.folder, selection_model(directory_.settings(), settings));
    result.id = id;
    result.point = taken.trial->point;
    // Stages count what earlier starts did too, but leave out what is between them.
    result.seconds = std::max(result.seconds, seconds);
    const bool first = create_once(directory_.trial_file(id), write_trial_result(result));
    taken.ended = true;
    note(first ? "finished" : "overtaken", taken, seconds);
    if (!first) log_warning(cat("trial ", id, " was finished by somebody else, who had taken it over"));
    if (directory_.settings().keep == Keep::kScores || !first) {
      std::error_code ignored;  // another worker may tidy it up at the same time
      fs::remove_all(taken.folder, ignored);
    }
  }

  // What workers left behind that died between a trial's end and its folder's.
  void tidy() const {
    if (directory_.settings().keep != Keep::kScores) return;
    const std::set<std::string> finished = directory_.finished();
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_.folder() + "/runs")) {
      const std::string name = entry.path().filename().string();
      if (finished.count(name.substr(0, name.find('.'))) == 0 || in_use(entry.path().string())) continue;
      std::error_code ignored;  // another worker may be at it
      fs::remove_all(entry.path(), ignored);
    }
  }

  WorkOptions options_;
  SweepDirectory directory_;
  ClaimFolder claims_;
  Journal journal_;
  std::map<std::string, int> generations_;     // of claims, when the pass began
  std::map<std::string, std::string> common_;  // by trial
  double mean_trial_s_ = 0;                    // of the last pack; 0: nothing has run yet
  std::int64_t ran_ = 0;
};

}  // namespace

void work_on_sweep(const std::string& folder, const WorkOptions& options) { Worker(folder, options).work(); }

}  // namespace serval::experiment
