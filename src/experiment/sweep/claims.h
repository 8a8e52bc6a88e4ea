// Who works on which trial, told by files alone, so that machines which share nothing but a folder agree.
//
// A claim is a file "<task>.<generation>" in the folder of claims. It is made by link(2), which succeeds once for a name, on
// NFS too, and is never deleted: the highest generation of a task is the one that counts. A claim is running, or was
// released by its owner (the trial goes on elsewhere, as the next generation), or has failed.
//
// A running claim's owner touches the file (`heartbeat`). Nobody compares clocks: a worker that wants the trial watches the
// file's time, and takes over once that has stood still for a lease on its own clock. Where the owner was a process of this
// machine and is gone, it takes over at once. The owner finds out by the next generation's file that it has lost its claim.
// An owner that was only stalled may still finish; that results are published by link(2) too decides who did.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace serval::experiment {

enum class ClaimState { kRunning, kReleased, kFailed };

struct ClaimInfo {
  std::string task;
  int generation = 0;  // from 1
  ClaimState state = ClaimState::kRunning;
  std::string writer, host;
  long process = 0;
  std::string boot;  // of the owner's machine and process space
  int crashes = 0;   // owners before this one that died
  // Of a failed one:
  std::string error;
  int code = 0;  // the exit code that a run of its own would have had
  std::vector<std::string> last_lines;
};

// This process, as claims and journals call it: unlike any other on any machine.
struct Writer {
  std::string name, host, boot;
  long process = 0;
};
const Writer& this_writer();

class Claim {
 public:
  Claim(std::string path, ClaimInfo info, int fd);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  const ClaimInfo& info() const { return info_; }
  void heartbeat() const;  // says that the owner lives
  bool lost() const;       // somebody took over
  void release();          // an interrupted trial, for whoever comes next
  void fail(const std::string& error, int code, std::vector<std::string> last_lines);

 private:
  void replace() const;

  std::string path_;
  ClaimInfo info_;
  int fd_;
};

class ClaimFolder {
 public:
  // The folder is made.
  ClaimFolder(std::string folder, double lease_s, int most_crashes);

  // The highest generation of each task that has any.
  std::map<std::string, int> generations() const;
  ClaimInfo read(const std::string& task, int generation) const;

  // None where the trial runs elsewhere or has failed. `generation`: the highest that is known, 0 for none; higher ones are
  // found. Without `from_the_dead`, none either where an owner of it has died.
  std::unique_ptr<Claim> take(const std::string& task, int generation = 0, bool from_the_dead = true);

  // A failed trial may be tried again. False where the task is not failed.
  bool reopen(const std::string& task) const;

  // Seconds since a running claim gave a sign of life, by the file server's clock: for people to read.
  double silent_s(const std::string& task, int generation) const;

 private:
  std::string path(const std::string& task, int generation) const;
  std::unique_ptr<Claim> create(const std::string& task, int generation, int crashes) const;
  bool abandoned(const ClaimInfo& info);

  struct Watched {
    int generation = 0;
    long long time_ns = 0;  // of the file
    double since_s = 0;     // on this process' clock
  };
  std::string folder_;
  double lease_s_;
  int most_crashes_;
  std::map<std::string, Watched> watched_;
};

// Makes `path` with this content unless it is there already, all or nothing, which link(2) decides on any file system.
// False: somebody else did. Throws DiskError, DataError.
bool create_once(const std::string& path, const std::string& content);

}  // namespace serval::experiment
