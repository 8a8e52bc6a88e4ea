#include "serval/experiment/bench_features.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numbers>
#include <set>
#include <span>
#include <string_view>

#include <unistd.h>

#include "serval/audio/load_all.h"
#include "serval/audio/quantise.h"
#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/philox.h"
#include "serval/corpus/scan.h"
#include "serval/features/extractor.h"
#include "serval/store/store.h"
#include "serval/store/writer.h"

#include "bench_machine.h"
#include "peak_memory.h"

namespace serval::experiment {

namespace fs = std::filesystem;
using audio::QuantisedAudio;
using audio::Waveform;
using features::Extractor;
using features::FeatureMatrix;

namespace {

constexpr std::size_t kClipsABatch = 256;  // as feature stores are made
constexpr std::uint64_t kSeed = 1;

// A voice-like sound of 3 to 5 s, as RAVDESS' recordings are: a gliding pitch with harmonics, and noise.
Waveform synthetic_clip(std::size_t index, int rate_hz) {
  const RandomStream random{
      .seed = kSeed, .purpose = RandomPurpose::kBenchmark, .step = static_cast<std::uint32_t>(index)};
  const double seconds = 3 + 2 * static_cast<double>(random.uniform(0));
  const double pitch_hz = 90 + 160 * static_cast<double>(random.uniform(1));
  Waveform clip{std::vector<float>(static_cast<std::size_t>(seconds * rate_hz)), rate_hz};
  double phase = 0;
  for (std::size_t n = 0; n < clip.samples.size(); ++n) {
    const double t = static_cast<double>(n) / rate_hz;
    phase += 2 * std::numbers::pi * pitch_hz * (1 + 0.1 * std::sin(3 * t)) / rate_hz;
    const double voice = std::sin(phase) + 0.5 * std::sin(2 * phase) + 0.25 * std::sin(5 * phase);
    const double noise = static_cast<double>(random.uniform(2 + n)) - 0.5;
    clip.samples[n] =
        static_cast<float>(0.1 * voice * std::sin(std::numbers::pi * t / seconds) + 0.01 * noise);
  }
  return clip;
}

std::vector<std::string> recordings_in(const std::string& folder) {
  static const std::set<std::string> kEndings{".wav", ".aif", ".aiff", ".flac", ".ogg", ".opus", ".mp3"};
  std::vector<std::string> paths;
  for (const fs::path& path : corpus::list_files(folder)) {
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (kEndings.count(ending) != 0) paths.push_back(path.string());
  }
  if (paths.empty())
    throw ConfigError(
        cat(folder, ": holds no recordings (", join({kEndings.begin(), kEndings.end()}, " "), ")"));
  return paths;
}

// A folder that goes when this does.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / cat("serval-bench-", ::getpid())) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// What is measured, in the order of its stages; each holds what the next one needs.
class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options), context_(options.device, options.threads) {
    options_.audio.on_bad_recording = audio::OnBadRecording::kSkip;
    for (const auto& [name, settings] : options.features)
      extractors_.emplace_back(settings, options.audio.sample_rate_hz, context_);
    if (!options.folder.empty()) paths_ = recordings_in(options.folder);
  }

  BenchReport run() {
    prepare();
    describe_clips();
    measure_memory();
    const Bandwidth copy = copy_bandwidth(options_.device, options_.threads);
    report_.copy_bytes_per_s = copy.bytes_per_s;
    report_.copy_is = copy.what;
    describe_stages();
    Progress progress("measuring", options_.repeats + 1);
    for (int repeat = -1; repeat < options_.repeats; ++repeat) {
      const std::vector<double> seconds = one_repeat();
      progress.advance();
      if (repeat < 0) continue;
      for (std::size_t i = 0; i < seconds.size(); ++i) report_.stages[i].seconds.push_back(seconds[i]);
    }
    return std::move(report_);
  }

 private:
  std::vector<QuantisedAudio> decode() const {
    std::vector<QuantisedAudio> codes(paths_.size());
    audio::load_all(paths_, options_.audio, options_.threads, "",
                    [&](std::size_t i, const Waveform& waveform) {
                      codes[i] = audio::quantise(waveform.samples, paths_[i]);
                    });
    return codes;
  }

