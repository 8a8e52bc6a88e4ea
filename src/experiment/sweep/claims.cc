#include "claims.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"

#include "../json_fields.h"
#include "checked_line.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

const char* to_string(ClaimState state) {
  switch (state) {
    case ClaimState::kRunning:
      return "running";
    case ClaimState::kReleased:
      return "released";
    case ClaimState::kFailed:
      return "failed";
  }
  return "";
}

JsonValue to_json(const ClaimInfo& info) {
  JsonValue out = JsonValue::object();
  out.set("trial", JsonValue::of(info.task));
  out.set("generation", JsonValue::of(info.generation));
  out.set("state", JsonValue::of(to_string(info.state)));
  out.set("writer", JsonValue::of(info.writer));
  out.set("host", JsonValue::of(info.host));
  out.set("process", JsonValue::of(static_cast<std::int64_t>(info.process)));
  out.set("boot", JsonValue::of(info.boot));
  out.set("crashes", JsonValue::of(info.crashes));
  if (info.state == ClaimState::kFailed) {
    out.set("error", JsonValue::of(info.error));
    out.set("code", JsonValue::of(info.code));
    out.set("last_lines", JsonValue::of(info.last_lines));
  }
  return out;
}

ClaimInfo of_json(const JsonValue& json) {
  ClaimInfo out;
  out.task = text_field(json, "trial");
  out.generation = static_cast<int>(integer_field(json, "generation"));
  const std::string& state = text_field(json, "state");
  out.state = state == "running"    ? ClaimState::kRunning
              : state == "released" ? ClaimState::kReleased
                                    : ClaimState::kFailed;
  out.writer = text_field(json, "writer");
  out.host = text_field(json, "host");
  out.process = static_cast<long>(integer_field(json, "process"));
  out.boot = text_field(json, "boot");
  out.crashes = static_cast<int>(integer_field(json, "crashes"));
  if (out.state == ClaimState::kFailed) {
    out.error = text_field(json, "error");
    out.code = static_cast<int>(integer_field(json, "code"));
    out.last_lines = texts_field(json, "last_lines");
  }
  return out;
}

// When the process started, in ticks since the machine did: tells it from a later one of the same number.
std::string start_of_this_process() {
  std::ifstream in("/proc/self/stat");
  std::string text;
  std::getline(in, text);
  const std::size_t close = text.rfind(')');
  std::size_t at = close;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos ? "0" : text.substr(at + 1, text.find(' ', at + 1) - at - 1);
}

long long changed_ns(const struct stat& facts) {
  return static_cast<long long>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

// Opened, so that a network file system asks its server instead of a cache.
long long changed_ns(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(path, "cannot be read", errno);
  struct stat facts {};
  const int failed = ::fstat(fd, &facts);
  const int error = errno;
  ::close(fd);
  if (failed != 0) fail_errno(path, "cannot be read", error);
  return changed_ns(facts);
}

}  // namespace

const Writer& this_writer() {
  static const Writer writer = [] {
    Writer out;
    out.host = host_name();
    out.boot = boot_name();
    out.process = ::getpid();
    out.name = cat(out.host, "-", out.boot.substr(0, 6), "-", out.process, "-", start_of_this_process());
    return out;
  }();
  return writer;
}

bool create_once(const std::string& path, const std::string& content) {
  bool made = false;
  const TemporaryFile temporary(path);
  write_often(temporary.path(), content);
  const int fd = ::open(temporary.path().c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(path, "cannot be written", errno);
  const int synced = ::fsync(fd);
  int error = errno;
  struct stat facts {};
  if (synced == 0) {
    made = ::link(temporary.path().c_str(), path.c_str()) == 0;
    error = errno;
    // An answer can get lost on its way over the network, and the second try then finds its own link.
    if (!made && ::fstat(fd, &facts) == 0 && facts.st_nlink == 2) made = true;
  }
  ::close(fd);
  if (!made && (synced != 0 || error != EEXIST)) fail_errno(path, "cannot be written", error);
  return made;
}

Claim::Claim(std::string path, ClaimInfo info, int fd)
    : path_(std::move(path)), info_(std::move(info)), fd_(fd) {}

Claim::~Claim() {
  if (fd_ >= 0) ::close(fd_);
}

void Claim::heartbeat() const {
  // By the descriptor: never another one's file. A sign of life that gets lost is followed by the next.
  if (::futimens(fd_, nullptr) != 0)
    log_warning(cat(path_, ": no sign of life could be left there: ", std::strerror(errno)));
}

bool Claim::lost() const {
  const std::string next = path_.substr(0, path_.rfind('.') + 1) + std::to_string(info_.generation + 1);
  return ::access(next.c_str(), F_OK) == 0;
}

void Claim::replace() const { write_atomically(path_, checked_line(to_json(info_))); }

void Claim::release() {
  info_.state = ClaimState::kReleased;
  replace();
}

void Claim::fail(const std::string& error, int code, std::vector<std::string> last_lines) {
  info_.state = ClaimState::kFailed;
  info_.error = error;
  info_.code = code;
  info_.last_lines = std::move(last_lines);
  replace();
}

ClaimFolder::ClaimFolder(std::string folder, double lease_s, int most_crashes)
    : folder_(std::move(folder)), lease_s_(lease_s), most_crashes_(most_crashes) {
  make_folder(folder_);
}

std::string ClaimFolder::path(const std::string& task, int generation) const {
  return cat(folder_, "/", task, ".", generation);
}

std::map<std::string, int> ClaimFolder::generations() const {
  std::map<std::string, int> out;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    const std::size_t dot = name.rfind('.');
    int generation = 0;
    if (dot == std::string::npos || name.find(".tmp-") != std::string::npos) continue;
    const char* end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + dot + 1, end, generation);
    if (error != std::errc{} || rest != end) continue;
    int& highest = out[name.substr(0, dot)];
    highest = std::max(highest, generation);
  }
  return out;
}

