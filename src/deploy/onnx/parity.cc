#include "parity.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"

#include "protobuf.h"

namespace serval::deploy::onnx {
namespace fs = std::filesystem;

namespace {

constexpr std::array<int, 2> kBatches = {1, 32};  // as the script has them

// Gone with everything in it when this is.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "serval-onnx-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail_errno(name, "cannot be made", errno);
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Runs it to its end; what it says goes to `said`. The exit code, or 127 where there is no such program.
int run(std::vector<std::string> words, const fs::path& said) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return 127;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void write_items(const fs::path& folder, const ParityItems& items) {
  JsonValue inputs = JsonValue::list();
  for (std::size_t i = 0; i < items.inputs.size(); ++i) {
    const ParityInput& input = items.inputs[i];
    const std::string file = cat("input_", i, ".f32");
    write_atomically(folder / file, raw_bytes(input.values));
    JsonValue counts = JsonValue::list(), told = JsonValue::object();
    for (const std::int64_t count : input.counts) counts.items.push_back(JsonValue::of(count));
    told.set("name", JsonValue::of(input.name));
    told.set("lengths", JsonValue::of(input.lengths));
    told.set("columns", JsonValue::of(input.columns));
    told.set("file", JsonValue::of(file));
    told.set("counts", std::move(counts));
    inputs.items.push_back(std::move(told));
  }
  JsonValue out = JsonValue::object();
  out.set("inputs", std::move(inputs));
  write_atomically(folder / "items.json", write_json(out));
}

// The largest difference, and the item that has it. A number that is none counts as infinitely far.
std::pair<double, std::size_t> worst_of(const fs::path& file, const ParityItems& items) {
  const std::string bytes = read_text(file);
  std::vector<float> scores(bytes.size() / sizeof(float));
  std::memcpy(scores.data(), bytes.data(), scores.size() * sizeof(float));
  const std::size_t classes = items.expected.front().size();
  if (scores.size() != classes * items.expected.size())
    throw InternalError(
        cat("the model gave ", scores.size(), " numbers for ", items.expected.size(), " items"));
  std::pair<double, std::size_t> worst{0, 0};
  for (std::size_t i = 0; i < items.expected.size(); ++i) {
    for (std::size_t c = 0; c < classes; ++c) {
      const double apart =
          std::abs(static_cast<double>(scores[i * classes + c]) - static_cast<double>(items.expected[i][c]));
      if (!(apart <= worst.first)) worst = {std::isnan(apart) ? HUGE_VAL : apart, i};
    }
  }
  return worst;
}

std::string python_of(const OnnxExport& options) {
  if (!options.python.empty()) return options.python;
  const char* named = std::getenv("SERVAL_ONNX_PYTHON");
  return named != nullptr && *named != '\0' ? named : "python3";
}

}  // namespace

JsonValue check_parity(const OnnxExport& options, const std::string& model_file, const ParityItems& items) {
  if (items.expected.empty()) throw DataError("no recording can be scored, so nothing can be compared");
  const ScratchFolder scratch;
  write_items(scratch.path(), items);
  const std::string python = python_of(options);
  const fs::path said = scratch.path() / "said.txt";
  const int code = run({python, options.script, model_file, scratch.path().string()}, said);
  if (code != 0) {
    std::string words;
    if (fs::exists(said)) words = read_text(said);
    if (code == 3 || code == 127) {
      throw UnsupportedError(
          cat(code == 127 ? python + ": there is no such program\n" : words,
              "the check needs a Python with onnxruntime 1.12 or newer and numpy (pip install onnxruntime "
              "numpy), named by --python or SERVAL_ONNX_PYTHON; --no-parity leaves it out"));
    }
    throw UnsupportedError(cat("ONNX Runtime does not take the model: ", words));
  }
  const JsonValue told = parse_json_file((scratch.path() / "told.json").string());
  JsonValue out = JsonValue::object(), batches = JsonValue::object();
  double worst = 0;
  for (const int batch : kBatches) {
    const auto [apart, item] = worst_of(scratch.path() / cat("scores_", batch, ".f32"), items);
    JsonValue one = JsonValue::object();
    one.set("worst", JsonValue::of(apart));
    one.set("item", JsonValue::of(items.names[item]));
    batches.set(cat(batch), std::move(one));
    worst = std::max(worst, apart);
  }
  const auto& counts = items.inputs.front().counts;
  const auto [shortest, longest] = std::minmax_element(counts.begin(), counts.end());
  out.set("checked", JsonValue::of(true));
  out.set("passed", JsonValue::of(worst <= kOnnxTolerance));
  out.set("worst", JsonValue::of(worst));
  out.set("tolerance", JsonValue::of(kOnnxTolerance));
  out.set("items", JsonValue::of(static_cast<std::int64_t>(items.expected.size())));
  out.set("shortest", JsonValue::of(*shortest));
  out.set("longest", JsonValue::of(*longest));
  out.set("batches", std::move(batches));
  for (const auto& [key, value] : told.members) out.set(key, value);
  return out;
}

}  // namespace serval::deploy::onnx
