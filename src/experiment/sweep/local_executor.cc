#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/experiment/sweep_executor.h"

#include "directory.h"
#include "journal.h"
#include "trial_result.h"

extern char** environ;

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kLeastWorkerBytes = std::int64_t{256} << 20;
constexpr int kMostIdleDeaths = 3;  // in a row, at one place, of workers that had begun nothing

// What one worker is: its command, and the GPU that it sees.
struct Place {
  std::string device;
  int threads = 1;
  std::string visible;  // CUDA_VISIBLE_DEVICES; "": as it is
  int idle_deaths = 0;
};

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

// How many workers have begun a trial: each has a journal from then on.
std::size_t count_journals(const SweepDirectory& directory) {
  std::error_code error;
  fs::directory_iterator files(directory.journals(), error);
  return error ? 0 : static_cast<std::size_t>(std::distance(fs::begin(files), fs::end(files)));
}

// Of finished trials the most that one took, with what the program itself needs at least.
std::int64_t worker_bytes(const SweepDirectory& directory) {
  std::int64_t most = kLeastWorkerBytes;
  for (const std::string& id : directory.finished())
    most = std::max(most, read_trial_result(directory.trial_file(id)).peak_bytes);
  return most;
}

std::vector<Place> make_places(const LocalOptions& options, const SweepDirectory& directory) {
  const Device device = choose_device(options.device);
  std::vector<Place> out;
  if (device.kind == DeviceKind::kCuda) {
    const std::vector<CudaDeviceInfo> gpus = cuda_devices();
    const bool one = options.device.find(':') != std::string::npos;
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    const std::vector<std::string> names = split_commas(visible == nullptr ? "" : visible);
    const std::size_t count = one                   ? 1
                              : options.workers > 0 ? static_cast<std::size_t>(options.workers)
                                                    : gpus.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto gpu = static_cast<std::size_t>(one ? device.index : gpus[i % gpus.size()].index);
      const bool named = visible != nullptr && gpu < names.size() && !names[gpu].empty();
      out.push_back({"cuda", std::max(1, options.threads / static_cast<int>(count)),
                     named ? names[gpu] : std::to_string(gpu)});
    }
    return out;
  }
  int workers = options.workers;
  if (workers == 0) {
    const auto room =
        static_cast<int>(std::min<std::int64_t>(4096, free_memory_bytes(device) / worker_bytes(directory)));
    workers = std::clamp(options.threads, 1, std::max(1, room));
    if (workers < options.threads)
      log_info(cat("memory has room for ", workers, " workers beside each other"));
  }
  out.assign(static_cast<std::size_t>(workers), {"cpu", std::max(1, options.threads / workers), ""});
  return out;
}

pid_t start_worker(const std::string& folder, const Place& place) {
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  std::vector<std::string> words{program,    "sweep",      "work",      folder,
                                 "--device", place.device, "--threads", std::to_string(place.threads),
                                 "--quiet"};
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const bool replaced = !place.visible.empty() && std::strncmp(*at, "CUDA_VISIBLE_DEVICES=", 21) == 0;
    if (!replaced) variables.emplace_back(*at);
  }
  if (!place.visible.empty()) variables.push_back("CUDA_VISIBLE_DEVICES=" + place.visible);
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  };
  const std::vector<char*> arguments = pointers(words), environment = pointers(variables);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw InternalError(cat("no process could be started: ", std::strerror(errno)));
  if (child > 0) return child;
  // Workers of a sweep that was killed stop too; what they have can be continued.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(static_cast<int>(ExitCode::kInterrupted));
  ::execve(arguments[0], arguments.data(), environment.data());
  ::_exit(127);
}

class Local : public Executor {
 public:
  explicit Local(const LocalOptions& options) : options_(options) {}