ClaimInfo ClaimFolder::read(const std::string& task, int generation) const {
  return of_json(read_checked_file(path(task, generation)));
}

std::unique_ptr<Claim> ClaimFolder::create(const std::string& task, int generation, int crashes) const {
  const Writer& writer = this_writer();
  ClaimInfo info;
  info.task = task;
  info.generation = generation;
  info.writer = writer.name;
  info.host = writer.host;
  info.process = writer.process;
  info.boot = writer.boot;
  info.crashes = crashes;
  const std::string file = path(task, generation);
  if (!create_once(file, checked_line(to_json(info)))) return nullptr;
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) fail_errno(file, "cannot be opened", errno);
  return std::make_unique<Claim>(file, std::move(info), fd);
}

bool ClaimFolder::abandoned(const ClaimInfo& info) {
  const Writer& here = this_writer();
  const bool same_machine = !here.boot.empty() && info.boot == here.boot;
  if (same_machine && ::kill(static_cast<pid_t>(info.process), 0) != 0 && errno == ESRCH) return true;
  // A process of that number may be another one by now: its lease tells.
  const long long time_ns = changed_ns(path(info.task, info.generation));
  Watched& watched = watched_[info.task];
  if (watched.generation != info.generation || watched.time_ns != time_ns) {
    watched = {info.generation, time_ns, monotonic_s()};
    return false;
  }
  return monotonic_s() - watched.since_s > lease_s_;
}

std::unique_ptr<Claim> ClaimFolder::take(const std::string& task, int generation, bool from_the_dead) {
  // Others may have gone on since somebody looked.
  while (::access(path(task, generation + 1).c_str(), F_OK) == 0) ++generation;
  if (generation == 0) return create(task, 1, 0);
  const ClaimInfo info = read(task, generation);
  if (info.state == ClaimState::kFailed || (info.crashes > 0 && !from_the_dead)) return nullptr;
  if (info.state == ClaimState::kReleased) return create(task, generation + 1, info.crashes);
  if (!from_the_dead || !abandoned(info)) return nullptr;
  std::unique_ptr<Claim> claim = create(task, generation + 1, info.crashes + 1);
  if (claim == nullptr) return nullptr;
  log_warning(cat("trial ", task, ": ", info.writer, " is gone; it is taken over"));
  if (claim->info().crashes < most_crashes_) return claim;
  claim->fail(
      cat("the processes that ran it died, ", claim->info().crashes, " times; the last was ", info.writer),
      static_cast<int>(ExitCode::kInternal), {});
  return nullptr;
}

bool ClaimFolder::reopen(const std::string& task) const {
  int generation = 0;
  while (::access(path(task, generation + 1).c_str(), F_OK) == 0) ++generation;
  if (generation == 0) return false;
  ClaimInfo info = read(task, generation);
  if (info.state != ClaimState::kFailed) return false;
  info.state = ClaimState::kReleased;
  info.crashes = 0;
  write_atomically(path(task, generation), checked_line(to_json(info)));
  return true;
}

double ClaimFolder::silent_s(const std::string& task, int generation) const {
  const TemporaryFile now(folder_ + "/now");
  write_often(now.path(), "");
  return static_cast<double>(changed_ns(now.path().string()) - changed_ns(path(task, generation))) * 1e-9;
}

}  // namespace serval::experiment
