#include "serval/core/log.h"

#include <algorithm>
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

std::string time_text(double seconds) {
  char text[48];
  if (seconds < 120) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else if (seconds < 7200) {
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  }
  return text;
}

}  // namespace

double monotonic_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string first_few(const std::vector<std::string>& all, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i) out += (i > 0 ? ", " : "") + all[i];
  return all.size() > most ? cat(out, " and ", all.size() - most, " more") : out;
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

Progress::Progress(std::string what, std::int64_t total, std::int64_t already)
    : what_(std::move(what)),
      total_(total),
      already_(already),
      done_(already),
      started_s_(monotonic_s()),
      drawn_s_(started_s_) {}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  if (done_ > already_) draw(true);
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
  const double rate = static_cast<double>(done_ - already_) / std::max(elapsed_s, 1e-3);
  std::string line = cat(what_, " ", done_, "/", total_);
  char times[96];
  if (final || done_ == already_) {
    std::snprintf(times, sizeof times, "  %.1f s  %.0f/s", elapsed_s, rate);
  } else {
    std::snprintf(times, sizeof times, "  %3.0f %%  %.0f/s  %s left",
                  100 * static_cast<double>(done_) / static_cast<double>(total_), rate,
                  time_text(static_cast<double>(total_ - done_) / rate).c_str());
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
