#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <new>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/experiment/run.h"

#include "directory.h"
#include "journal.h"
#include "trial_result.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLastLines = 12;

// Says that the owner of a claim lives, and stops its trial where the claim is lost or the sweep cancelled.
class Pulse {
 public:
  Pulse(const Claim& claim, const SweepDirectory& directory)
      : thread_([this, &claim, &directory] { beat(claim, directory); }) {}
  ~Pulse() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

 private:
  void beat(const Claim& claim, const SweepDirectory& directory) {
    const std::chrono::duration<double> pause(std::min(directory.settings().lease_s / 10, kMostPause_s));
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return over_; })) {
      claim.heartbeat();
      if (claim.lost() || directory.cancelled()) request_interrupt(true);
    }
  }

  static constexpr double kMostPause_s = 10;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

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
    const std::map<std::string, int> generations = claims_.generations();
    bool ran = false, others = false;
    for (const Trial& trial : directory_.trials()) {
      if (finished.count(trial.id) > 0 || fs::exists(directory_.trial_file(trial.id))) continue;
      need_going_on();
      if (budget_spent()) return ran ? Pass::kRan : Pass::kOver;
      const auto known = generations.find(trial.id);
      const std::unique_ptr<Claim> claim =
          claims_.take(trial.id, known == generations.end() ? 0 : known->second);
      if (claim == nullptr) {
        others = others || !is_over(trial.id);
        continue;
      }
      run_claimed(trial, *claim);
      ran = true;
      ++ran_;
      if (enough()) return Pass::kRan;
    }
    if (ran) return Pass::kRan;
    return others ? Pass::kOthersRun : Pass::kOver;
  }

  bool enough() const { return options_.most_trials > 0 && ran_ >= options_.most_trials; }

  bool is_over(const std::string& id) const {
    if (fs::exists(directory_.trial_file(id))) return true;
    int generation = 0;
    const std::map<std::string, int> generations = claims_.generations();
    if (const auto at = generations.find(id); at != generations.end()) generation = at->second;
    return generation > 0 && claims_.read(id, generation).state == ClaimState::kFailed;
  }

  void run_claimed(const Trial& trial, Claim& claim) {
    if (fs::exists(directory_.trial_file(trial.id)))
      return claim.release();  // finished since somebody looked
    std::string folder = directory_.run_folder(trial.id);
    if (in_use(folder)) folder += cat(".", claim.info().generation);
    const int generation = claim.info().generation;
    const double started_s = monotonic_s();
    const auto spent_s = [&] { return monotonic_s() - started_s; };
    const auto fail = [&](const std::string& what, ExitCode code) {
      open_log_file("");
      log_warning(cat("trial ", trial.number, " (", trial.id, ") failed: ", what));
      claim.fail(what, static_cast<int>(code), last_lines(folder + "/log.txt"));
      journal_.append("failed", trial.id, generation, spent_s());
    };
    const auto give_back = [&] {
      open_log_file("");
      try {
        claim.release();
        journal_.append("interrupted", trial.id, generation, spent_s());
      } catch (const Error&) {
        // Without room for that, the claim's process is found to be gone.
      }
    };
    journal_.append("started", trial.id, generation, 0);
    try {
      const Pulse pulse(claim, directory_);
      const bool first = run_trial(trial, folder, started_s);
      journal_.append(first ? "finished" : "overtaken", trial.id, generation, spent_s());
      return claim.release();  // should its file get lost, the trial can be run again
    } catch (const InterruptedError&) {
      give_back();
      throw;
    } catch (const DiskError&) {
      give_back();
      throw;
    } catch (const OutOfMemoryError& error) {
      fail(error.what(), error.code());
    } catch (const UnsupportedError& error) {
      fail(error.what(), error.code());
    } catch (const DeviceError&) {
      give_back();  // another machine's device may be sound
      throw;
    } catch (const Error& error) {
      fail(error.what(), error.code());
    } catch (const std::bad_alloc&) {
      fail("out of memory", ExitCode::kInternal);
    } catch (const std::exception& error) {
      fail(error.what(), ExitCode::kInternal);
    }
  }

  // False where somebody else had finished it by then.
  bool run_trial(const Trial& trial, const std::string& folder, double started_s) {
    std::vector<std::string> errors;
    const ExperimentSettings settings = trial_settings(directory_.experiment(), trial.point, errors);
    if (!errors.empty()) throw ConfigError(join(errors, "\n"));
    if (trial_id(settings) != trial.id) {
      throw ConfigError(cat("trial ", trial.id, " is now the experiment ", trial_id(settings),
                            ": a file that it names has changed, or it was planned by another version; run "
                            "`serval sweep` with the sweep's file again"));
    }
    run_experiment(settings, {options_.device, options_.threads, folder});
    TrialResult result = trial_result(folder, selection_model(directory_.settings(), settings));
    result.id = trial.id;
    result.point = trial.point;
    // Stages count what earlier starts did too, but leave out what is between them.
    result.seconds = std::max(result.seconds, monotonic_s() - started_s);
    result.nested = settings.folds.inner_folds > 0;
    const bool first = create_once(directory_.trial_file(trial.id), write_trial_result(result));
    if (!first) log_warning(cat("trial ", trial.id, " was finished by somebody else, who had taken it over"));
    if (directory_.settings().keep == Keep::kScores || !first) {
      std::error_code ignored;  // another worker may tidy it up at the same time
      fs::remove_all(folder, ignored);
    }
    return first;
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
  std::int64_t ran_ = 0;
};

}  // namespace

void work_on_sweep(const std::string& folder, const WorkOptions& options) { Worker(folder, options).work(); }

}  // namespace serval::experiment
