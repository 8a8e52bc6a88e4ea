// Time of log-mel and MFCC features on a GPU, from 16-bit audio on the device to the matrix on the device: the fused
// kernel in several layouts, and the general engine around cuFFT.
//   serval_features_gpu_bench [clips]      default 12162, as many as four corpora of acted speech have together
// Checks first that both engines agree. Exit code 4: no GPU; 8: they do not agree.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

#include "serval/core/log.h"
#include "serval/core/philox.h"
#include "serval/features/detail/plan.h"
#include "serval/features/extractor.h"

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/features/fused_extractor.cuh"

namespace {

using namespace serval;
using namespace serval::features;

constexpr int kRateHz = 16000;
constexpr int kRepeats = 11;

// Durations spread as a triangle between the shortest and the longest.
struct Lengths {
  double share, shortest_s, usual_s, longest_s;
};
struct Corpus {
  const char* name;
  std::vector<Lengths> parts;
};
const std::vector<Corpus>& corpora() {
  static const std::vector<Corpus> all = {
      {"RAVDESS-like", {{1, 2.9, 3.6, 5.3}}},
      {"four corpora",
       {{0.612, 1.3, 2.3, 5.0}, {0.118, 2.9, 3.6, 5.3}, {0.04, 1.6, 3.4, 7.1}, {0.23, 1.3, 2.0, 3.0}}}};
  return all;
}

double triangle(double u, const Lengths& l) {
  const double span = l.longest_s - l.shortest_s, rise = l.usual_s - l.shortest_s;
  return u < rise / span ? l.shortest_s + std::sqrt(u * span * rise)
                         : l.longest_s - std::sqrt((1 - u) * span * (l.longest_s - l.usual_s));
}

// Tones over noise, cut from one long piece at another place for every clip.
class Audio {
 public:
  Audio(const Corpus& corpus, int clips) {
    const RandomStream random{.seed = 5};
    for (std::size_t i = 0; i < codes_.size(); ++i) {
      const double t = static_cast<double>(i) / kRateHz;
      const double loudness = 0.55 + 0.45 * std::sin(9 * t);
      const double tone = std::sin(900 * t + 40 * std::sin(3 * t)) + 0.3 * std::sin(5100 * t);
      const double noise = 0.02 * (static_cast<double>(random.uniform(i)) - 0.5);
      codes_[i] = static_cast<std::int16_t>(20000 * (0.7 * loudness * tone + noise));
    }
    double cumulative = 0;
    std::size_t part = 0;
    for (int i = 0; i < clips; ++i) {
      const double at = (i + 0.5) / clips;
      while (part + 1 < corpus.parts.size() && at > cumulative + corpus.parts[part].share)
        cumulative += corpus.parts[part++].share;
      const double seconds =
          triangle(random.uniform(1u << 30 | static_cast<unsigned>(i)), corpus.parts[part]);
      const std::size_t count = static_cast<std::size_t>(seconds * kRateHz);
      const std::size_t first = static_cast<std::size_t>(i) * 7919 % (codes_.size() - count);
      clips_.push_back({std::span(codes_).subspan(first, count), 1.0f / 32768});
      samples_ += static_cast<std::int64_t>(count);
    }
  }
  const std::vector<CodedClip>& clips() const { return clips_; }
  double hours() const { return static_cast<double>(samples_) / kRateHz / 3600; }

