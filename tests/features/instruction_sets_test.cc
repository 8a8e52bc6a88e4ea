// Every instruction set gives the same bits, so a result does not depend on the processor's age.
#include <vector>

#include <gtest/gtest.h>

#include "src/features/clip.h"
#include "tests/features/signals.h"

namespace serval::features::detail {
namespace {

TEST(InstructionSets, GiveTheSameBits) {
  FeatureSettings settings;
  settings.type = FeatureType::kMfcc;
  settings.n_mfcc = 13;
  settings.deltas = 2;
  for (const int n_fft : {512, 400, 882}) {
    for (const int power : {1, 2}) {
      settings.n_fft = n_fft;
      settings.power = power;
      const ExtractionPlan plan(settings, 16000);
      const audio::Waveform clip = test_clip(9000, 16000, 3);
      const std::int64_t frames = plan.frames(9000);
      std::vector<float> first;
      for (const InstructionSet set : instruction_sets()) {
        std::vector<float> out(static_cast<std::size_t>(frames * plan.dimension));
        ClipWorker(plan, set).run(clip.samples, out.data());
        if (first.empty()) first = out;
        EXPECT_EQ(out, first) << "set " << static_cast<int>(set) << ", n_fft " << n_fft;
      }
    }
  }
}

}  // namespace
}  // namespace serval::features::detail
