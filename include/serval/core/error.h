// Errors that a user can meet, each with the exit code that the program ends with.
// Every message says which file, JSON path or recording, what was wrong, and what would be right.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace serval {

enum class ExitCode : int {
  kDone = 0,
  kInternal = 1,
  kConfig = 2,       // bad command line or experiment file
  kData = 3,         // bad recordings or store
  kDevice = 4,       // device absent or failing, or an operation it lacks
  kInterrupted = 5,  // stopped by a signal; the same command continues
  kAudit = 6,        // the leak audit failed
  kDisk = 7,         // disk or quota full; the same command continues once there is room
  kParity = 8,       // a parity check failed
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(ExitCode::kConfig, message) {}
};
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::kData, message) {}
};
struct DeviceError : Error {
  explicit DeviceError(const std::string& message) : Error(ExitCode::kDevice, message) {}
};
// A device's memory is full.
struct OutOfMemoryError : DeviceError {
  using DeviceError::DeviceError;
};
// An operation that a device does not have. Nothing falls back to another device by itself.
struct UnsupportedError : DeviceError {
  using DeviceError::DeviceError;
};
struct InterruptedError : Error {
  explicit InterruptedError(const std::string& message) : Error(ExitCode::kInterrupted, message) {}
};
struct AuditError : Error {
  explicit AuditError(const std::string& message) : Error(ExitCode::kAudit, message) {}
};
struct DiskError : Error {
  explicit DiskError(const std::string& message) : Error(ExitCode::kDisk, message) {}
};
// A broken contract between two pieces of Serval itself: shapes, sizes, states.
struct InternalError : Error {
  explicit InternalError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};

// Joins its arguments as an output stream would print them.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::string join(const std::vector<std::string>& parts, const std::string& separator);

// "did you mean" help: the candidate nearest to `word` by edit distance, or "" when none is near.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

namespace detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line, const std::string& message);
}

}  // namespace serval

// Always on. For contracts inside Serval; what a user can get wrong throws the typed errors above.
#define SERVAL_CHECK(condition, ...)                                                              \
  do {                                                                                            \
    if (!(condition)) [[unlikely]]                                                                \
      ::serval::detail::check_failed(#condition, __FILE__, __LINE__, ::serval::cat(__VA_ARGS__)); \
  } while (false)
