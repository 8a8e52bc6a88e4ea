// Makes the demo corpus: SYNTHETIC emotional speech under RAVDESS' file names, for trying Serval without
// recordings of people. Interrupted, it goes on where it stopped.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"

#include "tools/demo/espeak.h"
#include "tools/demo/studio.h"
#include "tools/demo/style.h"
#include "tools/demo/tables.h"

namespace {

using namespace serval;
using namespace serval::demo;
namespace fs = std::filesystem;

// Raised whenever a take would come out different, so that a folder never mixes two makes.
constexpr int kCorpusVersion = 1;

std::string read_me(const std::string& voice_version) {
  return cat("SYNTHETIC SPEECH. No person spoke any of it.\n\n", "Serval's demo corpus, version ",
             kCorpusVersion, ", spoken by espeak-ng ", voice_version, ".\n", kActors,
             " voices play eight emotions. Files are named as RAVDESS names its own:\n",
             "03-01-<emotion>-<intensity>-<statement>-<repetition>-<actor>.wav\n",
             "Scores on it show that a program works; they say nothing about people.\n");
}

// A folder holds one make of the corpus, or nothing.
void claim_folder(const fs::path& folder, const std::string& text) {
  make_folder(folder);
  const fs::path note = folder / "README.txt";
  if (fs::exists(note)) {
    if (read_text(note) != text) {
      throw ConfigError(
          cat(folder.string(), ": holds a demo corpus of another version; remove the folder first"));
    }
  } else if (!fs::is_empty(folder)) {
    throw ConfigError(cat(folder.string(), ": holds other things; name an empty or a new folder"));
  } else {
    write_atomically(note, text);
  }
}

void make_take(const Take& take, const fs::path& path) {
  const Delivery delivery = delivery_of(take);
  const Speech speech = speak(delivery, path.string() + ".espeak");
  const auto noise_key = static_cast<std::uint32_t>(
      (((take.actor * 16 + take.emotion) * 4 + take.intensity) * 4 + take.statement) * 4 + take.repetition);
  write_wav(path, produce(speech, delivery, noise_key));
}

void make_corpus(const fs::path& folder, int threads) {
  claim_folder(folder, read_me(espeak_version()));
  std::vector<std::pair<Take, fs::path>> to_make;
  const std::vector<Take> takes = all_takes();
  for (const Take& take : takes) {
    const std::string name = take_name(take);
    const fs::path actor_folder = folder / ("Actor_" + name.substr(name.size() - 2));
    const fs::path path = actor_folder / (name + ".wav");
    if (fs::exists(path)) continue;
    make_folder(actor_folder);
    to_make.emplace_back(take, path);
  }
  if (!to_make.empty()) {
    Progress progress("demo corpus", static_cast<std::int64_t>(to_make.size()));
    parallel_for(to_make.size(), threads, [&](std::size_t i) {
      check_interrupted();
      make_take(to_make[i].first, to_make[i].second);
      progress.advance();
    });
  }
  write_atomically(folder / "delivery.csv", delivery_csv());
  write_atomically(folder / "votes.csv", votes_csv());
  log_info(cat(folder.string(), ": ", takes.size(), " recordings of synthetic speech, ", to_make.size(),
               " of them new"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Makes Serval's demo corpus: synthetic emotional speech"};
  std::string folder;
  int threads = hardware_threads();
  app.add_option("folder", folder, "Where the recordings go")->required();
  app.add_option("--threads", threads, "Voices that speak at the same time")->check(CLI::Range(1, 1024));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kConfig);
  }
  install_interrupt_handlers();
  try {
    make_corpus(folder, threads);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "serval_demo_corpus: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "serval_demo_corpus: %s\n", error.what());
    return static_cast<int>(ExitCode::kInternal);
  }
}
