// Runs a program as a person would, and keeps what it printed.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace serval::testing_support {

struct Outcome {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string out, err;
};

struct ProcessOptions {
  std::map<std::string, std::string> environment;  // added to this process' own
  std::string folder;                              // working folder; "": this one
  rlim_t file_bytes = RLIM_INFINITY;               // largest file that it may write
  double kill_after_s = 0;                         // 0: never
  int kill_signal = SIGKILL;
};

inline std::string read_descriptor(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

inline Outcome run_process(const std::vector<std::string>& command, const ProcessOptions& options = {}) {
  std::array<int, 2> out{}, err{};
  if (::pipe(out.data()) != 0 || ::pipe(err.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int fd : {out[0], out[1], err[0], err[1]}) ::close(fd);
    if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
    for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
    const rlimit limit{options.file_bytes, options.file_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  Outcome outcome;
  std::thread reads_out([&] { outcome.out = read_descriptor(out[0]); });
  std::thread reads_err([&] { outcome.err = read_descriptor(err[0]); });
  if (options.kill_after_s > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.kill_after_s));
    ::kill(child, options.kill_signal);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  reads_out.join();
  reads_err.join();
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

// A program in a working folder.
inline Outcome run_in(const std::string& folder, const std::string& program,
                      std::vector<std::string> arguments, ProcessOptions options = {}) {
  arguments.insert(arguments.begin(), program);
  options.folder = folder;
  return run_process(arguments, options);
}

}  // namespace serval::testing_support
