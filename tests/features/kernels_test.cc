// The CUDA pipeline of the features, walked on the host and compared with the CPU's body.
#include <gtest/gtest.h>

#include "tests/features/host_pipeline.h"

namespace serval::features::cuda {
namespace {

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
