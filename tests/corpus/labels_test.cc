#include "serval/corpus/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::corpus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recording recording(const std::string& corpus, const std::string& name, const std::string& label) {
  Recording r;
  r.corpus = corpus;
  r.id = corpus + "/" + name;
  r.path = "/" + name + ".wav";
  r.actor = corpus + "/" + name.substr(0, 1);
  r.label_raw = label.substr(0, 2);
  r.label = label;
  return r;
}

std::vector<Recording> one_of_each() {
  std::vector<Recording> all;
  for (const char* label : {"angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise"}) {
    all.push_back(recording("c", std::string("x-") + label, label));
  }
  return all;
}

LabelSet named(LabelSetName name) { return label_set({name, {}, {}}); }

LabelSettings custom(std::vector<std::string> classes, NamedList<std::string> map) {
  return {LabelSetName::kCustom, std::move(classes), std::move(map)};
}

TEST(LabelsTest, NamedSets) {
  const Manifest eight = build_manifest(one_of_each(), named(LabelSetName::kEight));
  EXPECT_THAT(eight.classes,
              ElementsAre("angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise"));
  EXPECT_THAT(eight.class_of, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  const Manifest seven = build_manifest(one_of_each(), named(LabelSetName::kSeven));
  EXPECT_EQ(seven.classes.size(), 7u);
  EXPECT_EQ(seven.recordings.size(), 8u);
  EXPECT_EQ(seven.classes[static_cast<std::size_t>(seven.class_of[1])], "neutral");  // calm
  const Manifest six = build_manifest(one_of_each(), named(LabelSetName::kSix));
  EXPECT_THAT(six.classes, ElementsAre("angry", "disgust", "fear", "happy", "neutral", "sad"));
  EXPECT_EQ(six.recordings.size(), 6u);
  const Manifest four = build_manifest(one_of_each(), named(LabelSetName::kFour));
  EXPECT_THAT(four.classes, ElementsAre("angry", "happy", "neutral", "sad"));
  EXPECT_EQ(four.recordings.size(), 4u);
}

TEST(LabelsTest, ClassesThatNobodySpeaksAreDropped) {
  const std::vector<Recording> recordings = {recording("c", "1", "sad"), recording("c", "2", "angry")};
  const Manifest manifest = build_manifest(recordings, named(LabelSetName::kEight));
  EXPECT_THAT(manifest.classes, ElementsAre("angry", "sad"));
  EXPECT_THAT(manifest.class_of, ElementsAre(1, 0));
}

TEST(LabelsTest, CustomMapTakesRawThenHarmonisedThenTheSameName) {
  const LabelSet set =
      label_set(custom({"up", "down", "sad"}, {{"an", "up"}, {"happy", "up"}, {"fear", "down"}, {"ca", ""}}));
  const Manifest manifest =
      build_manifest({recording("c", "1", "angry"), recording("c", "2", "happy"), recording("c", "3", "fear"),
                      recording("c", "4", "calm"), recording("c", "5", "sad")},
                     set);
  EXPECT_EQ(manifest.recordings.size(), 4u);
  EXPECT_THAT(manifest.class_of, ElementsAre(0, 0, 1, 2));
}

TEST(LabelsTest, ReadsFromJson) {
  std::vector<std::string> errors;
  const LabelSettings settings = read_settings<LabelSettings>(
      parse_json(R"({"labels": "custom", "classes": ["a", "b"], "label_map": {"sad": "a", "calm": null}})",
                 "t"),
      errors);
  EXPECT_TRUE(errors.empty()) << join(errors, "\n");
  const LabelSet set = label_set(settings);
  EXPECT_EQ(class_of(set, recording("c", "1", "sad")), 0);
  EXPECT_EQ(class_of(set, recording("c", "1", "calm")), -1);
  read_settings<LabelSettings>(parse_json(R"({"labels": "seve"})", "t"), errors);
  EXPECT_THAT(errors, ElementsAre(HasSubstr("did you mean \"seven\"?")));
}

TEST(LabelsTest, RefusesWhatMakesNoSense) {
  const auto error = [](LabelSettings settings) {
    return message_of<ConfigError>([&] { build_manifest(one_of_each(), label_set(settings)); });
  };
  EXPECT_THAT(error(custom({"a", "b"}, {{"sad", "c"}})),
              HasSubstr("label_map.sad: \"c\" is not in classes: a, b"));
  EXPECT_THAT(error(custom({"a", "a"}, {})), HasSubstr("named twice"));
  EXPECT_THAT(error(custom({"a"}, {})), HasSubstr("at least two"));
  EXPECT_THAT(error(custom({"angry", "calm"}, {})), HasSubstr("say nothing of \"disgust\" (c/x-disgust)"));
  const LabelSettings unused = custom({"angry", "bored"}, {{"calm", ""},
                                                           {"disgust", ""},
                                                           {"fear", ""},
                                                           {"happy", ""},
                                                           {"neutral", ""},
                                                           {"sad", ""},
                                                           {"surprise", ""}});
  EXPECT_THAT(error(unused), HasSubstr("no recording belongs to bored"));
}

TEST(LabelsTest, RefusesDuplicateIdsAndASingleClass) {
  const Recording r = recording("c", "1", "sad");
  EXPECT_THAT(message_of<DataError>([&] {
                build_manifest({r, r}, named(LabelSetName::kEight));
              }),
              HasSubstr("two recordings have the id c/1"));
  EXPECT_THAT(message_of<DataError>([&] { build_manifest({r}, named(LabelSetName::kEight)); }),
              HasSubstr("only 1"));
  EXPECT_THAT(message_of<DataError>([&] { build_manifest({}, named(LabelSetName::kEight)); }),
              HasSubstr("only 0"));
}

TEST(LabelsTest, KeepsTheOrderOfCorporaAndSortsByIdInThem) {
  const Manifest manifest = build_manifest({recording("z", "2", "sad"), recording("a", "9", "angry"),
                                            recording("z", "1", "angry"), recording("a", "3", "sad")},
                                           named(LabelSetName::kEight));
  std::vector<std::string> ids;
  for (const Recording& r : manifest.recordings) ids.push_back(r.id);
  EXPECT_THAT(ids, ElementsAre("z/1", "z/2", "a/3", "a/9"));
  EXPECT_THAT(manifest.actors(), ElementsAre("a/3", "a/9", "z/1", "z/2"));
  EXPECT_FALSE(manifest.any_synthetic());
}

}  // namespace
}  // namespace serval::corpus
