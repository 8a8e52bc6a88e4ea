// Pitch, harmonicity, Teager energy, modulation and PCEN on the host's walk through the CUDA pipeline.
#include <gtest/gtest.h>

#include "tests/features/host_pipeline.h"

namespace serval::features::cuda {
namespace {

FeatureSettings small(FeatureType type) {
  FeatureSettings s;
  s.window_samples = 50;
  s.hop_samples = 40;
  s.n_fft = 64;
  s.n_mels = 5;
  apply_type(s, type);
  s.window_samples = 50;
  s.f0_min_hz = 400;
  s.f0_max_hz = 2000;
  return s;
}

TEST(VoiceKernels, Yin) {
  FeatureSettings s = small(FeatureType::kF0);
  s.f0_method = F0Method::kYin;
  for (const Unvoiced unvoiced : {Unvoiced::kZero, Unvoiced::kInterpolate, Unvoiced::kGuess}) {
    s.unvoiced = unvoiced;
    compare(s, {300, 1, 160});
  }
}

TEST(VoiceKernels, Pyin) {
  FeatureSettings s = small(FeatureType::kF0);
  s.n_thresholds = 20;
  s.resolution_semitones = 0.5;
  compare(s, {300, 1, 160});
  s.unvoiced = Unvoiced::kGuess;
  s.resolution_semitones = 0.05;  // more states than the block has threads
  s.n_thresholds = 40;            // and more thresholds than the warp has
  compare(s, {120});
}

TEST(VoiceKernels, Hnr) {
  FeatureSettings s = small(FeatureType::kHnr);
  s.hnr_min_hz = 1000;
  compare(s, {300, 1, 77});
  s.padding = Padding::kNone;
  s.hnr_silence = 0.5;
  compare(s, {300, 75});
}

// Frames so long that fewer than usual, or one alone, fit into a block's shared memory.
TEST(VoiceKernels, LongFrames) {
  EXPECT_EQ(frames_a_block(4096), 4);
  EXPECT_EQ(frames_a_block(4097), 2);
  EXPECT_EQ(frames_a_block(8193), 1);
  EXPECT_EQ(frames_a_block(100000), 1);
  FeatureSettings s = small(FeatureType::kHnr);
  s.hop_samples = 800;
  for (const double min_hz : {25.0, 12.0}) {
    s.hnr_min_hz = min_hz;
    compare(s, {6000, 100});
  }
}

TEST(VoiceKernels, TeagerEnergy) {
  FeatureSettings s = small(FeatureType::kTeager);
  for (const TeagerValue value : {TeagerValue::kMean, TeagerValue::kMeanAbs, TeagerValue::kLogMeanAbs}) {
    s.teager = value;
    compare(s, {300, 1, 77});
  }
}

TEST(VoiceKernels, ModulationAndPcen) {
  FeatureSettings s = small(FeatureType::kModulation);
  s.modulation_window_ms = 100;  // 20 frames
  s.modulation_min_hz = 10;
  s.modulation_bands = 3;
  compare(s, {600, 1, 77});
  FeatureSettings pcen = small(FeatureType::kPcen);
  for (const double bias : {2.0, 0.0}) {
    for (const double power : {0.5, 0.0}) {
      pcen.pcen_bias = bias;
      pcen.pcen_power = power;
      compare(pcen, {300, 1, 77});
    }
  }
}

}  // namespace
}  // namespace serval::features::cuda
