// Features of a batch that stays on its device, and the two engines of a GPU against each other.
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/features/extractor.h"

#include "cuda/features/dequantise.cuh"
#include "tests/features/signals.h"
#include "tests/support/devices.h"
#include "tests/support/expect_close.h"

namespace serval::features {
namespace {

using ::testing::HasSubstr;
using testing_support::DeviceTest;
using testing_support::expect_close;

constexpr int kRateHz = 16000;

FeatureSettings both_parts() {
  FeatureSettings s;
  s.type = FeatureType::kStack;
  s.parts.resize(2);
  s.parts[1].type = FeatureType::kMfcc;
  s.parts[1].n_mfcc = 13;
  for (PartSettings& part : s.parts) {
    part.n_mels = 40;
    part.deltas = 2;
    part.top_db = 60;
  }
  return s;
}

// Codes of clips of many lengths, the last one longer than what one block of a GPU works on.
struct Clips {
  Clips() {
    for (const int samples : {3999, 1, 16000, 160, 31337, 120, 30 * kRateHz}) {
      const audio::Waveform clip = test_clip(samples, kRateHz, codes.size() + 1);
      codes.emplace_back();
      for (const float sample : clip.samples)
        codes.back().push_back(static_cast<std::int16_t>(sample * 32768));
      scales.push_back(codes.size() % 2 == 0 ? 1.0f / 32768 : 0.25f / 32768);
    }
    for (std::size_t i = 0; i < codes.size(); ++i) coded.push_back({codes[i], scales[i]});
  }
  std::vector<audio::Waveform> waveforms() const {
    std::vector<audio::Waveform> out;
    for (const CodedClip& clip : coded) {
      out.emplace_back();
      out.back().sample_rate_hz = kRateHz;
      for (const std::int16_t code : clip.codes)
        out.back().samples.push_back(static_cast<float>(code) * clip.scale);
    }
    return out;
  }

