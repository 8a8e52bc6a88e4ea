#include "journal.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"

#include "../json_fields.h"
#include "checked_line.h"
#include "claims.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

void read_journal(const std::string& path, std::vector<JournalEntry>& out) {
  const std::string text = read_text(path);
  int line_number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) return;  // the worker died while it wrote
    ++line_number;
    const std::string name = cat(path, ":", line_number);
    const std::optional<JsonValue> json = read_checked_line(text.substr(at, end - at), name);
    at = end + 1;
    if (!json) throw DataError(cat(name, ": is not what Serval wrote: its checksum differs"));
    out.push_back({text_field(*json, "event"), text_field(*json, "trial"),
                   static_cast<int>(integer_field(*json, "generation")), number_field(*json, "seconds"),
                   number_field(*json, "time_s"), text_field(*json, "host"), number_field(*json, "ahead_s")});
  }
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// A file that is told to take the time of now takes the server's.
double ahead_of_server_s(int fd) {
  struct stat facts {};
  if (::futimens(fd, nullptr) != 0 || ::fstat(fd, &facts) != 0) return 0;
  return now_s() -
         (static_cast<double>(facts.st_mtim.tv_sec) + 1e-9 * static_cast<double>(facts.st_mtim.tv_nsec));
}

}  // namespace

Journal::Journal(std::string folder) : folder_(std::move(folder)) { make_folder(folder_); }

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::append(const std::string& event, const std::string& trial, int generation, double seconds) {
  const std::string path = folder_ + "/" + this_writer().name + ".jsonl";
  if (fd_ < 0) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) fail_errno(path, "cannot be written", errno);
    ahead_s_ = ahead_of_server_s(fd_);
  }
  const double time_s = now_s();
  const std::string line = checked_line(JsonValue::object()
                                            .set("event", JsonValue::of(event))
                                            .set("trial", JsonValue::of(trial))
                                            .set("generation", JsonValue::of(generation))
                                            .set("seconds", JsonValue::of(seconds))
                                            .set("time_s", JsonValue::of(time_s))
                                            .set("host", JsonValue::of(this_writer().host))
                                            .set("ahead_s", JsonValue::of(ahead_s_)));
  const off_t before = ::lseek(fd_, 0, SEEK_END);
  const ssize_t written = ::write(fd_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return;
  const int error = written < 0 ? errno : ENOSPC;
  // Part of a line would spoil those after it.
  if (before >= 0 && ::ftruncate(fd_, before) == 0) fail_errno(path, "cannot be written", error);
  ::close(fd_);
  fd_ = -1;
  fail_errno(path, "cannot be written", error);
}

std::vector<JournalEntry> read_journals(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".jsonl") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<JournalEntry> out;
  for (const std::string& path : paths) read_journal(path, out);
  return out;
}

}  // namespace serval::experiment
