#include "tools/demo/espeak.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sndfile.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"

namespace serval::demo {
namespace {

// espeak-ng's pitch scale: 50 is the voice's own, and about 5.8 steps make a semitone.
constexpr double kPitchStepsPerSemitone = 5.8;

// Runs espeak-ng with the arguments, its standard output going to `output_path`.
void run_espeak(const std::vector<std::string>& arguments, const std::string& output_path) {
  std::vector<char*> argv;
  std::string program = "espeak-ng";
  argv.push_back(program.data());
  std::vector<std::string> copies = arguments;
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  pid_t child = 0;
  const int failure = posix_spawnp(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw ConfigError("espeak-ng, which speaks the demo corpus, is not on PATH; tools/setup.sh installs it");
  }
  if (failure != 0) throw ConfigError(cat("espeak-ng cannot be started: ", std::strerror(failure)));

  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  check_interrupted();  // Ctrl-C reaches the child too; that is no fault of its own
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw DataError(
        cat("espeak-ng ", join(arguments, " "), ": ended with ",
            WIFEXITED(status) ? cat("exit code ", WEXITSTATUS(status)) : cat("signal ", WTERMSIG(status))));
  }
}

std::string whole(double value) { return cat(std::lround(value)); }

}  // namespace

std::string espeak_version() {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / cat("serval-espeak-version-", getpid());
  run_espeak({"--version"}, path.string());
  const std::string text = read_text(path);  // "eSpeak NG text-to-speech: 1.51  Data at: ..."
  std::filesystem::remove(path);
  const std::size_t start = text.find(": ");
  if (start == std::string::npos)
    throw DataError(cat("espeak-ng --version says '", text, "', which has no version"));
  return text.substr(start + 2, text.find(' ', start + 2) - start - 2);
}

Speech speak(const Delivery& delivery, const std::string& scratch_path) {
  // The studio moves the formants by playing the recording faster or slower, which moves pitch and rate
  // along: here they are moved the other way first.
  const double semitones = delivery.pitch_semitones - 12 * std::log2(delivery.tract_ratio);
  const double pitch = std::clamp(50 + kPitchStepsPerSemitone * semitones, 0.0, 99.0);
  const double rate = std::clamp(delivery.words_per_minute / delivery.tract_ratio, 80.0, 400.0);
  const std::string text =
      cat("<speak><prosody range=\"", whole(delivery.range), "\">", delivery.text, "</prosody></speak>");
  run_espeak({"-v", delivery.voice, "-p", whole(pitch), "-s", whole(rate), "-g",
              whole(delivery.word_gap_ms / 10), "-m", "-w", scratch_path, text},
             "/dev/null");

  SF_INFO info{};
  SNDFILE* file = sf_open(scratch_path.c_str(), SFM_READ, &info);
  if (file == nullptr) throw DataError(cat(scratch_path, ": ", sf_strerror(nullptr)));
  Speech speech;
  speech.sample_rate_hz = info.samplerate;
  speech.samples.resize(static_cast<std::size_t>(info.frames * info.channels));
  const sf_count_t read = sf_readf_float(file, speech.samples.data(), info.frames);
  sf_close(file);
  std::filesystem::remove(scratch_path);
  if (info.channels != 1 || read != info.frames || read == 0) {
    throw DataError(cat("espeak-ng with voice ", delivery.voice, " wrote ", read, " of ", info.frames,
                        " samples in ", info.channels, " channels; one whole channel was expected"));
  }
  return speech;
}

}  // namespace serval::demo
