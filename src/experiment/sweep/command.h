// Another program, run to its end.
#pragma once

#include <string>
#include <vector>

namespace serval::experiment {

struct CommandOutcome {
  bool found = true;  // false: there is no such program
  int code = 0;       // -1: ended by a signal
  std::string out, err;
};
CommandOutcome run_command(const std::vector<std::string>& words);

// As one word of a shell.
std::string shell_word(const std::string& text);

}  // namespace serval::experiment