  // The clips, and the store that holds them.
  void prepare() {
    std::vector<QuantisedAudio> codes;
    if (paths_.empty()) {
      codes.resize(static_cast<std::size_t>(options_.synthetic));
      parallel_for(codes.size(), options_.threads, [&](std::size_t i) {
        codes[i] = audio::quantise(synthetic_clip(i, options_.audio.sample_rate_hz).samples, "synthetic");
      });
    } else {
      codes = decode();
    }
    std::vector<store::Source> sources;
    for (std::size_t i = 0; i < codes.size(); ++i) sources.push_back({cat("clip", i), cat(i)});
    store::StoreInfo info;
    info.key = store::audio_key(1, "bench", sources);
    info.sample_rate_hz = options_.audio.sample_rate_hz;
    info.creator = "serval bench";
    key_ = info.key;
    std::vector<std::string_view> ids;
    for (const store::Source& source : sources) ids.push_back(source.id);
    store::StoreWriter writer(folder_.path(), info, std::move(ids));
    writer.next_gap();  // all of them: the folder is new
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i].codes.empty()) {
        ++report_.skipped;
        continue;
      }
      clips_.push_back({audio::samples(codes[i]), options_.audio.sample_rate_hz});
      writer.append(static_cast<std::int64_t>(i), codes[i]);
    }
    writer.finish();
    if (clips_.empty()) throw DataError(cat(options_.folder, ": not one recording can be used"));
  }

  void describe_clips() {
    report_.device = to_string(options_.device);
    report_.device_name = device_name(options_.device);
    report_.threads = options_.threads;
    report_.source = paths_.empty() ? cat("synthetic clips, seed ", kSeed) : options_.folder;
    report_.clips = static_cast<std::int64_t>(clips_.size());
    report_.sample_rate_hz = options_.audio.sample_rate_hz;
    report_.shortest_s = clips_.front().seconds();
    for (const Waveform& clip : clips_) {
      report_.seconds += clip.seconds();
      report_.shortest_s = std::min(report_.shortest_s, clip.seconds());
      report_.longest_s = std::max(report_.longest_s, clip.seconds());
      samples_ += static_cast<std::int64_t>(clip.samples.size());
    }
    report_.frames = frames_of(extractors_.front());
    for (std::size_t i = 0; i < extractors_.size(); ++i)
      report_.dimensions.emplace_back(options_.features[i].first, extractors_[i].dimension());
  }

  void describe_stages() {
    constexpr std::int64_t kCode = sizeof(std::int16_t), kFloat = sizeof(float);
    std::int64_t total = 0;
    const auto add = [&](const std::string& name, const std::string& includes, std::int64_t bytes) {
      report_.stages.push_back({name, includes, bytes, {}});
      total += bytes;
    };
    if (!paths_.empty()) {
      std::int64_t files = 0;
      for (const std::string& path : paths_) files += static_cast<std::int64_t>(fs::file_size(path));
      add("decode", "files in the page cache to 16-bit codes: decoding, mixing, resampling",
          files + samples_ * kCode);
    }
    add("read", "store in the page cache to float samples: checksum, HDF5, scaling; one thread",
        samples_ * (kCode + kFloat));
    for (std::size_t i = 0; i < extractors_.size(); ++i) {
      add(cat("extract ", options_.features[i].first),
          cat("float samples to ", extractors_[i].dimension(), " values a frame, host memory to host memory",
              options_.device.kind == DeviceKind::kCuda ? ", both transfers included" : ""),
          (samples_ + frames_of(extractors_[i]) * extractors_[i].dimension()) * kFloat);
    }
    add("total", "the sum of the stages above", total);
  }

  std::vector<double> one_repeat() {
    std::vector<double> seconds;
    double started_s = monotonic_s();
    const auto lap = [&] {
      const double now_s = monotonic_s();
      seconds.push_back(now_s - started_s);
      started_s = now_s;
    };
    if (!paths_.empty()) {
      decode();
      lap();
    }
    read_store();
    lap();
    for (Extractor& extractor : extractors_) {
      extract_all(extractor);
      lap();
    }
    double total = 0;
    for (const double s : seconds) total += s;
    seconds.push_back(total);
    return seconds;
  }

  void read_store() const {
    const auto stored = store::open_store(folder_.path(), key_);
    if (!stored) throw DataError(cat(store::store_path(folder_.path(), key_), ": is gone"));
    for (std::int64_t item = 0; item < stored->items(); ++item) {
      check_interrupted();
      const Waveform clip{audio::samples(stored->read_audio(item)), options_.audio.sample_rate_hz};
      SERVAL_CHECK(clip.samples.size() == clips_[static_cast<std::size_t>(item)].samples.size(), "item ",
                   item);
    }
  }

  // Into the matrices of the batch before, as a caller does that is done with them.
  void extract_all(Extractor& extractor) {
    for (std::size_t first = 0; first < clips_.size(); first += kClipsABatch) {
      check_interrupted();
      const std::span<const Waveform> clips = batch(first);
      matrices_.resize(std::max(matrices_.size(), clips.size()));
      extractor.run(clips, std::span(matrices_).first(clips.size()));
    }
  }

  // One batch, all of whose features, of every set, are in memory at once.
  void measure_memory() {
    BenchMemory& memory = report_.memory;
    memory.clips = static_cast<std::int64_t>(batch(0).size());
    for (const Waveform& clip : batch(0))
      memory.input_bytes += static_cast<std::int64_t>(clip.samples.size() * sizeof(float));
    PeakMemory peak;
    std::vector<std::vector<FeatureMatrix>> held;
    for (Extractor& extractor : extractors_) held.push_back(extractor.run(batch(0)));
    memory.growth_bytes = peak.growth_bytes();
    for (const auto& matrices : held) {
      for (const FeatureMatrix& matrix : matrices)
        memory.output_bytes += static_cast<std::int64_t>(matrix.values.size() * sizeof(float));
    }
  }

  std::span<const Waveform> batch(std::size_t first) const {
    return std::span(clips_).subspan(first, std::min(kClipsABatch, clips_.size() - first));
  }
  std::int64_t frames_of(const Extractor& extractor) const {
    std::int64_t frames = 0;
    for (const Waveform& clip : clips_)
      frames += extractor.frames(static_cast<std::int64_t>(clip.samples.size()));
    return frames;
  }

  BenchOptions options_;
  Context context_;
  std::vector<Extractor> extractors_;
  std::vector<std::string> paths_;
  TemporaryFolder folder_;
  store::StoreKey key_;
  std::vector<Waveform> clips_;
  std::vector<FeatureMatrix> matrices_;  // of a batch
  std::int64_t samples_ = 0;
  BenchReport report_;
};

}  // namespace

