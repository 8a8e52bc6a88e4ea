#include "serval/corpus/scan.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/corpus/data_folder.h"
#include "serval/corpus/description.h"
#include "serval/corpus/file_name.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::corpus {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class ScanTest : public CorpusTest {
 protected:
  ScanResult scan_as(const std::string& corpus) { return scan(find_description(corpus), folder_.str()); }
  Recording only(const std::string& corpus, const std::string& file) {
    folder_.write(file, "x");
    const ScanResult result = scan_as(corpus);
    EXPECT_EQ(result.recordings.size(), 1u);
    return result.recordings.at(0);
  }
};

std::vector<std::string> ids_of(const ScanResult& result) {
  std::vector<std::string> ids;
  for (const Recording& recording : result.recordings) ids.push_back(recording.id);
  return ids;
}

TEST_F(ScanTest, ReadsRavdessNames) {
  const Recording r = only("ravdess", "Actor_12/03-01-06-02-01-02-12.wav");
  EXPECT_EQ(r.id, "ravdess/03-01-06-02-01-02-12");
  EXPECT_EQ(r.corpus, "ravdess");
  EXPECT_EQ(r.actor, "ravdess/12");
  EXPECT_EQ(r.gender, Gender::kFemale);
  EXPECT_EQ(r.label_raw, "06");
  EXPECT_EQ(r.label, "fear");
  EXPECT_EQ(r.intensity, "02");
  EXPECT_EQ(r.sentence, "ravdess/01");
  EXPECT_EQ(r.repetition, "02");
  EXPECT_FALSE(r.synthetic);
  EXPECT_EQ(r.path, folder_ / "Actor_12/03-01-06-02-01-02-12.wav");
}

