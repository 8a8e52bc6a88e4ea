// A bundle from a stranger: its sums are right, and what they cover is the input. The first byte says what it replaces,
// bundle.json, a file of weights, the list of sums, or all of it in one file. What can be read must score half a second of sound, or say why not.
#include <cmath>

#include "serval/core/sha256.h"
#include "serval/deploy/predictor.h"

#include "tests/fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;
using namespace serval;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The bundle among the seeds; the program is started with SERVAL_FUZZ_BUNDLE naming it.
fs::path good() {
  const char* named = std::getenv("SERVAL_FUZZ_BUNDLE");
  fuzz::need(named != nullptr, "SERVAL_FUZZ_BUNDLE names a bundle");
  return named;
}

void write_bundle(const std::string& part, const std::string& content) {
  static const fs::path from = good();
  const fs::path to = fuzz::scratch() / "b.bundle";
  fs::create_directories(to / "weights");
  std::string sums;
  for (const std::string name :
       {"bundle.json", "weights/net-fold-1-seed-1.safetensors", "weights/svm-fold-1-seed-1.safetensors"}) {
    const std::string bytes = name == part ? content : slurp(from / name);
    fuzz::file_of("b.bundle/" + name, bytes);
    sums += sha256(bytes) + "  " + name + "\n";
  }
  fuzz::file_of("b.bundle/SHA256SUMS", part == "SHA256SUMS" ? content : sums);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int part = data[0] % 5;
  std::string bundle = (fuzz::scratch() / "b.bundle").string();
  const char* const parts[] = {"bundle.json", "weights/net-fold-1-seed-1.safetensors",
                               "weights/svm-fold-1-seed-1.safetensors", "SHA256SUMS"};
  const std::string content = fuzz::text_of(data + 1, size - 1);
  if (part == 4) {
    bundle = fuzz::file_of("b.serval", content);
  } else {
    write_bundle(parts[part], content);
  }
  std::vector<float> tone(8'000);
  for (std::size_t i = 0; i < tone.size(); ++i)
    tone[i] = 0.3f * std::sin(0.05f * static_cast<float>(i)) * std::sin(0.001f * static_cast<float>(i));
  fuzz::survives([&] {
    const deploy::Predictor predictor(bundle);
    const deploy::Prediction said = predictor.predict(tone.data(), tone.size(), 16'000);
    fuzz::need(said.probabilities.size() == predictor.classes().size(), "a score a class");
  });
  return 0;
}
