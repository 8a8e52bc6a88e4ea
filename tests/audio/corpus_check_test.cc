#include "serval/audio/corpus_check.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/decode.h"
#include "serval/core/parallel.h"

#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<std::string> paths_of(const CorpusReport& report, FindingKind kind) {
  std::vector<std::string> paths;
  for (const Finding& finding : report.findings) {
    if (finding.kind == kind) paths.push_back(finding.path);
  }
  return paths;
}

std::string detail_of(const CorpusReport& report, FindingKind kind) {
  for (const Finding& finding : report.findings) {
    if (finding.kind == kind) return finding.detail;
  }
  return "";
}

class CorpusCheckTest : public corpus::CorpusTest {
 protected:
  // A sound of its own for each name.
  std::string put(const std::string& name, double amplitude = 0.3, int rate_hz = 16000, int format = kWav16) {
    frequency_hz_ += 7;
    return write_sound(folder_ / name, tone(0.5, frequency_hz_, amplitude, rate_hz), rate_hz, format);
  }
  CorpusReport only() {
    const CheckReport report = check_corpora(folder_.str(), 2);
    EXPECT_EQ(report.corpora.size(), 1u);
    return report.corpora.at(0);
  }
  double frequency_hz_ = 200;
};

TEST_F(CorpusCheckTest, NamesEveryKindOfOddity) {
  put("03-01-01-01-01-01-01.wav");
  put("03-01-02-01-01-01-01.wav", 0.3, 16000, SF_FORMAT_AIFF | SF_FORMAT_PCM_16);
  put("03-01-02-01-01-02-01.wav", 0.3, 48000);
  put("03-01-02-01-02-01-01.wav", 0.0005);
  put("03-01-02-01-02-02-01.wav", 0.01);
  put("03-01-02-02-01-01-01.wav", 1.1);
  write_sound(folder_ / "03-01-02-02-01-02-01.wav", tone(0.1));
  std::vector<float> two = tone(1);
  write_sound(folder_ / "03-01-03-01-01-01-01.wav", two, 16000, kWav16, 2);
  write_sound(folder_ / "03-01-03-01-01-02-01.wav", std::vector<float>(9000, 0.0f));
  folder_.write("03-01-04-01-01-01-01.wav", "text");
  const std::string whole = bytes_of(folder_ / "03-01-01-01-01-01-01.wav");
  folder_.write("03-01-04-01-01-02-01.wav", whole.substr(0, 9000));
  folder_.write("03-01-04-01-02-01-01.wav", whole);  // another name, the same sound
  folder_.write("copy/03-01-01-01-01-01-01.wav", whole);
  folder_.write("03-01-04-01-02-02-01.wav", whole + "_PMX" + le32(4) + "xxxx");
  put("03-01-09-01-01-01-01.wav");
  put("03-02-01-01-01-01-01.wav");
  put("stray name.wav");
  folder_.write("notes.txt", "not sound");

  const CheckReport all = check_corpora(folder_.str(), 2);
  // The folder `copy` repeats a name, so it is a report of its own.
  ASSERT_EQ(all.corpora.size(), 2u);
  EXPECT_THAT(all.corpora[1].folders, ElementsAre("copy"));
  const CorpusReport& report = all.corpora[0];
  EXPECT_FALSE(all.clean());
  EXPECT_EQ(report.corpus, "ravdess");
  EXPECT_EQ(report.found, 13);
  EXPECT_EQ(report.expected, 1440);
  EXPECT_EQ(report.rate_hz, 16000);
  EXPECT_THAT(report.actors, ElementsAre("ravdess/01"));
  EXPECT_EQ(report.absent_actors.size(), 23u);
  const auto named = [&report](FindingKind kind) { return paths_of(report, kind); };
  EXPECT_THAT(named(FindingKind::kWrongContainer), ElementsAre("03-01-02-01-01-01-01.wav"));
  EXPECT_THAT(named(FindingKind::kUnusualRate), ElementsAre("03-01-02-01-01-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kSilent),
              ElementsAre("03-01-02-01-02-01-01.wav", "03-01-03-01-01-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kQuiet), ElementsAre("03-01-02-01-02-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kFullScale), ElementsAre("03-01-02-02-01-01-01.wav"));
  EXPECT_THAT(named(FindingKind::kTooShort), ElementsAre("03-01-02-02-01-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kNotMono), ElementsAre("03-01-03-01-01-01-01.wav"));
  EXPECT_THAT(named(FindingKind::kUnreadable), ElementsAre("03-01-04-01-01-01-01.wav"));
  EXPECT_THAT(named(FindingKind::kTruncated), ElementsAre("03-01-04-01-01-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kDuplicate),
              ElementsAre("03-01-04-01-02-01-01.wav", "03-01-04-01-02-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kExtraChunks), ElementsAre("03-01-04-01-02-02-01.wav"));
  EXPECT_THAT(named(FindingKind::kUnknownLabel), ElementsAre("03-01-09-01-01-01-01.wav"));
  EXPECT_THAT(named(FindingKind::kIgnored), ElementsAre("03-02-01-01-01-01-01.wav"));
  EXPECT_THAT(named(FindingKind::kStray), ElementsAre("stray name.wav"));
  EXPECT_EQ(detail_of(report, FindingKind::kWrongContainer), "AIFF inside");
  EXPECT_EQ(detail_of(report, FindingKind::kDuplicate), "same sound as 03-01-01-01-01-01-01.wav");
  EXPECT_EQ(detail_of(report, FindingKind::kExtraChunks), "_PMX");
  EXPECT_EQ(detail_of(report, FindingKind::kUnusualRate), "48000 Hz");
  // A reason does not repeat the path that stands before it.
  EXPECT_THAT(detail_of(report, FindingKind::kUnreadable), ::testing::StartsWith("is not a recording"));
}

TEST_F(CorpusCheckTest, NamesOddNamesAndRemarks) {
  put("OA_bite_neutral.wav");
  put("YAF_germ_angry.wav");
  put("crema/1040_ITH_SAD_X.wav");
  put("crema/1006_TIE_HAP_XX.wav");
  const CheckReport report = check_corpora(folder_.str(), 1);
  ASSERT_EQ(report.corpora.size(), 2u);
  EXPECT_EQ(report.corpora[0].corpus, "crema_d");
  EXPECT_THAT(paths_of(report.corpora[0], FindingKind::kOddName), ElementsAre("crema/1040_ITH_SAD_X.wav"));
  EXPECT_THAT(paths_of(report.corpora[0], FindingKind::kRemark), ElementsAre("crema/1006_TIE_HAP_XX.wav"));
  EXPECT_THAT(paths_of(report.corpora[1], FindingKind::kOddName), ElementsAre("OA_bite_neutral.wav"));
  EXPECT_THAT(paths_of(report.corpora[1], FindingKind::kRemark), ElementsAre("YAF_germ_angry.wav"));
  EXPECT_TRUE(report.clean());
}

TEST_F(CorpusCheckTest, FoldersOfOneCorpusAreOneReportUnlessTheyShareNames) {
  put("Actor_01/03-01-01-01-01-01-01.wav");
  put("Actor_02/03-01-01-01-01-01-02.wav");
  put("other make/03-01-01-01-01-01-01.wav");
  const CheckReport report = check_corpora(folder_.str(), 2);
  ASSERT_EQ(report.corpora.size(), 2u);
  EXPECT_THAT(report.corpora[0].folders, ElementsAre("Actor_01", "Actor_02"));
  EXPECT_EQ(report.corpora[0].found, 2);
  EXPECT_THAT(report.corpora[1].folders, ElementsAre("other make"));
}

TEST_F(CorpusCheckTest, CountsCopiesInsideOneFolder) {
  const std::string path = put("tess/a/OAF_back_fear.wav");
  folder_.write("tess/b/OAF_back_fear.wav", bytes_of(path));
  const CorpusReport report = only();
  EXPECT_EQ(report.found, 1);
  EXPECT_THAT(paths_of(report, FindingKind::kCopy), ElementsAre("tess/b/OAF_back_fear.wav"));
}

TEST_F(CorpusCheckTest, AFileOfTheSameNameThatCannotBeReadIsAFinding) {
  put("tess/a/OAF_back_fear.wav");
  std::filesystem::create_directories(folder_ / "tess/b");
  // Opens for everybody, root too, and fails at the first read.
  std::filesystem::create_symlink("/proc/self/mem", folder_ / "tess/b/OAF_back_fear.wav");
  const CorpusReport report = only();
  EXPECT_EQ(report.found, 1);
  EXPECT_THAT(paths_of(report, FindingKind::kUnreadable), ElementsAre("tess/b/OAF_back_fear.wav"));
  EXPECT_THAT(paths_of(report, FindingKind::kDuplicate), ::testing::IsEmpty());
}

TEST_F(CorpusCheckTest, NamesTakesThatOneActorLacks) {
  for (const char* actor : {"DC", "JE", "JK"}) {
    for (const char* take : {"a04", "sa05"}) {
      if (std::string(actor) == "JE" && std::string(take) == "sa05") continue;
      put(cat(actor, "_", take, ".wav"));
    }
  }
  const CorpusReport report = only();
  EXPECT_THAT(report.missing, ElementsAre("savee/JE: label sa, sentence sa05"));
  EXPECT_THAT(report.absent_actors, ElementsAre("KL"));
}

TEST_F(CorpusCheckTest, ASyntheticFolderIsNeverTakenForTheRealCorpus) {
  put("demo/03-01-01-01-01-01-01.wav");
  folder_.write("demo/README.txt", "SYNTHETIC SPEECH.\n");
  put("real/03-01-01-01-01-01-01.wav");
  const CheckReport report = check_corpora(folder_.str(), 1);
  ASSERT_EQ(report.corpora.size(), 2u);
  EXPECT_EQ(report.corpora[0].corpus, "demo");
  EXPECT_TRUE(report.corpora[0].synthetic);
  EXPECT_THAT(report.corpora[0].folders, ElementsAre("demo"));
  EXPECT_EQ(report.corpora[1].corpus, "ravdess");
  EXPECT_THAT(check_text(report), HasSubstr("demo (SYNTHETIC) in demo"));
}

TEST_F(CorpusCheckTest, RefusesFoldersWithoutACorpus) {
  EXPECT_THAT(message_of<ConfigError>([&] { check_corpora(folder_ / "absent", 1); }),
              HasSubstr("no such folder"));
  EXPECT_THAT(message_of<DataError>([&] { check_corpora(folder_.str(), 1); }), HasSubstr("among 0 files"));
  put("just a name.wav");
  EXPECT_THAT(message_of<DataError>([&] { check_corpora(folder_.str(), 1); }), HasSubstr("among 1 files"));
}

TEST_F(CorpusCheckTest, PrintsAsTextAndAsJson) {
  for (int i = 1; i <= 9; ++i) put(cat("03-01-01-01-01-01-0", i, ".wav"), 1.1);
  put("03-01-01-01-01-01-10.wav");
  put("else/what is this.wav");
  const CheckReport report = check_corpora(folder_.str(), 2);
  const std::string text = check_text(report);
  EXPECT_THAT(text, HasSubstr("10 of 1440 recordings, 10 of 24 actors"));
  EXPECT_THAT(text, HasSubstr("full_scale: 9\n"));
  EXPECT_THAT(text, HasSubstr("and 3 more"));
  EXPECT_THAT(text, HasSubstr("of no known corpus: 1\n      else/what is this.wav"));
  const JsonValue json = parse_json(write_json(check_json(report)), "report");
  const JsonValue& corpus = json.find("corpora")->items.at(0);
  EXPECT_EQ(corpus.find("found")->integer, 10);
  EXPECT_EQ(corpus.find("counts")->find("full_scale")->integer, 9);
  EXPECT_EQ(corpus.find("findings")->items.size(), 9u);
  EXPECT_FALSE(json.find("clean")->boolean);
}

// With recordings of people at hand: every quirk that the official releases are known for is named.
TEST(RealRecordingsTest, CheckNamesTheQuirksOfTheOfficialReleases) {
  const char* root = std::getenv("SERVAL_CORPORA");
  if (root == nullptr || !std::filesystem::is_directory(std::filesystem::path(root) / "originals")) {
    std::cout << "1 test on real recordings did not run: SERVAL_CORPORA names no folder with originals/\n";
    return;
  }
  ::setenv("SERVAL_DATA", SERVAL_SOURCE_DIR "/data", 1);
  const CheckReport report = check_corpora(std::string(root) + "/originals", hardware_threads());
  ::unsetenv("SERVAL_DATA");
  std::cout << check_text(report);
  ASSERT_EQ(report.corpora.size(), 4u);
  EXPECT_TRUE(report.clean());
  const auto of = [&report](const std::string& name) {
    return *std::find_if(report.corpora.begin(), report.corpora.end(),
                         [&](const CorpusReport& corpus) { return corpus.corpus == name; });
  };
  const CorpusReport tess = of("tess");
  EXPECT_THAT(paths_of(tess, FindingKind::kWrongContainer),
              ElementsAre("YAF_germ_angry.wav", "YAF_neat_fear.wav"));
  EXPECT_THAT(paths_of(tess, FindingKind::kUnusualRate), ElementsAre("OAF_food_fear.wav"));
  EXPECT_THAT(paths_of(tess, FindingKind::kOddName), ElementsAre("OA_bite_neutral.wav"));
  const CorpusReport ravdess = of("ravdess");
  EXPECT_THAT(paths_of(ravdess, FindingKind::kDuplicate), ElementsAre("03-01-03-01-02-02-07.wav"));
  EXPECT_EQ(paths_of(ravdess, FindingKind::kExtraChunks).size(), 6u);
  EXPECT_THAT(paths_of(ravdess, FindingKind::kNotMono),
              UnorderedElementsAre("03-01-02-01-01-02-01.wav", "03-01-02-01-02-02-05.wav",
                                   "03-01-03-01-02-01-20.wav"));
  EXPECT_EQ(of("crema_d").found, 10);
  EXPECT_EQ(of("savee").found, 3);
}

}  // namespace
}  // namespace serval::audio
