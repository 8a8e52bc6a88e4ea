// The CUDA pipeline of the features, walked on the host and compared with the CPU's body. What stands in its
// middle on a GPU, cuFFT, is the transform by definition here.
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "serval/features/extractor.h"

#include "cuda/features/pipeline.cuh"
#include "tests/features/naive_features.h"
#include "tests/features/signals.h"
#include "tests/support/expect_close.h"

namespace serval::features::cuda {
namespace {

using host_gpu::Order;
using host_gpu::OrderScope;
using testing_support::expect_close;

constexpr int kRateHz = 8000;

class HostMemory {
 public:
  template <class T>
  T* get(int slot, std::int64_t size) {
    // Filled with bytes that are NaN as floats: nothing may be read that was not written.
    std::vector<unsigned char>& bytes = slots_[slot];
    const std::size_t wanted = static_cast<std::size_t>(size) * sizeof(T);
    if (bytes.size() < wanted) bytes.resize(wanted, 0xFF);
    return reinterpret_cast<T*>(bytes.data());
  }
  template <class T>
  T* put(int slot, const std::vector<T>& values) {
    T* to = get<T>(slot, static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), to);
    return to;
  }

 private:
  std::map<int, std::vector<unsigned char>> slots_;
};

struct HostTransforms {
  const detail::ExtractionPlan& plan;
  void operator()(int framing, std::int64_t rows, const float* frames, float2* spectra) const {
    const detail::FramePlan& shape = plan.framings[static_cast<std::size_t>(framing)];
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = frames + row * shape.n_fft;
      // Rows behind the last frame of the batch were never written.
      if (std::isnan(from[0])) continue;
      const std::vector<std::complex<double>> bins =
          naive::dft(std::vector<double>(from, from + shape.n_fft));
      for (std::size_t k = 0; k < bins.size(); ++k) {
        spectra[row * shape.bins() + static_cast<std::int64_t>(k)] = {static_cast<float>(bins[k].real()),
                                                                      static_cast<float>(bins[k].imag())};
      }
    }
  }
};

std::vector<float> run_pipeline(const detail::ExtractionPlan& plan,
                                const std::vector<audio::Waveform>& waveforms) {
  std::vector<float> samples;
  std::vector<ClipSpan> clips;
  std::int64_t rows = 0;
  for (const audio::Waveform& waveform : waveforms) {
    const std::int64_t count = static_cast<std::int64_t>(waveform.samples.size());
    clips.push_back({static_cast<std::int64_t>(samples.size()), count});
    samples.insert(samples.end(), waveform.samples.begin(), waveform.samples.end());
    rows += plan.frames(count);
  }
  HostMemory memory;
  Pipeline<HostMemory> pipeline(plan, memory);
  HostTransforms transforms{plan};
  std::vector<float> out(static_cast<std::size_t>(rows * plan.dimension), NAN);
  pipeline.run(samples.data(), clips, out.data(), transforms, nullptr);
  return out;
}

void compare(const FeatureSettings& settings, const std::vector<int>& lengths, double tolerance = 2e-3) {
  const detail::ExtractionPlan plan(settings, kRateHz);
  std::vector<audio::Waveform> waveforms;
  for (std::size_t i = 0; i < lengths.size(); ++i) waveforms.push_back(test_clip(lengths[i], kRateHz, i));
  std::vector<float> expected;
  const Context context;
  for (const FeatureMatrix& matrix : Extractor(settings, kRateHz, context).run(waveforms)) {
    expected.insert(expected.end(), matrix.values.begin(), matrix.values.end());
  }
  const std::vector<float> out = run_pipeline(plan, waveforms);
  const std::int64_t rows = static_cast<std::int64_t>(out.size()) / plan.dimension;
  expect_close(out, expected, tolerance, 1e-5, Shape{rows, plan.dimension});
  for (const Order order : {Order::kReverse, Order::kEvenThenOdd}) {
    const OrderScope scope(order);
    EXPECT_EQ(run_pipeline(plan, waveforms), out);
  }
}

FeatureSettings small() {
  FeatureSettings s;
  s.window_samples = 50;
  s.hop_samples = 20;
  s.n_fft = 64;
  s.n_mels = 12;
  return s;
}

