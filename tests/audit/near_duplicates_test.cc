#include "serval/audit/near_duplicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/log.h"
#include "serval/core/philox.h"

namespace serval::audit {
namespace {

// Noise whose level changes in its own way for each seed.
std::vector<float> sound(std::uint64_t seed) {
  const RandomStream random{seed, 0, RandomPurpose::kTest, 0, 0};
  std::vector<float> out(32000);
  float last = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float level = random.uniform(1000000 + i / 2000);
    last = 0.8f * last + 0.2f * (random.uniform(i) - 0.5f);  // most of it in the low band
    out[i] = level * last;
  }
  return out;
}

TEST(NearDuplicates, FindsEachPairOnceWhateverTheThreads) {
  set_quiet(true);
  std::vector<audio::SoundPrint> prints;
  for (std::uint64_t seed = 0; seed < 150; ++seed) prints.push_back(audio::sound_print(sound(seed), 16000));
  std::vector<float> copy = sound(7);
  for (float& sample : copy) sample *= -0.1f;
  copy.insert(copy.begin(), 4000, 0.0f);
  prints.push_back(audio::sound_print(copy, 16000));                       // 150 is 7
  prints.push_back(audio::sound_print(std::vector<float>(16000), 16000));  // 151 and 152 are silent
  prints.push_back(prints.back());
  prints.push_back(audio::sound_print(sound(149), 16000));  // 153 is 149
  const std::vector<NearDuplicate> pairs = find_near_duplicates(prints, 1);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].first, 7);
  EXPECT_EQ(pairs[0].second, 150);
  EXPECT_GT(pairs[0].correlation, 0.9);
  EXPECT_EQ(pairs[1].first, 149);
  EXPECT_EQ(pairs[1].second, 153);
  const std::vector<NearDuplicate> again = find_near_duplicates(prints, 3);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].correlation, pairs[0].correlation);
}

TEST(NearDuplicates, OfNothingAreNone) {
  EXPECT_TRUE(find_near_duplicates({}, 2).empty());
  EXPECT_TRUE(find_near_duplicates({audio::sound_print(sound(1), 16000)}, 2).empty());
}

}  // namespace
}  // namespace serval::audit
