#include "command.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serval/core/error.h"

namespace serval::experiment {

namespace {

constexpr int kNotFound = 127;

// Both pipes at once, so that neither fills up.
void read_both(int out, int err, CommandOutcome& outcome) {
  std::array<pollfd, 2> open{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::array<std::string*, 2> texts{&outcome.out, &outcome.err};
  std::array<char, 4096> block{};
  int left = 2;
  while (left > 0) {
    if (::poll(open.data(), open.size(), -1) < 0) continue;  // a signal
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (open[i].revents == 0) continue;
      const ssize_t n = ::read(open[i].fd, block.data(), block.size());
      if (n < 0 && errno == EINTR) continue;
      if (n > 0) {
        texts[i]->append(block.data(), static_cast<std::size_t>(n));
        continue;
      }
      ::close(open[i].fd);
      open[i].fd = -1;
      --left;
    }
  }
}

}  // namespace

CommandOutcome run_command(const std::vector<std::string>& words) {
  std::array<int, 2> out{}, err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0)
    throw InternalError(cat("no pipe: ", std::strerror(errno)));
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw InternalError(cat("no process could be started: ", std::strerror(errno)));
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(kNotFound);
  }
  ::close(out[1]);
  ::close(err[1]);
  CommandOutcome outcome;
  read_both(out[0], err[0], outcome);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.found = outcome.code != kNotFound;
  return outcome;
}

std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace serval::experiment