 private:
  std::vector<std::int16_t> codes_ = std::vector<std::int16_t>(1 << 22);
  std::vector<CodedClip> clips_;
  std::int64_t samples_ = 0;
};

struct Set {
  std::string name;
  FeatureSettings settings;
};
PartSettings part(FeatureType type, int n_fft, int n_mels, int deltas) {
  PartSettings p;
  p.type = type;
  p.window_samples = n_fft * 25 / 32;
  p.hop_samples = n_fft * 10 / 32;
  p.n_fft = n_fft;
  p.n_mels = n_mels;
  p.n_mfcc = 40;
  p.deltas = deltas;
  return p;
}
FeatureSettings stack(std::vector<PartSettings> parts) {
  FeatureSettings s;
  s.type = FeatureType::kStack;
  s.parts = std::move(parts);
  return s;
}
std::vector<Set> sets() {
  constexpr FeatureType kMel = FeatureType::kLogMel, kMfcc = FeatureType::kMfcc;
  return {{"512: 40 MFCC, 2 deltas", stack({part(kMfcc, 512, 64, 2)})},
          {"512: 64 log-mel + 40 MFCC, 2 deltas", stack({part(kMel, 512, 64, 2), part(kMfcc, 512, 64, 2)})},
          {"512: 64 log-mel", stack({part(kMel, 512, 64, 0)})},
          {"256: 40 MFCC, 2 deltas", stack({part(kMfcc, 256, 40, 2)})},
          {"1024: 128 log-mel", stack({part(kMel, 1024, 128, 0)})},
          {"2048: 128 log-mel", stack({part(kMel, 2048, 128, 0)})}};
}

class Timer {
 public:
  explicit Timer(cudaStream_t stream) : stream_(stream) {
    SERVAL_CUDA_CHECK(cudaEventCreate(&start_));
    SERVAL_CUDA_CHECK(cudaEventCreate(&end_));
  }
  ~Timer() {
    cudaEventDestroy(start_);
    cudaEventDestroy(end_);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // Median milliseconds of the work that `action` puts on the stream; two runs before warm it up.
  double median_ms(const std::function<void()>& action) const {
    std::vector<float> times;
    for (int i = -2; i < kRepeats; ++i) {
      SERVAL_CUDA_CHECK(cudaEventRecord(start_, stream_));
      action();
      SERVAL_CUDA_CHECK(cudaEventRecord(end_, stream_));
      SERVAL_CUDA_CHECK(cudaEventSynchronize(end_));
      float ms = 0;
      SERVAL_CUDA_CHECK(cudaEventElapsedTime(&ms, start_, end_));
      if (i >= 0) times.push_back(ms);
    }
    std::nth_element(times.begin(), times.begin() + kRepeats / 2, times.end());
    return static_cast<double>(times[kRepeats / 2]);
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
};

// Bytes per second that a copy on the device reads and writes together.
double copy_bandwidth(const Context& context, const Timer& timer) {
  const std::int64_t count = std::int64_t{1} << 28;
  Tensor from(context.device(), {count}), to(context.device(), {count});
  cudaStream_t stream = serval::cuda::cuda_state(context).stream();
  const double ms = timer.median_ms([&] {
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(to.data(), from.data(), static_cast<std::size_t>(count) * sizeof(float),
                                      cudaMemcpyDeviceToDevice, stream));
  });
  return 2 * static_cast<double>(count) * sizeof(float) / (ms / 1e3);
}

// The largest difference between the engines over some clips, one of them two minutes long.
double largest_difference(const Context& context, const Set& set, const Audio& audio) {
  std::vector<std::int16_t> minutes;
  for (std::size_t i = 0; minutes.size() < std::size_t{120} * kRateHz; ++i) {
    const std::span<const std::int16_t> codes = audio.clips()[i % audio.clips().size()].codes;
    minutes.insert(minutes.end(), codes.begin(), codes.end());
  }
  std::vector<CodedClip> clips(
      audio.clips().begin(),
      audio.clips().begin() + std::min<std::ptrdiff_t>(100, std::ssize(audio.clips())));
  clips.push_back({minutes, 1.0f / 32768});
  const DeviceBatch batch(context.device(), kRateHz, clips);
  std::vector<float> values[2];
  for (int engine = 0; engine < 2; ++engine) {
    Extractor extractor(set.settings, kRateHz, context,
                        engine == 0 ? FeatureEngine::kFused : FeatureEngine::kGeneral);
    const ResidentFeatures out = extractor.run_resident(batch);
    context.synchronize();
    values[engine] = out.values.to_host();
  }
  double largest = 0;
  for (std::size_t i = 0; i < values[0].size(); ++i) {
    const double difference = std::abs(static_cast<double>(values[0][i]) - static_cast<double>(values[1][i]));
    largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
  }
  return largest;
}

class Report {
 public:
  Report(double hours, std::int64_t frames, double bytes, double copy)
      : hours_(hours), frames_(frames), bytes_(bytes), copy_(copy) {}
  void line(const std::string& name, double ms) const {
    const double s = ms / 1e3;
    std::printf("    %-44s %9.3f ms  %7.1f M frames/s  %8.1f h audio/s  %7.1f GB/s  %5.1f %% of copy\n",
                name.c_str(), ms, static_cast<double>(frames_) / s / 1e6, hours_ / s, bytes_ / s / 1e9,
                100 * bytes_ / s / copy_);
    std::fflush(stdout);
  }

