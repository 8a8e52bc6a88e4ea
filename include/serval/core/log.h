// What a person sees while Serval works. Everything goes to standard error; standard output is for results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace serval {

// quiet: only warnings. Lines also go to the log file, once one is open.
void set_quiet(bool quiet);
void open_log_file(const std::string& path);  // appends; "" closes it
void log_info(const std::string& message);
void log_warning(const std::string& message);  // the same warning is said once

// A progress bar on a terminal, a plain line now and then elsewhere: how many of how many, how many a second,
// how much time is left. Threads may share one.
class Progress {
 public:
  // `already` of the total were done before; they count as done, not for the rate.
  Progress(std::string what, std::int64_t total, std::int64_t already = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::int64_t by = 1, const std::string& note = "");

 private:
  void draw(bool final);

  std::mutex mutex_;
  std::string what_;
  std::string note_;
  std::int64_t total_ = 0;
  std::int64_t already_ = 0;
  std::int64_t done_ = 0;
  double started_s_ = 0;
  double drawn_s_ = 0;
};

// "a, b, c and 7 more": what a line has room for.
std::string first_few(const std::vector<std::string>& all, std::size_t most = 10);

double monotonic_s();  // seconds on a clock that never goes back

}  // namespace serval
