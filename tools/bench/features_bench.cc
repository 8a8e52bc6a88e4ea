// Times feature extraction on clips that are in memory already, one round at a time on request, so that other
// programs can take their turns between the rounds (tools/bench/features/compare.py).
//   serval_features_bench CLIPS SETTINGS [threads [clips a batch]]
// CLIPS     "SRVCLIPS", int64 rate in Hz, int64 count, int64 samples of each clip, float32 samples; in the
//           machine's byte order
// SETTINGS  the object that an experiment has under "features"; every one of them is computed in a round
// Standard input, one command a line:
//   run        all clips once; prints "seconds processor-seconds frames"
//   dump PATH  all clips once; writes the values as float32, one matrix [frame, dimension] after the other,
//              clip by clip and in each clip in the order of SETTINGS; prints "dimension ..."
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

namespace {

using serval::Context;
using serval::DataError;
using serval::audio::Waveform;
using serval::features::Extractor;
using serval::features::FeatureMatrix;
using serval::features::FeatureSettings;

std::vector<Waveform> read_clips(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char magic[8] = {};
  std::int64_t head[2] = {};
  in.read(magic, sizeof magic);
  in.read(reinterpret_cast<char*>(head), sizeof head);
  if (!in || std::memcmp(magic, "SRVCLIPS", sizeof magic) != 0 || head[1] < 1 || head[1] > 1 << 24)
    throw DataError(path + ": not a file of clips; tools/bench/features/clips.py writes them");
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(head[1]));
  in.read(reinterpret_cast<char*>(sizes.data()),
          static_cast<std::streamsize>(sizes.size() * sizeof(std::int64_t)));
  std::vector<Waveform> clips;
  for (const std::int64_t size : sizes) {
    Waveform clip{std::vector<float>(static_cast<std::size_t>(size)), static_cast<int>(head[0])};
    in.read(reinterpret_cast<char*>(clip.samples.data()),
            static_cast<std::streamsize>(clip.samples.size() * sizeof(float)));
    clips.push_back(std::move(clip));
  }
  if (!in) throw DataError(path + ": ends too early");
  return clips;
}

struct SettingsList {
  serval::NamedList<FeatureSettings> features;
};
void describe(serval::SettingsVisitor& v, SettingsList& s) {
  v.map("features", s.features, {"what to compute"});
}

serval::NamedList<FeatureSettings> read_feature_settings(const std::string& text) {
  serval::JsonValue root = serval::JsonValue::object();
  root.set("features", serval::parse_json(text, "SETTINGS"));
  std::vector<std::string> errors;
  const SettingsList list = serval::read_settings<SettingsList>(root, errors);
  if (!errors.empty()) throw serval::ConfigError(serval::join(errors, "\n"));
  return list.features;
}

double processor_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Every clip through every extractor, a batch at a time; sink(matrices, one list an extractor; how many count). A
// batch writes into the matrices of the batch before, as a program does that is done with them.
template <class Sink>
std::int64_t run_all(std::vector<Extractor>& extractors, const std::vector<Waveform>& clips,
                     std::size_t batch, std::vector<std::vector<FeatureMatrix>>& out, const Sink& sink) {
  std::int64_t frames = 0;
  out.resize(extractors.size());
  for (std::vector<FeatureMatrix>& matrices : out) matrices.resize(std::min(batch, clips.size()));
  for (std::size_t first = 0; first < clips.size(); first += batch) {
    const std::size_t count = std::min(batch, clips.size() - first);
    for (std::size_t i = 0; i < extractors.size(); ++i)
      extractors[i].run(std::span(clips).subspan(first, count), std::span(out[i]).first(count));
    for (std::size_t i = 0; i < count; ++i) frames += out[0][i].frames;
    sink(out, count);
  }
  return frames;
}

void dump(std::vector<Extractor>& extractors, const std::vector<Waveform>& clips, std::size_t batch,
          const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  std::vector<std::vector<FeatureMatrix>> matrices_of;
  run_all(extractors, clips, batch, matrices_of, [&](const auto& out, std::size_t count) {
    for (std::size_t clip = 0; clip < count; ++clip) {
      for (const std::vector<FeatureMatrix>& matrices : out) {
        const std::vector<float>& values = matrices[clip].values;
        file.write(reinterpret_cast<const char*>(values.data()),
                   static_cast<std::streamsize>(values.size() * sizeof(float)));
      }
    }
  });
  file.close();
  if (!file) throw DataError(path + ": cannot be written");
}

int serve(const std::vector<std::string>& arguments) {
  const std::vector<Waveform> clips = read_clips(arguments[0]);
  const int threads = arguments.size() > 2 ? std::atoi(arguments[2].c_str()) : 1;
  const int batch = arguments.size() > 3 ? std::atoi(arguments[3].c_str()) : 64;
  if (threads < 1 || batch < 1)
    throw serval::ConfigError("threads and clips a batch are whole numbers from 1");
  const Context context({}, threads);
  std::vector<Extractor> extractors;
  for (const auto& [name, settings] : read_feature_settings(arguments[1]))
    extractors.emplace_back(settings, clips.front().sample_rate_hz, context);

  std::vector<std::vector<FeatureMatrix>> matrices;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "run") {
      const double processor_start_s = processor_s(), start_s = serval::monotonic_s();
      const std::int64_t frames = run_all(extractors, clips, static_cast<std::size_t>(batch), matrices,
                                          [](const auto&, std::size_t) {});
      const double end_s = serval::monotonic_s(), processor_end_s = processor_s();
      std::printf("%.9f %.9f %lld\n", end_s - start_s, processor_end_s - processor_start_s,
                  static_cast<long long>(frames));
    } else if (line.rfind("dump ", 0) == 0) {
      dump(extractors, clips, static_cast<std::size_t>(batch), line.substr(5));
      std::printf("dimension");
      for (const Extractor& extractor : extractors)
        std::printf(" %lld", static_cast<long long>(extractor.dimension()));
      std::printf("\n");
    } else {
      throw serval::ConfigError("the commands are `run` and `dump PATH`, not `" + line + "`");
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2 || arguments.size() > 4) {
    std::fprintf(stderr, "usage: serval_features_bench CLIPS SETTINGS [threads [clips a batch]]\n");
    return static_cast<int>(serval::ExitCode::kConfig);
  }
  try {
    return serve(arguments);
  } catch (const serval::Error& error) {
    std::fprintf(stderr, "serval_features_bench: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