TEST(FeatureKernels, LogMelOfARaggedBatch) { compare(small(), {300, 1, 77, 64, 20, 200}); }

TEST(FeatureKernels, CepstrumAndDeltas) {
  FeatureSettings s = small();
  s.type = FeatureType::kMfcc;
  s.n_mfcc = 9;
  s.lifter = 12;
  s.deltas = 2;
  compare(s, {300, 1, 30, 50, 77, 201});
}

TEST(FeatureKernels, ReflectionMagnitudeAndNaturalLog) {
  FeatureSettings s = small();
  s.padding = Padding::kReflect;
  s.power = 1;
  s.log = LogScale::kNatural;
  s.floor = 1e-5;
  compare(s, {5, 150, 33});
}

TEST(FeatureKernels, WithoutPadding) {
  FeatureSettings s = small();
  s.padding = Padding::kNone;
  s.top_db = std::nullopt;
  compare(s, {64, 150, 83, 84});
}

TEST(FeatureKernels, KaldiConventions) {
  FeatureSettings s;
  apply_preset(s, Preset::kKaldi);
  s.type = FeatureType::kMfcc;
  s.window_samples = 50;
  s.hop_samples = 20;
  s.deltas = 2;
  compare(s, {50, 150, 83});
  s.padding = Padding::kMirror;
  s.zeroth = Zeroth::kDrop;
  s.energy_windowed = true;
  compare(s, {11, 150, 83});
}

TEST(FeatureKernels, StacksStatisticsAndSpectra) {
  FeatureSettings stack = small();
  stack.type = FeatureType::kStack;
  PartSettings mel = small();
  mel.db_reference = DbReference::kPeak;
  mel.energy = EnergyColumn::kLast;
  PartSettings spectrum = small();
  apply_type(spectrum, FeatureType::kSpectrum);
  spectrum.log = LogScale::kDb;
  spectrum.power = 1;
  PartSettings energy = small();
  energy.type = FeatureType::kEnergy;
  stack.parts = {mel, spectrum, energy};
  stack.deltas = 2;
  stack.delta_method = DeltaMethod::kSavgolRepeated;
  compare(stack, {300, 1, 77});
  PartSettings samples;
  samples.type = FeatureType::kWaveform;
  stack.parts.push_back(samples);
  stack.deltas = 0;
  stack.parts[0].statistics = {"min", "max", "range", "variance", "all_mean"};
  stack.parts[1].statistics = {"mean"};
  stack.parts[2].statistics = {"p12.5", "median"};
  stack.parts[3].statistics = {"std", "skewness", "kurtosis"};
  compare(stack, {300, 1, 77});
}

TEST(FeatureKernels, DescriptorsOfSamplesAndSpectra) {
  FeatureSettings stack = small();
  stack.type = FeatureType::kStack;
  for (const FeatureType type :
       {FeatureType::kZcr, FeatureType::kRms, FeatureType::kCentroid, FeatureType::kBandwidth,
        FeatureType::kRolloff, FeatureType::kFlatness, FeatureType::kContrast, FeatureType::kChroma}) {
    PartSettings part = small();
    apply_type(part, type);
    part.contrast_bands = 3;
    part.contrast_quantile = 0.2;
    part.n_chroma = 7;
    part.chroma_norm = ChromaNorm::kL2;
    stack.parts.push_back(part);
  }
  stack.parts[6].contrast_top_db = 20;
  compare(stack, {300, 1, 77});
  for (PartSettings& part : stack.parts) {
    part.statistics = {"mean"};
    part.remove_dc = true;
    part.bandwidth_power = 3;
    part.flatness_power = 1;
    part.contrast_linear = true;
    part.tuning = 0.2;
    part.chroma_norm = ChromaNorm::kInf;
  }
  compare(stack, {170, 20});
}

TEST(FeatureKernels, MoreFiltersAndBinsThanThreads) {
  FeatureSettings s;
  s.window_samples = 600;
  s.hop_samples = 300;
  s.n_fft = 600;
  s.n_mels = 280;
  s.f_min_hz = 50;
  compare(s, {700});
}

}  // namespace
}  // namespace serval::features::cuda