  void launch(const std::string& folder) override {
    const SweepDirectory directory(folder);
    const std::vector<Place> places = make_places(options_, directory);
    log_info(cat(directory.settings().name, ": ", places.size(), places.size() == 1 ? " worker" : " workers",
                 " on ", directory.folder()));
    for (const Place& place : places) running_[start_worker(directory.folder(), place)] = place;
    try {
      wait_for_all(directory);
    } catch (...) {
      stop_all();
      throw;
    }
  }

 private:
  void wait_for_all(const SweepDirectory& directory) {
    Progress progress("trials", static_cast<std::int64_t>(directory.trials().size()),
                      static_cast<std::int64_t>(directory.finished().size()));
    std::size_t finished = directory.finished().size();
    double looked_s = monotonic_s();
    while (!running_.empty()) {
      if (interrupted()) {
        stop_all();
        throw InterruptedError("interrupted; run the same command again to continue");
      }
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended > 0 && running_.count(ended) > 0) worker_ended(directory, ended, status);
      if (ended > 0) continue;
      if (monotonic_s() - looked_s > 1) {
        const std::size_t now = directory.finished().size();
        progress.advance(static_cast<std::int64_t>(now - std::min(now, finished)));
        finished = now;
        looked_s = monotonic_s();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const std::size_t now = directory.finished().size();
    progress.advance(static_cast<std::int64_t>(now - std::min(now, finished)));
    if (!device_error_.empty()) throw DeviceError(device_error_);
    if (!idle_death_.empty()) throw InternalError(idle_death_);
  }

  void worker_ended(const SweepDirectory& directory, pid_t worker, int status) {
    Place place = running_.at(worker);
    running_.erase(worker);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    switch (code) {
      case static_cast<int>(ExitCode::kDone):
        return;
      case static_cast<int>(ExitCode::kDisk):
        throw DiskError(cat(directory.folder(),
                            ": a worker found no room on the disk; free some space there, in the "
                            "folder of stores or in the temporary folder, and run the same "
                            "command again"));
      case static_cast<int>(ExitCode::kDevice):
        device_error_ = "a worker's device cannot be used; its message is above";
        return;
      case static_cast<int>(ExitCode::kInterrupted):
        if (directory.cancelled())
          throw InterruptedError(
              cat(directory.folder(), ": the sweep was cancelled; `serval sweep retry` goes on"));
        break;
      case -1:
        if (!worth_another(directory, place, ::strsignal(WTERMSIG(status)))) return;
        break;
      default:
        throw Error(static_cast<ExitCode>(code), "a worker ended with an error; its message is above");
    }
    running_[start_worker(directory.folder(), place)] = place;
  }

  // A worker that died in its trial is replaced, the trial goes on; where workers die before they begin one, so will the next.
  bool worth_another(const SweepDirectory& directory, Place& place, const std::string& died) {
    const std::size_t journals = count_journals(directory);
    place.idle_deaths = journals == journals_ ? place.idle_deaths + 1 : 0;
    journals_ = journals;
    if (place.idle_deaths < kMostIdleDeaths) {
      log_warning(cat("a worker died (", died, "); another one is started"));
      return true;
    }
    idle_death_ =
        cat(directory.folder(), ": ", kMostIdleDeaths, " workers in a row died (", died,
            ") before they began a trial; a lack of memory or a limit of the system may be why. Run "
            "the same command again to continue, with a smaller --workers perhaps");
    log_warning(cat("a worker died (", died,
                    ") before it began a trial, as those before it; no other one is started"));
    return false;
  }

  void stop_all() {
    for (const auto& [worker, place] : running_) ::kill(worker, SIGTERM);
    for (const auto& [worker, place] : running_) {
      int status = 0;
      while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) {
      }
    }
    running_.clear();
  }

  LocalOptions options_;
  std::map<pid_t, Place> running_;
  std::string device_error_, idle_death_;
  std::size_t journals_ = 0;  // at the last death
};

}  // namespace

std::unique_ptr<Executor> local_executor(const LocalOptions& options) {
  return std::make_unique<Local>(options);
}

}  // namespace serval::experiment
