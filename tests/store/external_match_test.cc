// Which item of a file belongs to which recording.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/store/external.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::store {
namespace {

using corpus::message_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<ExternalRecording> kTwo = {{"ravdess/03-01", "/data/ravdess/Actor_01/03-01.flac"},
                                             {"ravdess/03-02", "/data/ravdess/Actor_02/03-02.flac"}};
// One stem in two corpora, and in two folders of the same name.
const std::vector<ExternalRecording> kTwins = {{"ravdess/a", "/data/ravdess/angry/a.wav"},
                                               {"tess/a", "/data/tess/angry/a.wav"}};

std::vector<std::size_t> match(const std::vector<std::string>& names,
                               const std::vector<ExternalRecording>& recordings = kTwo) {
  return match_names(names, recordings, "w2v.h5");
}
std::string error_of(const std::vector<std::string>& names,
                     const std::vector<ExternalRecording>& recordings = kTwo) {
  return message_of<DataError>([&] { match(names, recordings); });
}

TEST(ExternalMatchTest, EveryWayOfNaming) {
  const std::vector<std::vector<std::string>> ways = {
      {"ravdess/03-02", "ravdess/03-01"},         // ids
      {"03-02", "03-01"},                         // file names without their ending,
      {"03-02.flac", "03-01.flac"},               // with it,
      {"03-02.wav", "03-01.wav"},                 // and with that of another copy
      {"Actor_02/03-02.flac", "Actor_01/03-01"},  // relative paths
      {"./ravdess/Actor_02/03-02.wav", "ravdess/Actor_01/03-01.wav"},
      {"ravdess\\Actor_02\\03-02.wav", "ravdess\\Actor_01\\03-01.wav"},
      {"/data/ravdess/Actor_02/03-02.flac", "/data/ravdess/Actor_01/03-01.flac"},    // the files themselves
      {"/home/me/speech/Actor_02/03-02.wav", "/home/me/speech/Actor_01/03-01.wav"},  // another machine's
      {"C:\\speech\\03-02.wav", "C:\\speech\\03-01.wav"}};
  for (const auto& names : ways) EXPECT_THAT(match(names), ElementsAre(1, 0)) << names[0];
}

TEST(ExternalMatchTest, OtherItemsAreLeftAlone) {
  EXPECT_THAT(match({"03-03", "03-01", "x/03-01/y", "03-02", ""}), ElementsAre(1, 3));
}

TEST(ExternalMatchTest, AnIdSaysWhichTwinIsMeant) {
  EXPECT_THAT(match({"tess/a", "ravdess/a"}, kTwins), ElementsAre(1, 0));
  EXPECT_THAT(match({"tess/angry/a.wav", "ravdess/angry/a.wav"}, kTwins), ElementsAre(1, 0));
  EXPECT_THAT(match({"/other/tess/angry/a.wav", "/other/ravdess/angry/a.wav"}, kTwins), ElementsAre(1, 0));
}

TEST(ExternalMatchTest, AmbiguousNamesAreErrorsThatNameBoth) {
  for (const char* name : {"a", "a.wav", "angry/a.wav"}) {
    EXPECT_THAT(error_of({name}, kTwins),
                AllOf(HasSubstr("w2v.h5: "), HasSubstr(cat('"', name, "\" fits ravdess/a and tess/a"))));
  }
}

TEST(ExternalMatchTest, TwoItemsOfOneRecording) {
  EXPECT_THAT(error_of({"03-01.wav", "03-02", "ravdess/03-01"}),
              HasSubstr("ravdess/03-01 is there twice, as \"03-01.wav\" and \"ravdess/03-01\""));
}

TEST(ExternalMatchTest, AnotherFolderIsAnotherRecording) {
  // The file name alone would fit, but the folder says that it is someone else.
  EXPECT_THAT(error_of({"Actor_02/03-01", "Actor_01/03-02"}), HasSubstr("none of the 2 recordings"));
}

TEST(ExternalMatchTest, ANumberBehindADotIsPartOfTheName) {
  const std::vector<ExternalRecording> dotted = {{"d/clip.1", "/d/clip.1.wav"},
                                                 {"d/clip.2", "/d/clip.2.wav"}};
  EXPECT_THAT(match({"clip.2", "clip.1.mp3"}, dotted), ElementsAre(1, 0));
  EXPECT_THAT(error_of({"clip"}, dotted), HasSubstr("none of the 2"));
}

TEST(ExternalMatchTest, MissingRecordingsAreListed) {
  std::vector<ExternalRecording> many;
  for (int i = 10; i < 40; ++i) many.push_back({cat("c/", i), cat("/c/", i, ".wav")});
  const std::string message = error_of({"13", "27", "stray"}, many);
  EXPECT_THAT(message,
              AllOf(HasSubstr("w2v.h5: has features of only 2 of the 30 recordings; missing:\n  c/10\n"),
                    HasSubstr("c/20\n  and 18 more"), HasSubstr("3 items are named like \"13\""),
                    Not(HasSubstr("c/13")), Not(HasSubstr("c/21"))));
  EXPECT_THAT(error_of({}, many), HasSubstr("none of the 30 recordings"));
}

}  // namespace
}  // namespace serval::store
