#include "serval/experiment/corpus_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/audio/sound_files.h"
#include "tests/corpus/corpus_fixtures.h"

namespace serval::experiment {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// numpy.quantile([1, 2, 3, 4, 10], [0.05, 0.25, 0.5, 0.75, 0.95]) = [1.2, 2, 3, 4, 8.8]
TEST(CorpusStats, QuantilesInterpolateAsNumpysDo) {
  const Distribution d = distribution({10, 1, 3, 2, 4});
  EXPECT_EQ(d.count, 5);
  EXPECT_DOUBLE_EQ(d.mean, 4);
  EXPECT_EQ(d.least, 1);
  EXPECT_DOUBLE_EQ(d.p5, 1.2);
  EXPECT_EQ(d.p25, 2);
  EXPECT_EQ(d.median, 3);
  EXPECT_EQ(d.p75, 4);
  EXPECT_DOUBLE_EQ(d.p95, 8.8);
  EXPECT_EQ(d.most, 10);
}

TEST(CorpusStats, EveryValueLiesInOneBin) {
  const Distribution d = distribution({0, 0.5, 1, 19.5, 39});
  EXPECT_EQ(d.width, 1);
  EXPECT_EQ(d.first_edge, 0);
  ASSERT_EQ(d.bins.size(), 39u);  // the largest on its edge lies in the bin below
  EXPECT_EQ(d.bins[0], 2);
  EXPECT_EQ(d.bins[1], 1);
  EXPECT_EQ(d.bins[19], 1);
  EXPECT_EQ(d.bins[38], 1);
  EXPECT_THAT(distribution({2.5, 2.5}).bins, ElementsAre(2));
  EXPECT_THAT(distribution({}).bins, IsEmpty());
}

TEST(CorpusStats, CountsDurationsAndLevelsOfASmallCorpus) {
  const corpus::TempFolder folder;
  const auto recording = [&](const char* id, const char* actor, const char* label,
                             std::vector<float> samples) {
    corpus::Recording out;
    out.id = id;
    out.path = folder / id + std::string(".wav");
    out.corpus = "own";
    out.actor = actor;
    out.label = label;
    audio::write_sound(out.path, samples, 8000);
    return out;
  };
  std::vector<corpus::Recording> all = {
      recording("a", "own/1", "angry", std::vector<float>(8000, 0.5f)),
      recording("b", "own/1", "sad", std::vector<float>(16000, 0.25f)),
      recording("c", "own/2", "sad", std::vector<float>(24000, 0.0f)),
  };
  corpus::Recording bad = all[0];
  bad.id = "d";
  bad.path = folder.write("d.wav", "no sound");
  all.push_back(bad);

  const CorpusStats stats = corpus_stats(all, 2);
  EXPECT_EQ(stats.all.recordings, 3);
  EXPECT_EQ(stats.all.actors, 2);
  EXPECT_DOUBLE_EQ(stats.all.duration_s.mean, 2);
  EXPECT_EQ(stats.all.rms_db.count, 2);  // silence has no level
  EXPECT_NEAR(stats.all.rms_db.most, -6.02, 0.01);
  EXPECT_NEAR(stats.all.peak_db.least, -12.04, 0.01);
  ASSERT_EQ(stats.classes.size(), 2u);
  EXPECT_EQ(stats.classes[1].name, "sad");
  EXPECT_EQ(stats.classes[1].recordings, 2);
  EXPECT_EQ(stats.classes[1].actors, 2);
  EXPECT_DOUBLE_EQ(stats.classes[1].duration_s.median, 2.5);
  EXPECT_THAT(stats.silent, ElementsAre("c"));
  EXPECT_THAT(stats.unreadable, ElementsAre(HasSubstr("d.wav")));
  EXPECT_THAT(corpus_stats_text(stats),
              HasSubstr("3 recordings of 2 actors, 0.00 h, and 1 that cannot be read, 1 silent"));
}

}  // namespace
}  // namespace serval::experiment
