// The fused feature kernel, run on the host, against the CPU's extractor and against the definition in double.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "serval/features/extractor.h"

#include "tests/features/fused_fixture.h"
#include "tests/features/naive_features.h"
#include "tests/features/signals.h"
#include "tests/support/expect_close.h"

namespace serval::features::cuda {
namespace {

using testing_support::expect_close;

constexpr int kRateHz = 16000;

CodedClip coded(int samples, std::uint64_t seed, float scale = 1.0f / 32768) {
  return coded_clip(samples, kRateHz, seed, scale);
}

FeatureSettings settings_for(int n_fft) {
  FeatureSettings s;
  s.window_samples = n_fft * 25 / 32 + 1;  // odd, so that it does not lie evenly
  s.hop_samples = n_fft * 10 / 32;
  s.n_fft = n_fft;
  s.n_mels = n_fft / 16 + 3;
  return s;
}

// Against the extractor everywhere; against the definition where a clip is short enough for it.
void compare(const FeatureSettings& settings, const std::vector<CodedClip>& clips, const FusedRun& run) {
  const detail::ExtractionPlan plan(settings, kRateHz);
  const std::vector<std::int64_t> frames = frames_of(plan, clips);
  const std::vector<std::vector<float>> out = run_fused(spec_of(plan), frames, clips, run);
  const Context context;
  Extractor extractor(settings, kRateHz, context);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    SCOPED_TRACE(cat("clip ", i));
    const std::vector<audio::Waveform> one{clips[i].waveform(kRateHz)};
    const Shape shape{frames[i], plan.dimension};
    expect_close(out[i], extractor.run(one)[0].values, 1e-3, 0, shape);
    if (frames[i] > 40) continue;
    std::vector<float> expected;
    for (const std::vector<double>& row : naive::features(one[0].samples, settings, kRateHz)) {
      for (const double value : row) expected.push_back(static_cast<float>(value));
    }
    expect_close(out[i], expected, 1e-3, 1e-6, shape);
  }
}

std::vector<CodedClip> ragged(int n_fft) {
  return {coded(5 * n_fft + 7, 1),
          coded(1, 2),
          coded(n_fft * 3 / 2, 3, 0.25f / 32768),
          coded(2, 4),
          coded(9 * n_fft, 5),
          coded(n_fft / 3, 6, 4.0f / 32768)};
}

class FusedSizes : public ::testing::TestWithParam<int> {};

TEST_P(FusedSizes, LogMel) {
  FeatureSettings s = settings_for(GetParam());
  s.top_db = 60;
  compare(s, ragged(GetParam()), {});
}

TEST_P(FusedSizes, CepstrumWithDeltas) {
  FeatureSettings s = settings_for(GetParam());
  s.type = FeatureType::kMfcc;
  s.top_db = 60;
  s.n_mfcc = 13;
  s.lifter = 22;
  s.deltas = 2;
  compare(s, ragged(GetParam()), {.warps = 3, .blocks = 2});
}

TEST_P(FusedSizes, MagnitudesReflectedNaturalLog) {
  FeatureSettings s = settings_for(GetParam());
  s.power = 1;
  s.padding = Padding::kReflect;
  s.log = LogScale::kNatural;
  s.floor = 1e-4;
  s.deltas = 1;
  compare(s, ragged(GetParam()), {.as_float = true});
}

TEST_P(FusedSizes, NothingAroundTheClip) {
  FeatureSettings s = settings_for(GetParam());
  s.padding = Padding::kNone;
  s.top_db = std::nullopt;
  s.hop_samples = GetParam() / 4 + 1;  // every other frame starts at an odd sample
  const int n = GetParam();
  compare(s, {coded(n, 7), coded(3 * n + 1, 8), coded(2 * n - 1, 9)},
          {.warps = 1, .first_sample = 1, .gap = 2});
}

INSTANTIATE_TEST_SUITE_P(Fused, FusedSizes, ::testing::Values(256, 512, 1024, 2048));

FeatureSettings small() {
  FeatureSettings s = settings_for(256);
  s.n_mels = 21;
  s.top_db = 60;
  return s;
}

TEST(FusedKernel, SilenceFullScaleAndSingleClicks) {
  CodedClip silence, full, click;
  silence.codes.assign(700, 0);
  for (int i = 0; i < 700; ++i)
    full.codes.push_back(i / 8 % 2 == 0 ? std::int16_t{32767} : std::int16_t{-32768});
  click.codes.assign(900, 0);
  click.codes[450] = 1;
  FeatureSettings s = small();
  s.deltas = 2;
  compare(s, {silence, full, click}, {});
  s.type = FeatureType::kMfcc;
  s.n_mfcc = 20;
  compare(s, {silence, full, click}, {});
}

TEST(FusedKernel, EveryNumberOfCoefficients) {
  FeatureSettings s = small();
  s.type = FeatureType::kMfcc;
  s.n_mels = 97;
  for (const int count : {1, 8, 9, 17, 24, 31, 40, 41, 57, 72, 80, 97}) {
    SCOPED_TRACE(cat(count, " coefficients"));
    s.n_mfcc = count;
    compare(s, {coded(1400, 3), coded(90, 4)}, {});
  }
}

TEST(FusedKernel, WideAndNarrowDeltas) {
  FeatureSettings s = small();
  s.hop_samples = 16;
  s.deltas = 2;
  for (const int width : {3, 5, 7, 11, 99}) {
    SCOPED_TRACE(cat("width ", width));
    s.delta_width = width;
    compare(s, {coded(16 * 230, 3), coded(16 * 98, 4), coded(16 * 40, 5), coded(16, 6), coded(1, 7)}, {});
  }
}

TEST(FusedKernel, MoreBandsThanBinsBetweenThem) {
  FeatureSettings s = small();
  s.n_mels = 128;  // some filters are empty
  s.mel_scale = MelScale::kHtk;
  s.mel_norm = MelNorm::kNone;
  s.f_min_hz = 50;
  s.f_max_hz = 7000;
  compare(s, {coded(1000, 3)}, {});
}

// The definition in double of frames without padding, whose window lies at their start, less their mean and
// with pre-emphasis: y[n] = x[n] - c x[n - 1], and y[0] = (1 - c) x[0].
naive::Matrix filtered_log_mel(const std::vector<float>& clip, const FusedSpec& spec) {
  naive::Matrix out;
  const std::size_t length = spec.window.size();
  for (std::size_t start = 0; start + length <= clip.size(); start += static_cast<std::size_t>(spec.hop)) {
    std::vector<double> x(clip.begin() + static_cast<std::ptrdiff_t>(start),
                          clip.begin() + static_cast<std::ptrdiff_t>(start + length));
    double mean = 0;
    for (const double value : x) mean += value / static_cast<double>(length);
    std::vector<double> frame(static_cast<std::size_t>(spec.n_fft), 0.0);
    for (std::size_t n = 0; n < length; ++n) {
      const double before = spec.remove_dc ? x[n > 0 ? n - 1 : 0] - mean : x[n > 0 ? n - 1 : 0];
      const double value = spec.remove_dc ? x[n] - mean : x[n];
      frame[n] =
          (value - static_cast<double>(spec.pre_emphasis) * before) * static_cast<double>(spec.window[n]);
    }
    const std::vector<std::complex<double>> bins = naive::dft(frame);
    std::vector<double> row;
    for (int m = 0; m < spec.n_mels; ++m) {
      const std::size_t at = static_cast<std::size_t>(m);
      double sum = 0;
      for (std::int32_t i = spec.mel_offset[at]; i < spec.mel_offset[at + 1]; ++i) {
        const std::int32_t bin = spec.mel_first_bin[at] + i - spec.mel_offset[at];
        sum += static_cast<double>(spec.mel_weights[static_cast<std::size_t>(i)]) *
               std::norm(bins[static_cast<std::size_t>(bin)]);
      }
      row.push_back(static_cast<double>(spec.log_scale) *
                    std::log(std::max(sum, static_cast<double>(spec.floor))));
    }
    out.push_back(row);
  }
  return out;
}

TEST(FusedKernel, MeanAndPreEmphasisOfEveryFrame) {
  for (const int n_fft : {256, 512, 1024, 2048}) {
    for (const auto& [remove_dc, pre_emphasis] : {std::pair{true, 0.97f}, {true, 0.0f}, {false, 0.97f}}) {
      SCOPED_TRACE(cat("n_fft ", n_fft, ", mean ", remove_dc, ", pre-emphasis ", pre_emphasis));
      FeatureSettings s = settings_for(n_fft);
      s.padding = Padding::kNone;
      s.floor = 1e-6;
      s.top_db = std::nullopt;
      FusedSpec spec = spec_of(detail::ExtractionPlan(s, kRateHz));
      spec.window_offset = 0;
      spec.remove_dc = remove_dc;
      spec.pre_emphasis = pre_emphasis;
      CodedClip clip = coded(4 * n_fft, 3);
      for (std::int16_t& code : clip.codes) code = static_cast<std::int16_t>(code / 2 + 3000);
      std::vector<float> expected;
      const naive::Matrix rows = filtered_log_mel(clip.waveform(kRateHz).samples, spec);
      for (const std::vector<double>& row : rows) expected.insert(expected.end(), row.begin(), row.end());
      const std::vector<std::int64_t> frames{static_cast<std::int64_t>(rows.size())};
      expect_close(run_fused(spec, frames, {clip}, {})[0], expected, 1e-3, 1e-6,
                   Shape{frames[0], spec.n_mels});
    }
  }
}

TEST(FusedKernel, SaysWhatItCannotTake) {
  FeatureSettings s = small();
  s.n_fft = 400;
  EXPECT_EQ(fused_refusal(spec_of(detail::ExtractionPlan(s, kRateHz))),
            "n_fft is 400, not 256, 512, 1024 or 2048");
  s.n_fft = 512;
  s.type = FeatureType::kMfcc;
  s.n_mels = 256;
  s.n_mfcc = 256;
  EXPECT_EQ(fused_refusal(spec_of(detail::ExtractionPlan(s, kRateHz))),
            "tables and columns take 312832 bytes of shared memory, of which a block has 232448");
  FusedSpec nothing = spec_of(detail::ExtractionPlan(small(), kRateHz));
  nothing.log_mel.columns = 0;
  EXPECT_EQ(fused_refusal(nothing), "neither log-mel nor MFCC columns");
}

}  // namespace
}  // namespace serval::features::cuda
