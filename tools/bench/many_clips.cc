// Many short recordings for tools/bench/many_clips.sh: half a second of 16 kHz noise and tone each, every one
// different, a thousand to a folder, with the manifest and the experiment that reads them.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/philox.h"

namespace {

namespace fs = std::filesystem;
using namespace serval;

constexpr int kRate_hz = 16000;
constexpr std::size_t kSamples = 8000;
constexpr std::size_t kAFolder = 1000;

void put(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

std::string wav_of(std::size_t clip) {
  std::string out = "RIFF";
  put(out, 36 + 2 * kSamples, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, 1, 2);
  put(out, 1, 2);
  put(out, kRate_hz, 4);
  put(out, 2 * kRate_hz, 4);
  put(out, 2, 2);
  put(out, 16, 2);
  out += "data";
  put(out, 2 * kSamples, 4);
  const RandomStream random{
      .seed = 1, .purpose = RandomPurpose::kBenchmark, .step = static_cast<std::uint32_t>(clip)};
  const double step =
      2 * std::numbers::pi * (100 + 400.0 * static_cast<double>(random.uniform(0))) / kRate_hz;
  for (std::size_t n = 0; n < kSamples; ++n) {
    const double noise = static_cast<double>(random.uniform(n + 1)) - 0.5;
    const double sample = 0.3 * std::sin(step * static_cast<double>(n)) + 0.1 * noise;
    put(out, static_cast<std::uint32_t>(std::lround(32767 * sample)), 2);
  }
  return out;
}

std::string name_of(std::size_t clip) {
  char name[48];
  std::snprintf(name, sizeof name, "clips/%04zu/clip%07zu.wav", clip / kAFolder, clip);
  return name;
}

void write_clip(const fs::path& path, std::size_t clip) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) fail_errno(path, "cannot be written", errno);
  const std::string bytes = wav_of(clip);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (std::fclose(file) != 0 || !written) fail_errno(path, "cannot be written", errno);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: serval_many_clips FOLDER COUNT\n");
    return 2;
  }
  const fs::path folder = argv[1];
  const auto count = static_cast<std::size_t>(std::atoll(argv[2]));
  try {
    std::string list = "path,actor,label\n";
    for (std::size_t clip = 0; clip < count; ++clip) {
      if (clip % kAFolder == 0) make_folder((folder / name_of(clip)).parent_path());
      list += cat(name_of(clip), ",speaker", clip % 50, ",", clip % 2 == 0 ? "angry" : "sad", "\n");
    }
    Progress progress("writing clips", static_cast<std::int64_t>(count));
    parallel_for(count, hardware_threads(), [&](std::size_t clip) {
      write_clip(folder / name_of(clip), clip);
      progress.advance();
    });
    write_atomically(folder / "clips.csv", list);
    write_atomically(folder / "many_clips.json", std::string_view(R"({
  "name": "many_clips",
  "corpora": [{"file": "clips.csv"}],
  "audio": {"sample_rate_hz": 16000},
  "features": {"logmel": {"type": "log_mel", "n_mels": 40, "n_fft": 512, "window_ms": 25, "hop_ms": 10}},
  "folds": {"count": 5, "validation_actors": 1},
  "models": {"mean": {"input": {"features": "logmel"}, "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]}}}
}
)"));
  } catch (const Error& error) {
    std::fprintf(stderr, "serval_many_clips: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
