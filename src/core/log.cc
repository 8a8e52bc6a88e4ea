#include "serval/core/log.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <set>
#include <utility>

#include <unistd.h>

#include "serval/core/error.h"

namespace serval {

namespace {

// The one console of the process: its lines must not tear when threads write.
struct Console {
  std::mutex mutex;
  bool quiet = false;
  bool bar_on_screen = false;
  std::FILE* file = nullptr;
  std::set<std::string> warned;
};

Console& console() {
  static Console instance;
  return instance;
}

bool on_terminal() {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  return terminal;
}

void write_line(const std::string& line, bool show) {
  Console& out = console();
  const std::lock_guard lock(out.mutex);
  if (show) {
    std::fprintf(stderr, "%s%s\n", out.bar_on_screen ? "\r\033[K" : "", line.c_str());
    out.bar_on_screen = false;
  }
  if (out.file != nullptr) {
    char stamp[32];
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
    std::fprintf(out.file, "%s %s\n", stamp, line.c_str());
    std::fflush(out.file);
  }
}

constexpr double kBarInterval_s = 0.1;
constexpr double kLineInterval_s = 10;

}  // namespace

double monotonic_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void set_quiet(bool quiet) { console().quiet = quiet; }

void open_log_file(const std::string& path) {
  Console& out = console();
  const std::lock_guard lock(out.mutex);
  if (out.file != nullptr) std::fclose(out.file);
  out.file = path.empty() ? nullptr : std::fopen(path.c_str(), "a");
}

void log_info(const std::string& message) { write_line(message, !console().quiet); }
void log_warning(const std::string& message) {
  {
    Console& out = console();
    const std::lock_guard lock(out.mutex);
    if (!out.warned.insert(message).second) return;
  }
  write_line("warning: " + message, true);
}

Progress::Progress(std::string what, std::int64_t total)
    : what_(std::move(what)), total_(total), started_s_(monotonic_s()), drawn_s_(started_s_) {}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  if (done_ > 0) draw(true);
}

void Progress::advance(std::int64_t by, const std::string& note) {
  const std::lock_guard lock(mutex_);
  done_ += by;
  if (!note.empty()) note_ = note;
  if (monotonic_s() - drawn_s_ >= (on_terminal() ? kBarInterval_s : kLineInterval_s)) draw(false);
}

void Progress::draw(bool final) {
  Console& out = console();
  if (out.quiet) return;
  drawn_s_ = monotonic_s();
  const double elapsed_s = drawn_s_ - started_s_;
  const double fraction = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 0;
  std::string line = cat(what_, " ", done_, "/", total_);
  char times[64];
  if (final || fraction <= 0) {
    std::snprintf(times, sizeof times, "  %.1f s", elapsed_s);
  } else {
    std::snprintf(times, sizeof times, "  %3.0f %%  %.0f s left", 100 * fraction,
                  elapsed_s * (1 / fraction - 1));
  }
  line += times;
  if (!note_.empty()) line += "  " + note_;
  const std::lock_guard lock(out.mutex);
  if (on_terminal()) {
    std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), final ? "\n" : "");
    std::fflush(stderr);
    out.bar_on_screen = !final;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

}  // namespace serval
