// The CUDA kernels of the features, run on the host and compared with the CPU's body. What stands between
// them on a GPU, cuFFT, is the transform by definition here.
#include <vector>

#include <gtest/gtest.h>

#include "serval/features/extractor.h"

#include "cuda/features/stages.cuh"
#include "tests/features/naive_features.h"
#include "tests/features/signals.h"
#include "tests/support/expect_close.h"

namespace serval::features::cuda {
namespace {

using host_gpu::Order;
using host_gpu::OrderScope;
using testing_support::expect_close;

constexpr int kRateHz = 8000;

// A ragged batch as the CUDA body lays it out.
struct HostBatch {
  HostBatch(const detail::ExtractionPlan& plan, const std::vector<int>& lengths) {
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      waveforms.push_back(test_clip(lengths[i], kRateHz, i));
      const std::int64_t frames = plan.frames(lengths[i]);
      clips.push_back({static_cast<std::int64_t>(samples.size()), lengths[i],
                       static_cast<std::int64_t>(frame_clip.size()), frames});
      samples.insert(samples.end(), waveforms[i].samples.begin(), waveforms[i].samples.end());
      frame_clip.insert(frame_clip.end(), static_cast<std::size_t>(frames), static_cast<std::int32_t>(i));
    }
  }
  Batch view() const { return {clips.data(), frame_clip.data()}; }
  std::int64_t frames() const { return static_cast<std::int64_t>(frame_clip.size()); }

  std::vector<audio::Waveform> waveforms;
  std::vector<float> samples;
  std::vector<ClipSpan> clips;
  std::vector<std::int32_t> frame_clip;
};

DeviceTables tables_of(const detail::ExtractionPlan& plan) {
  DeviceTables tables;
  tables.window = plan.window.data();
  tables.mel_first_bin = plan.mel_first_bin.data();
  tables.mel_offset = plan.mel_offset.data();
  tables.mel_weights = plan.mel_weights.data();
  tables.dct = plan.dct.data();
  for (int i = 0; i < 2; ++i) tables.delta_taps[i] = plan.delta_taps[i].data();
  return tables;
}

std::vector<float2> transform(const detail::ExtractionPlan& plan, const std::vector<float>& frames) {
  std::vector<float2> spectra;
  const std::size_t size = static_cast<std::size_t>(plan.n_fft);
  for (std::size_t at = 0; at < frames.size(); at += size) {
    const std::vector<double> frame(frames.begin() + static_cast<std::ptrdiff_t>(at),
                                    frames.begin() + static_cast<std::ptrdiff_t>(at + size));
    for (const std::complex<double>& bin : naive::dft(frame)) {
      spectra.push_back({static_cast<float>(bin.real()), static_cast<float>(bin.imag())});
    }
  }
  return spectra;
}

// All stages over the batch, in chunks of `chunk` frames.
std::vector<float> run_stages(const detail::ExtractionPlan& plan, const HostBatch& batch,
                              std::int64_t chunk) {
  const DeviceTables tables = tables_of(plan);
  std::vector<float> mel(static_cast<std::size_t>(batch.frames() * plan.n_mels), NAN);
  std::vector<float> out(static_cast<std::size_t>(batch.frames() * plan.dimension), NAN);
  std::vector<std::int32_t> peaks(batch.clips.size(), detail::ordered_bits(-INFINITY));
  for (std::int64_t first = 0; first < batch.frames(); first += chunk) {
    const std::int64_t count = std::min(chunk, batch.frames() - first);
    std::vector<float> frames(static_cast<std::size_t>(count * plan.n_fft), NAN);
    launch_frames(plan, tables, batch.view(), batch.samples.data(), first, count, frames.data(), nullptr);
    const std::vector<float2> spectra = transform(plan, frames);
    launch_mel(plan, tables, batch.view(), spectra.data(), first, count, mel.data(), peaks.data(), nullptr);
  }
  launch_columns(plan, tables, batch.view(), batch.frames(), mel.data(), peaks.data(), out.data(), nullptr);
  return out;
}

void compare(const FeatureSettings& settings, const std::vector<int>& lengths) {
  const detail::ExtractionPlan plan(settings, kRateHz);
  const HostBatch batch(plan, lengths);
  std::vector<float> expected;
  const Context context;
  for (const FeatureMatrix& matrix : Extractor(settings, kRateHz, context).run(batch.waveforms)) {
    expected.insert(expected.end(), matrix.values.begin(), matrix.values.end());
  }
  const std::vector<float> out = run_stages(plan, batch, 7);
  expect_close(out, expected, 2e-3, 1e-5, Shape{batch.frames(), plan.dimension});
  for (const Order order : {Order::kReverse, Order::kEvenThenOdd}) {
    const OrderScope scope(order);
    EXPECT_EQ(run_stages(plan, batch, 100), out);
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