TEST_F(ScanTest, EveryRavdessCodeHasItsLabel) {
  const std::vector<std::string> labels = {"neutral", "calm", "happy",   "sad",
                                           "angry",   "fear", "disgust", "surprise"};
  for (int code = 1; code <= 8; ++code) folder_.write(cat("03-01-0", code, "-01-01-01-01.wav"), "x");
  const ScanResult result = scan_as("ravdess");
  ASSERT_EQ(result.recordings.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(result.recordings[i].label, labels[i]);
  EXPECT_EQ(result.recordings[0].gender, Gender::kMale);
}

TEST_F(ScanTest, LeavesOutSongsAndVideosAndNamesStrays) {
  folder_.write_all({"03-01-01-01-01-01-01.wav", "03-02-01-01-01-01-01.wav", "01-01-01-01-01-01-01.wav",
                     "take 7.wav", "03-01-01-01-01-01-25.wav", "notes.txt"});
  const ScanResult result = scan_as("ravdess");
  EXPECT_THAT(ids_of(result), ElementsAre("ravdess/03-01-01-01-01-01-01"));
  ASSERT_EQ(result.ignored.size(), 2u);
  EXPECT_THAT(result.ignored[0].note, HasSubstr("video"));
  EXPECT_THAT(result.ignored[1].note, HasSubstr("song"));
  ASSERT_EQ(result.strays.size(), 2u);
  EXPECT_THAT(result.strays[0].path, EndsWith("03-01-01-01-01-01-25.wav"));
  EXPECT_THAT(result.strays[1].path, EndsWith("take 7.wav"));
}

TEST_F(ScanTest, ReadsTessInAnyCaseAndItsMissingLetter) {
  folder_.write_all(
      {"OAF_Fear/OAF_back_fear.wav", "yaf_pleasant_surprised/yaf_Back_PS.WAV", "OA_bite_neutral.wav"});
  const ScanResult result = scan_as("tess");
  ASSERT_THAT(ids_of(result), ElementsAre("tess/OAF_back_fear", "tess/OA_bite_neutral", "tess/yaf_Back_PS"));
  EXPECT_EQ(result.recordings[1].actor, "tess/OAF");
  EXPECT_EQ(result.recordings[1].sentence, "tess/bite");
  EXPECT_EQ(result.recordings[1].label, "neutral");
  EXPECT_EQ(result.recordings[2].actor, "tess/YAF");
  EXPECT_EQ(result.recordings[2].label, "surprise");
  EXPECT_EQ(result.recordings[2].sentence, "tess/back");
  EXPECT_EQ(result.recordings[0].gender, Gender::kFemale);
  ASSERT_EQ(result.quirks.size(), 1u);
  EXPECT_THAT(result.quirks[0].path, EndsWith("OA_bite_neutral.wav"));
  EXPECT_THAT(result.quirks[0].note, HasSubstr("OAF"));
}

TEST_F(ScanTest, ReadsCremaNamesAndItsMissingLetter) {
  folder_.write_all({"1001_IEO_ANG_HI.wav", "1040_ITH_SAD_X.wav", "1091_WSI_NEU_XX.flac"});
  const ScanResult result = scan_as("crema_d");
  ASSERT_EQ(result.recordings.size(), 3u);
  EXPECT_EQ(result.recordings[0].actor, "crema_d/1001");
  EXPECT_EQ(result.recordings[0].gender, Gender::kMale);
  EXPECT_EQ(result.recordings[0].intensity, "HI");
  EXPECT_EQ(result.recordings[1].id, "crema_d/1040_ITH_SAD_X");
  EXPECT_EQ(result.recordings[1].intensity, "XX");
  EXPECT_EQ(result.recordings[1].label, "sad");
  EXPECT_EQ(result.recordings[2].gender, Gender::kFemale);
  ASSERT_EQ(result.quirks.size(), 1u);
}

TEST_F(ScanTest, CremaHasNinetyOneActors) {
  const CorpusDescription crema = find_description("crema_d");
  EXPECT_EQ(crema.actors.size(), 91u);
  EXPECT_EQ(std::count_if(crema.actor_genders.begin(), crema.actor_genders.end(),
                          [](const auto& entry) { return entry.second == Gender::kFemale; }),
            43);
}

TEST_F(ScanTest, ReadsSaveeFlatAndInFoldersAlike) {
  folder_.write_all({"flat/DC_sa01.wav", "flat/DC_a11.wav", "official/KL/su02.wav", "official/KL/n15.wav"});
  const ScanResult result = scan_as("savee");
  ASSERT_THAT(ids_of(result), ElementsAre("savee/DC_a11", "savee/DC_sa01", "savee/KL_n15", "savee/KL_su02"));
  const std::vector<std::string> labels = {"angry", "sad", "neutral", "surprise"};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(result.recordings[i].label, labels[i]);
  EXPECT_EQ(result.recordings[2].actor, "savee/KL");
  EXPECT_EQ(result.recordings[2].gender, Gender::kMale);
  EXPECT_EQ(result.recordings[0].sentence, "savee/a11");  // spoken in anger only
  EXPECT_EQ(result.recordings[1].sentence, "savee/01");   // one of the three common ones
  EXPECT_EQ(result.recordings[3].sentence, "savee/02");
}

TEST_F(ScanTest, DemoCorpusIsSynthetic) {
  EXPECT_TRUE(only("demo", "Actor_37/03-01-08-02-01-02-37.wav").synthetic);
  const CorpusDescription demo = find_description("demo");
  EXPECT_EQ(demo.labels, find_description("ravdess").labels);
}

TEST_F(ScanTest, FolderThatSaysSoIsSyntheticWhateverTheDescription) {
  folder_.write("README.txt", "SYNTHETIC SPEECH. Nobody spoke it.\n");
  EXPECT_TRUE(only("ravdess", "03-01-08-02-01-02-07.wav").synthetic);
}

TEST_F(ScanTest, WhereCaseDoesNotCountAnActorHasOneSpelling) {
  CorpusDescription description;
  description.name = "x";
  description.ignore_case = true;
  description.names = {{.form = "{actor}_{label}", .fields = {}, .set = {}, .quirk = ""}};
  description.fields = {{"actor", "[A-Za-z]+"}, {"label", "ang|hap"}};
  description.labels = {{"ang", "angry"}, {"hap", "happy"}};
  folder_.write_all({"ANN_ang.wav", "ann_HAP.wav", "Bob_ang.wav"});
  const auto actors = [&] {
    std::set<std::string> all;
    for (const Recording& r : scan(description, folder_.str()).recordings) all.insert(r.actor);
    return all;
  };
  EXPECT_THAT(actors(), ElementsAre("x/ann", "x/bob"));
  description.actors = {"Ann"};
  EXPECT_THAT(actors(), ElementsAre("x/Ann", "x/bob"));
  // A table of genders knows the spelling too.
  description.actors = {};
  description.gender = GenderRule::kActorTable;
  description.actor_genders = {{"BOB", Gender::kMale}};
  EXPECT_THAT(actors(), ElementsAre("x/BOB", "x/ann"));
  EXPECT_EQ(scan(description, folder_.str()).recordings[1].gender, Gender::kMale);
}

TEST_F(ScanTest, KeepsOneOfNestedCopies) {
  folder_.write("Actor_01/03-01-01-01-01-01-01.wav", "same");
  folder_.write("all/Actor_01/03-01-01-01-01-01-01.wav", "same");
  const ScanResult result = scan_as("ravdess");
  ASSERT_EQ(result.recordings.size(), 1u);
  EXPECT_EQ(result.recordings[0].path, folder_ / "Actor_01/03-01-01-01-01-01-01.wav");
  ASSERT_EQ(result.copies.size(), 1u);
  EXPECT_THAT(result.copies[0].path, HasSubstr("/all/"));
}

TEST_F(ScanTest, RefusesTwoDifferentFilesOfOneName) {
  folder_.write("a/03-01-01-01-01-01-01.wav", "one");
  folder_.write("b/03-01-01-01-01-01-01.flac", "other");
  const std::string message = message_of<DataError>([&] { scan_as("ravdess"); });
  EXPECT_THAT(message, HasSubstr("/a/03-01-01-01-01-01-01.wav"));
  EXPECT_THAT(message, HasSubstr("/b/03-01-01-01-01-01-01.flac"));
}

TEST_F(ScanTest, IgnoresHiddenFilesAndFollowsLinksOnce) {
  folder_.write_all(
      {"real/03-01-01-01-01-01-01.wav", "real/._03-01-01-01-01-01-02.wav", ".hid/03-01-01-01-01-01-03.wav"});
  std::filesystem::create_directory_symlink(folder_ / "real", folder_ / "link");
  std::filesystem::create_directory_symlink(folder_.str(), folder_ / "real/up");
  const ScanResult result = scan_as("ravdess");
  EXPECT_EQ(result.recordings.size(), 1u);
  EXPECT_TRUE(result.copies.empty());
  EXPECT_TRUE(result.strays.empty());
}

TEST_F(ScanTest, NamesUnknownEmotionCodesAndTheKnownOnes) {
  folder_.write_all({"1001_IEO_ANG_HI.wav", "1001_IEO_BOR_HI.wav"});
  const std::string message = message_of<DataError>([&] { scan_as("crema_d"); });
  EXPECT_THAT(message, HasSubstr("1001_IEO_BOR_HI.wav (BOR)"));
  EXPECT_THAT(message, HasSubstr("ANG (angry)"));
}

TEST_F(ScanTest, SaysWhatItLookedForInAnEmptyFolder) {
  EXPECT_THAT(message_of<DataError>([&] { scan_as("tess"); }), HasSubstr("the folder is empty"));
  folder_.write_all({"one.wav", "two.txt"});
  const std::string message = message_of<DataError>([&] { scan_as("tess"); });
  EXPECT_THAT(message, HasSubstr("names like {actor}_{sentence}_{label} that end in .wav"));
  EXPECT_THAT(message, HasSubstr("none of the 2 files"));
}

TEST_F(ScanTest, RefusesAMissingFolder) {
  const auto scan_at = [](const std::string& path) { scan(find_description("tess"), path); };
  EXPECT_THAT(message_of<ConfigError>([&] { scan_at(folder_ / "absent"); }),
              HasSubstr("there is no such folder"));
  EXPECT_THAT(message_of<ConfigError>([&] { scan_at(folder_.write("file", "x")); }),
              HasSubstr("is not a folder"));
}

TEST_F(ScanTest, HashesContents) {
  folder_.write("03-01-01-01-01-01-01.wav", "same");
  folder_.write("03-01-01-01-01-01-02.wav", "same");
  folder_.write("03-01-01-01-01-01-03.wav", "other");
  ScanResult result = scan_as("ravdess");
  hash_contents(result.recordings, 2);
  EXPECT_EQ(result.recordings[0].content_hash.size(), 32u);
  EXPECT_EQ(result.recordings[0].content_hash, result.recordings[1].content_hash);
  EXPECT_NE(result.recordings[0].content_hash, result.recordings[2].content_hash);
}

TEST_F(ScanTest, ReadsADescriptionOfOnesOwn) {
  folder_.write("mine.json", R"({
    "name": "mine", "gender": "actor_table", "actor_table": "people.csv",
    "names": [{ "form": "{actor}.{label}" }], "fields": { "actor": "[a-z]+", "label": "[a-z]+" },
    "labels": { "bored": "boredom", "cross": "angry" }, "endings": [".flac"] })");
  folder_.write("people.csv", "actor,gender\nann,female\n");
  folder_.write_all({"sound/ann.bored.flac", "sound/ann.cross.wav"});
  const ScanResult result = scan(read_description(folder_ / "mine.json"), folder_ / "sound");
  ASSERT_EQ(result.recordings.size(), 1u);
  EXPECT_EQ(result.recordings[0].label, "boredom");
  EXPECT_EQ(result.recordings[0].gender, Gender::kFemale);
  EXPECT_EQ(result.recordings[0].sentence, "");
}

