// Every instruction set gives the same bits, so a result does not depend on the processor's age.
#include <vector>

#include <gtest/gtest.h>

#include "src/features/clip.h"
#include "tests/features/signals.h"

namespace serval::features::detail {
namespace {

void expect_same_bits(const FeatureSettings& settings, std::int64_t samples) {
  const ExtractionPlan plan(settings, 16000);
  const audio::Waveform clip = test_clip(samples, 16000, 3);
  const std::int64_t frames = plan.frames(samples);
  std::vector<float> first;
  for (const InstructionSet set : instruction_sets()) {
    std::vector<float> out(static_cast<std::size_t>(frames * plan.dimension));
    ClipWorker(plan, set).run(clip.samples, out.data());
    if (first.empty()) first = out;
    EXPECT_EQ(out, first) << "set " << static_cast<int>(set) << ", n_fft " << settings.n_fft << ", "
                          << samples << " samples";
  }
}

TEST(InstructionSets, GiveTheSameBits) {
  FeatureSettings settings;
  settings.type = FeatureType::kMfcc;
  settings.n_mfcc = 13;
  settings.deltas = 2;
  for (const int n_fft : {512, 400, 882}) {
    for (const int power : {1, 2}) {
      settings.n_fft = n_fft;
      settings.power = power;
      expect_same_bits(settings, 9000);
    }
  }
}

// Windows, bands and columns that no vector's length divides; frames that fill no vector; samples that are
// shaped before the transform; deltas of deltas.
TEST(InstructionSets, GiveTheSameBitsForOddSizes) {
  FeatureSettings settings;
  apply_preset(settings, Preset::kKaldi);
  settings.window_samples = 411;
  settings.n_mels = 41;
  settings.deltas = 2;
  for (const std::int64_t samples : {411, 1500, 3000, 9999}) expect_same_bits(settings, samples);
  settings.delta_method = DeltaMethod::kSavgolRepeated;
  settings.delta_width = 9;
  for (const std::int64_t samples : {411, 1500, 3000, 9999}) expect_same_bits(settings, samples);
}

}  // namespace
}  // namespace serval::features::detail
