// What workers did, for status and budgets: one file a worker, to which it alone appends checked lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace serval::experiment {

struct JournalEntry {
  std::string event;  // "started", "finished", "failed", "interrupted", "overtaken"
  std::string trial;
  int generation = 0;
  double seconds = 0;  // spent since "started"; 0 there
  double time_s = 0;   // since 1970, by the worker's clock
  std::string host;
  double ahead_s = 0;  // of the worker's clock before that of the file server
};

class Journal {
 public:
  explicit Journal(std::string folder);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Makes the file with the first entry. Throws DiskError, DataError.
  void append(const std::string& event, const std::string& trial, int generation, double seconds);

 private:
  std::string folder_;
  int fd_ = -1;
  double ahead_s_ = 0;
};

// All entries of all workers. A last line that a dying worker left unfinished is passed over; any other that is not what was
// written throws DataError.
std::vector<JournalEntry> read_journals(const std::string& folder);

}  // namespace serval::experiment
