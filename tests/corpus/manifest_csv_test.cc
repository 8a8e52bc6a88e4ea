#include "serval/corpus/manifest_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"
#include "serval/corpus/corpus_use.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::corpus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ManifestCsvTest : public CorpusTest {
 protected:
  std::string error_of(const std::string& content) {
    const std::string path = folder_.write("list.csv", content);
    return message_of<DataError>([&] { read_manifest_csv(path); });
  }
};

TEST_F(ManifestCsvTest, WritesWhatItReads) {
  Recording r;
  r.path = "/data/one, \"two\".wav";
  r.id = "mine/one";
  r.corpus = "mine";
  r.actor = "mine/07";
  r.gender = Gender::kFemale;
  r.label_raw = "A";
  r.label = "angry";
  r.sentence = "mine/01";
  r.intensity = "HI";
  r.repetition = "2";
  r.synthetic = true;
  r.content_hash = "00ff";
  write_manifest_csv({r}, folder_ / "m.csv");
  const std::vector<Recording> back = read_manifest_csv(folder_ / "m.csv");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(manifest_csv(back), manifest_csv({r}));
  EXPECT_EQ(back[0].path, r.path);
  EXPECT_EQ(back[0].gender, Gender::kFemale);
  EXPECT_TRUE(back[0].synthetic);
}

TEST_F(ManifestCsvTest, NeedsThreeColumnsOnly) {
  const std::string path =
      folder_.write("mine.csv", "path,actor,gender,label,sentence\nsub/a.wav,ann,F,happy,s1\n");
  const std::vector<Recording> all = read_manifest_csv(path);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, "mine/a");
  EXPECT_EQ(all[0].actor, "mine/ann");
  EXPECT_EQ(all[0].sentence, "mine/s1");
  EXPECT_EQ(all[0].label_raw, "happy");
  EXPECT_EQ(all[0].path, folder_ / "sub/a.wav");
  EXPECT_EQ(all[0].gender, Gender::kFemale);
  EXPECT_FALSE(all[0].synthetic);
  EXPECT_EQ(read_manifest_csv(path, "/else")[0].path, "/else/sub/a.wav");
}

TEST_F(ManifestCsvTest, BlanksAroundAFieldAreNoPartOfIt) {
  const std::string path =
      folder_.write("mine.csv", "actor,path,label,gender\nann , a.wav, happy,\t F\n\"ann \",b.wav,sad ,f\n");
  const std::vector<Recording> all = read_manifest_csv(path);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].actor, "mine/ann");
  EXPECT_EQ(all[0].path, folder_ / "a.wav");
  EXPECT_EQ(all[0].label, "happy");
  EXPECT_EQ(all[0].gender, Gender::kFemale);
  EXPECT_EQ(all[1].actor, "mine/ann");
  EXPECT_EQ(all[1].label, "sad");
  EXPECT_THAT(error_of("path,actor,label\na.wav, ,sad\n"), HasSubstr("the field actor is empty"));
}

TEST_F(ManifestCsvTest, OnePersonUnderTwoNamesIsRefused) {
  folder_.write_all({"a.wav", "b.wav"});
  for (const char* other : {"Ann", "AN N", "a\tnn"}) {
    const std::string list =
        folder_.write("list.csv", cat("path,actor,label\na.wav,ann,sad\nb.wav,", other, ",happy\n"));
    for (const std::vector<std::string>& chosen : {std::vector<std::string>{}, {"ann"}}) {
      const std::string message = message_of<DataError>([&] { find_recordings({"", list, "", chosen}); });
      EXPECT_THAT(message, HasSubstr(cat("\"list/ann\" and \"list/", other,
                                         "\" differ only in case, blanks or zeros in front")));
      EXPECT_THAT(message, HasSubstr(folder_ / "b.wav"));
    }
  }
}

TEST_F(ManifestCsvTest, ZerosInFrontMakeNoOtherPerson) {
  folder_.write_all({"a.wav", "b.wav"});
  const auto actors = [&](const std::string& one, const std::string& other) {
    const std::string list =
        folder_.write("list.csv", cat("path,actor,label\na.wav,", one, ",sad\nb.wav,", other, ",happy\n"));
    return message_of<DataError>([&] { find_recordings({"", list, "", {}}); });
  };
  EXPECT_THAT(actors("01", "1"), HasSubstr("zeros in front"));
  EXPECT_THAT(actors("f007x", "f7x"), HasSubstr("zeros in front"));
  for (const auto& [one, other] : {std::pair("0", "00x"), {"10", "1"}, {"100", "1000"}, {"1x0", "1x00y"}}) {
    const std::string list =
        folder_.write("list.csv", cat("path,actor,label\na.wav,", one, ",sad\nb.wav,", other, ",happy\n"));
    EXPECT_EQ(find_recordings({"", list, "", {}}).size(), 2u) << one << " and " << other;
  }
}

// One person, clean and with noise; the noisy recording was made of the clean one.
TEST_F(ManifestCsvTest, APersonOfSeveralCorporaIsOne) {
  folder_.write_all({"a.wav", "b.wav"});
  const std::string text =
      "path,corpus,id,actor,label,sentence,derived_from\n"
      "a.wav,clean,clean/a,01,sad,clean/s,\nb.wav,noisy,b,clean/01,sad,clean/s,clean/a\n";
  const std::vector<Recording> all = read_manifest_csv(folder_.write("list.csv", text));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].id, "noisy/b");
  EXPECT_EQ(all[1].actor, all[0].actor);
  EXPECT_EQ(all[1].sentence, "clean/s");
  EXPECT_EQ(all[1].derived_from, "clean/a");
  // As it was written, it reads again.
  EXPECT_EQ(read_manifest_csv(folder_.write("again.csv", manifest_csv(all)))[1].actor, "clean/01");
}