NamedList<features::FeatureSettings> bench_preset(const std::string& name) {
  features::FeatureSettings log_mel;
  log_mel.n_fft = 512;
  features::FeatureSettings mfcc = log_mel;
  mfcc.type = features::FeatureType::kMfcc;
  mfcc.n_mfcc = 40;
  mfcc.deltas = 2;
  if (name == "log_mel") return {{"log_mel", log_mel}};
  if (name == "mfcc") return {{"mfcc", mfcc}};
  if (name == "log_mel_mfcc") {
    log_mel.deltas = 2;
    return {{"log_mel", log_mel}, {"mfcc", mfcc}};
  }
  throw ConfigError(cat("no preset \"", name, "\"; there are log_mel, mfcc and log_mel_mfcc"));
}

double BenchMemory::ratio() const {
  return static_cast<double>(input_bytes + growth_bytes) / static_cast<double>(input_bytes + output_bytes);
}

Spread spread_of(std::vector<double> values) {
  SERVAL_CHECK(!values.empty(), "no values");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

BenchReport bench_features(const BenchOptions& options) {
  SERVAL_CHECK(options.repeats > 0 && options.synthetic > 0 && !options.features.empty(),
               "nothing to measure");
  return Bench(options).run();
}

}  // namespace serval::experiment