  std::vector<std::vector<std::int16_t>> codes;
  std::vector<float> scales;
  std::vector<CodedClip> coded;
};

std::vector<float> flat(const std::vector<FeatureMatrix>& matrices) {
  std::vector<float> out;
  for (const FeatureMatrix& matrix : matrices)
    out.insert(out.end(), matrix.values.begin(), matrix.values.end());
  return out;
}

class ResidentTest : public DeviceTest {};

TEST_P(ResidentTest, GivesTheBitsOfTheRoadOverTheHost) {
  const Context context(device());
  const Clips clips;
  const DeviceBatch batch(device(), kRateHz, clips.coded);
  FeatureSettings statistics = both_parts();
  for (PartSettings& part : statistics.parts) part.statistics = {"mean", "std"};
  for (const FeatureSettings& settings : {both_parts(), statistics}) {
    for (const FeatureEngine engine : {FeatureEngine::kBest, FeatureEngine::kGeneral}) {
      Extractor extractor(settings, kRateHz, context, engine);
      const std::vector<FeatureMatrix> matrices = extractor.run(clips.waveforms());
      ResidentFeatures resident = extractor.run_resident(batch);
      context.synchronize();
      std::int64_t row = 0;
      for (std::size_t i = 0; i < matrices.size(); ++i) {
        EXPECT_EQ(resident.first_row[i], row);
        row += matrices[i].frames;
      }
      EXPECT_EQ(resident.first_row.back(), row);
      EXPECT_EQ(resident.values.shape(), (Shape{row, extractor.dimension()}));
      EXPECT_TRUE(resident.values.device() == device());
      const std::vector<float> values = resident.values.to_host();
      EXPECT_EQ(values, flat(matrices));
      // Once more into the same memory, and another batch in between.
      const float* const memory = resident.values.data();
      const DeviceBatch other(device(), kRateHz, std::span(clips.coded).first(3));
      extractor.run_resident(other);
      extractor.run_resident(batch, resident);
      context.synchronize();
      EXPECT_EQ(resident.values.data(), memory);
      EXPECT_EQ(resident.values.to_host(), values);
    }
  }
}

TEST_P(ResidentTest, MatchesTheCpu) {
  const Context context(device());
  const Context cpu;
  const Clips clips;
  for (const int n_fft : {256, 512, 1024, 2048, 600}) {
    SCOPED_TRACE(cat("n_fft ", n_fft));
    FeatureSettings settings = both_parts();
    for (PartSettings& part : settings.parts) {
      part.n_fft = n_fft;
      part.window_samples = n_fft * 3 / 4;
      part.hop_samples = n_fft / 3;
    }
    const std::vector<float> expected = flat(Extractor(settings, kRateHz, cpu).run(clips.waveforms()));
    Extractor extractor(settings, kRateHz, context);
    const ResidentFeatures resident = extractor.run_resident(DeviceBatch(device(), kRateHz, clips.coded));
    context.synchronize();
    expect_close(resident.values.to_host(), expected, 1e-3, 0, resident.values.shape());
    const bool fused = context.on_cuda() && n_fft != 600;
    EXPECT_EQ(extractor.engine(), fused ? FeatureEngine::kFused : FeatureEngine::kGeneral);
  }
}

template <class Error, class Action>
std::string message(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_P(ResidentTest, RefusesWhatDoesNotFit) {
  const Context context(device());
  const std::vector<std::int16_t> codes(100);
  const std::vector<CodedClip> clips{{codes, 1}, {codes, 1}};
  FeatureSettings settings = both_parts();
  for (PartSettings& part : settings.parts) part.padding = Padding::kNone;
  Extractor extractor(settings, kRateHz, context);
  EXPECT_EQ(message<DataError>([&] { extractor.run_resident(DeviceBatch(device(), 8000, clips)); }),
            "features: the batch is sampled at 8000 Hz; expected 16000 Hz");
  EXPECT_THAT(message<DataError>([&] { extractor.run_resident(DeviceBatch(device(), kRateHz, clips)); }),
              HasSubstr("features: clip 0 has 100 samples; its shortest frame needs "));
  const DeviceBatch none(device(), kRateHz, {});
  EXPECT_EQ(extractor.run_resident(none).first_row, std::vector<std::int64_t>{0});
}

SERVAL_DEVICE_TESTS(ResidentTest);

TEST(DeviceBatch, KeepsClipsAtEvenPlaces) {
  const std::vector<std::int16_t> codes{1, -2, 3, 4, 5};
  const std::vector<CodedClip> clips{{std::span(codes).first(3), 0.5f}, {std::span(codes).last(2), 2.0f}};
  const DeviceBatch batch(Device{}, 8000, clips);
  EXPECT_EQ(batch.first(), (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(batch.samples(), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(std::vector<std::int16_t>(batch.codes(), batch.codes() + 6),
            (std::vector<std::int16_t>{1, -2, 3, 0, 4, 5}));
  EXPECT_NE(batch.serial(), DeviceBatch(Device{}, 8000, clips).serial());
}

TEST(DeviceBatch, RefusesClipsThatHoldNothing) {
  const std::vector<std::int16_t> codes{1};
  EXPECT_EQ(message<DataError>([&] {
              DeviceBatch(Device{}, 8000, std::vector<CodedClip>{{codes, 1}, {{}, 1}});
            }),
            "features: clip 1 has no samples");
  for (const float scale : {0.0f, -1.0f, NAN, INFINITY}) {
    EXPECT_THAT(message<DataError>([&] {
                  DeviceBatch(Device{}, 8000, std::vector<CodedClip>{{codes, scale}});
                }),
                HasSubstr("features: clip 0 has a scale of "));
  }
}

TEST(FeatureEngine, TheCpuHasNoFusedOne) {
  const Context context;
  EXPECT_EQ(
      message<UnsupportedError>([&] { Extractor(both_parts(), kRateHz, context, FeatureEngine::kFused); }),
      "features: the fused engine is not on device cpu");
  EXPECT_EQ(Extractor(both_parts(), kRateHz, context).engine(), FeatureEngine::kGeneral);
}

TEST(DequantiseKernel, PutsEveryClipAtItsPlace) {
  const std::vector<std::int16_t> codes{9, 1, 2, 3, -4, 5, 9};
  const std::vector<cuda::CodeSpan> from{{1, 0.5f}, {4, 2.0f}};
  const std::vector<cuda::ClipSpan> to{{3, 3}, {0, 2}};
  std::vector<float> samples(7, -1);
  cuda::launch_dequantise(codes.data(), from.data(), to.data(), 2, samples.data(), nullptr);
  EXPECT_EQ(samples, (std::vector<float>{-8, 10, -1, 0.5f, 1, 1.5f, -1}));
}

}  // namespace
}  // namespace serval::features