TEST_F(ManifestCsvTest, NamesEveryMistakeWithItsLine) {
  EXPECT_THAT(error_of("path,label\na.wav,sad\n"),
              HasSubstr("list.csv:1: the header lacks the column actor"));
  EXPECT_THAT(error_of("path,actor,label,gendr\n"), HasSubstr("did you mean \"gender\"?"));
  EXPECT_THAT(error_of("path,actor,label\n"), HasSubstr("names no recording"));
  const std::string message =
      error_of("path,actor,label,gender,synthetic\na.wav,,sad,woman,no\nb.wav,x,,,\na.wav,x,sad,,\n");
  EXPECT_THAT(message, HasSubstr("list.csv:2: the field actor is empty"));
  EXPECT_THAT(message, HasSubstr("list.csv:2: gender \"woman\""));
  EXPECT_THAT(message, HasSubstr("list.csv:2: synthetic \"no\""));
  EXPECT_THAT(message, HasSubstr("list.csv:3: the field label is empty"));
  EXPECT_THAT(message, HasSubstr("list.csv:4: the id list/a is that of line 2"));
}

TEST_F(ManifestCsvTest, CorpusUseReadsKnownOwnAndListedCorpora) {
  folder_.write_all({"r/03-01-01-01-01-01-01.wav", "r/03-01-01-01-01-01-02.wav"});
  EXPECT_EQ(find_recordings({"ravdess", "", folder_ / "r", {}}).size(), 2u);
  const std::vector<Recording> one = find_recordings({"ravdess", "", folder_ / "r", {"02"}});
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].actor, "ravdess/02");
  EXPECT_EQ(
      find_recordings({"", SERVAL_SOURCE_DIR "/data/corpora/ravdess.json", folder_ / "r", {"ravdess/01"}})
          .size(),
      1u);
  const std::string list = folder_.write(
      "list.csv", "path,actor,label\nr/03-01-01-01-01-01-02.wav,b,sad\nr/03-01-01-01-01-01-01.wav,a,happy\n");
  const std::vector<Recording> listed = find_recordings({"", list, "", {}});
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].actor, "list/a");  // sorted by id
}

TEST_F(ManifestCsvTest, CorpusUseTakesTheFirstOfEachActorAndClass) {
  std::vector<std::string> files;
  for (const char* actor : {"01", "02"}) {
    for (const char* label : {"01", "03"}) {
      for (const char* repetition : {"02", "01", "03"})
        files.push_back(cat("r/03-01-", label, "-01-01-", repetition, "-", actor, ".wav"));
    }
  }
  folder_.write_all(files);
  const std::vector<Recording> first =
      find_recordings({.use = "demo", .file = "", .path = folder_ / "r", .actors = {}, .most_per_class = 2});
  ASSERT_EQ(first.size(), 8u);
  for (const Recording& recording : first) EXPECT_NE(recording.repetition, "03") << recording.id;
}

TEST_F(ManifestCsvTest, CorpusUseAsksWhichOfSeveralActorsIsMeant) {
  folder_.write_all({"a.wav", "b.wav"});
  const std::string list =
      folder_.write("list.csv", "path,corpus,actor,label\na.wav,x,01,sad\nb.wav,y,01,happy\n");
  ASSERT_EQ(find_recordings({"", list, "", {}}).size(), 2u);
  EXPECT_THAT(message_of<ConfigError>([&] {
                find_recordings({"", list, "", {"01"}});
              }),
              HasSubstr("\"01\" may be x/01 or y/01"));
  EXPECT_EQ(find_recordings({"", list, "", {"y/01"}}).size(), 1u);
}

TEST_F(ManifestCsvTest, CorpusUseSaysWhatIsMissing) {
  folder_.write_all({"03-01-01-01-01-01-01.wav"});
  EXPECT_THAT(message_of<ConfigError>([&] {
                find_recordings({"ravdess", "", folder_.str(), {"09"}});
              }),
              HasSubstr("no actor \"09\"; there are ravdess/01"));
  const std::string list = folder_.write("list.csv", "path,actor,label\nabsent.wav,b,sad\n");
  EXPECT_THAT(message_of<DataError>([&] {
                find_recordings({"", list, "", {}});
              }),
              HasSubstr("1 of 1 recordings are not there"));
  EXPECT_THAT(message_of<ConfigError>([&] {
                find_recordings({"", folder_.write("x.txt", ""), "", {}});
              }),
              HasSubstr("must be a description (.json) or a manifest (.csv)"));
}

TEST_F(ManifestCsvTest, CorpusUseChecksItsSettings) {
  const auto errors_of = [](const std::string& json) {
    std::vector<std::string> errors;
    read_settings<CorpusUse>(parse_json(json, "t"), errors);
    return errors;
  };
  EXPECT_THAT(errors_of(R"({"use": "tess", "path": "/x"})"), IsEmpty());
  EXPECT_THAT(errors_of(R"({"file": "/x/mine.csv"})"), IsEmpty());
  EXPECT_THAT(errors_of(R"({"path": "/x"})"), ElementsAre(HasSubstr("one of the two")));
  EXPECT_THAT(errors_of(R"({"use": "tess", "file": "/x/a.json", "path": "/x"})"),
              ElementsAre(HasSubstr("one of the two")));
  EXPECT_THAT(errors_of(R"({"use": "tess"})"), ElementsAre(HasSubstr("must name the folder")));
  EXPECT_THAT(errors_of(R"({"use": "./mine.json", "path": "/x"})"),
              ElementsAre(HasSubstr("given by \"file\"")));
}

}  // namespace
}  // namespace serval::corpus