std::string description_error(const TempFolder& folder, const std::string& fields) {
  const std::string path =
      folder.write("d.json", R"({"name": "d", "labels": {"a": "angry"}, )" + fields + "}");
  return message_of<ConfigError>([&] { read_description(path); });
}

TEST_F(ScanTest, NamesWhatIsWrongWithADescription) {
  const std::string good_fields = R"("fields": {"actor": "x", "label": "y"})";
  const auto error = [&](const std::string& fields) { return description_error(folder_, fields); };
  EXPECT_THAT(error(R"("names": [{"form": "{actor}_{label}"}])"),
              HasSubstr("{actor}, which is not in fields"));
  EXPECT_THAT(error(R"("names": [{"form": "{actor}"}], )" + good_fields), HasSubstr("does not give {label}"));
  EXPECT_THAT(error(R"("names": [{"form": "{actor}_{label"}], )" + good_fields), HasSubstr("closing }"));
  EXPECT_THAT(error(R"("names": [{"form": "{actor}_{actor}_{label}"}], )" + good_fields), HasSubstr("twice"));
  EXPECT_THAT(error(R"("names": [{"form": "{actor}_{label}"}], "fields": {"actor": "(", "label": "y"})"),
              HasSubstr("no regular expression"));
  const std::string grouped = R"J("fields": {"actor": "(a|b)", "label": "y"})J";
  EXPECT_THAT(error(R"("names": [{"form": "{actor}_{label}"}], )" + grouped), HasSubstr("(?:...)"));
  EXPECT_THAT(
      error(R"("names": [{"form": "{actor}_{label}", "set": {"sentence": "{word}"}}], )" + good_fields),
      HasSubstr("asks for the field word"));
  EXPECT_THAT(error(R"("names": [], )" + good_fields), HasSubstr("at least one form"));
  EXPECT_THAT(error(R"("nams": [], "names": [{"form": "{actor}_{label}"}], )" + good_fields),
              HasSubstr("did you mean"));
  folder_.write("people.csv", "actor,gender\nann,femal\n");
  EXPECT_THAT(error(R"("gender": "actor_table", "actor_table": "people.csv",
                       "names": [{"form": "{actor}_{label}"}], )" +
                    good_fields),
              HasSubstr("people.csv:2: gender \"femal\""));
}

TEST_F(ScanTest, FindsDescriptionsByName) {
  std::vector<std::string> names;
  for (const CorpusDescription& description : known_descriptions()) names.push_back(description.name);
  EXPECT_THAT(names, ElementsAre("crema_d", "demo", "ravdess", "savee", "tess"));
  EXPECT_THAT(message_of<ConfigError>([] { find_description("ravdes"); }),
              HasSubstr("did you mean \"ravdess\"?"));
  EXPECT_THAT(message_of<ConfigError>([] { find_description("../ravdess"); }),
              HasSubstr("Known: crema_d, demo"));
}

TEST_F(ScanTest, DataFolderFollowsTheEnvironment) {
  EXPECT_EQ(data_folder(), SERVAL_SOURCE_DIR "/data");
  ::setenv("SERVAL_DATA", folder_.str().c_str(), 1);
  EXPECT_THAT(message_of<ConfigError>([] { data_folder(); }), HasSubstr("SERVAL_DATA=" + folder_.str()));
  ::unsetenv("SERVAL_DATA");
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(data_folder()) / "corpora/ravdess.json"));
}

}  // namespace
}  // namespace serval::corpus