 private:
  double hours_;
  std::int64_t frames_;
  double bytes_, copy_;  // audio and matrix; bytes per second of a copy
};

void time_set(const Context& context, const Timer& timer, double copy, const Set& set, const Audio& audio,
              const DeviceBatch& batch) {
  Extractor fused(set.settings, kRateHz, context, FeatureEngine::kFused);
  ResidentFeatures out = fused.run_resident(batch);
  context.synchronize();
  const std::int64_t frames = out.first_row.back();
  const Report report(
      audio.hours(), frames,
      2 * static_cast<double>(batch.total_codes()) + 4 * static_cast<double>(out.values.size()), copy);
  std::printf("  %s: %lld frames of %lld columns\n", set.name.c_str(), static_cast<long long>(frames),
              static_cast<long long>(fused.dimension()));
  report.line("fused", timer.median_ms([&] { fused.run_resident(batch, out); }));

  const features::detail::ExtractionPlan plan(set.settings, kRateHz);
  const features::cuda::FusedSpec spec = features::cuda::match_fused(plan).spec;
  const features::cuda::FusedTables tables(spec);
  const features::cuda::FusedLimits limits = features::cuda::fused_limits(context);
  const std::vector<features::cuda::FusedClip> clips = features::cuda::fused_clips(batch, out.first_row);
  for (const auto& [warps, blocks] :
       {std::pair{8, 4}, {8, 3}, {8, 2}, {12, 2}, {16, 2}, {16, 1}, {24, 1}, {32, 1}}) {
    if (warps * blocks * 32 > features::cuda::fused_threads(spec.half_size())) continue;
    for (const bool shared_tile : {true, false}) {
      features::cuda::FusedLayout layout = features::cuda::fused_layout(spec, tables, warps, blocks, limits);
      if (layout.shared_frames < 0) continue;
      if (!shared_tile) features::cuda::limit_shared_frames(layout, tables, 0);
      features::cuda::FusedExtractor extractor(context, spec, layout);
      features::cuda::FusedExtractor::Work work;
      extractor.prepare(clips, work);
      const double ms = timer.median_ms([&] { extractor.run(batch.codes(), work, out.values.data()); });
      report.line(cat("fused, ", warps, " warps x ", extractor.layout().blocks_per_unit, ", ",
                      layout.shared_frames, " frames in shared memory"),
                  ms);
    }
  }
  Extractor general(set.settings, kRateHz, context, FeatureEngine::kGeneral);
  report.line("general", timer.median_ms([&] { general.run_resident(batch, out); }));
}

int run(int clips) {
  std::string why;
  const std::vector<CudaDeviceInfo> devices = cuda_devices(&why);
  if (devices.empty()) {
    std::fprintf(stderr, "features_gpu_bench: no GPU can be used: %s\n", why.c_str());
    return static_cast<int>(ExitCode::kDevice);
  }
  const Context context(Device{DeviceKind::kCuda, devices.front().index});
  const Timer timer(serval::cuda::cuda_state(context).stream());
  for (const Set& set : sets()) {
    const double difference = largest_difference(context, set, Audio(corpora().front(), 200));
    std::printf("%-40s engines differ by %.2g at most\n", set.name.c_str(), difference);
    if (!(difference < 5e-3)) {
      std::fprintf(stderr, "features_gpu_bench: the engines do not agree\n");
      return static_cast<int>(ExitCode::kParity);
    }
  }
  const double copy = copy_bandwidth(context, timer);
  std::printf("%s, %s: copying on the device %.0f GB/s\n", devices.front().name.c_str(),
              backend_versions(context.device()).c_str(), copy / 1e9);
  for (const Corpus& corpus : corpora()) {
    const Audio audio(corpus, clips);
    const DeviceBatch batch(context.device(), kRateHz, audio.clips());
    std::printf("%s: %d clips, %.2f h\n", corpus.name, clips, audio.hours());
    for (const Set& set : sets()) time_set(context, timer, copy, set, audio, batch);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int clips = argc > 1 ? std::atoi(argv[1]) : 12162;
  if (argc > 2 || clips < 1) {
    std::fprintf(stderr, "usage: %s [clips]\n", argv[0]);
    return static_cast<int>(serval::ExitCode::kConfig);
  }
  try {
    return run(clips);
  } catch (const serval::Error& error) {
    std::fprintf(stderr, "features_gpu_bench: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
