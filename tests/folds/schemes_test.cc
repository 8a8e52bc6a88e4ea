// Schemes beside consecutive groups: balanced, leave-one-out, cross-corpus, lists, random, sentences, inner folds.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"
#include "serval/folds/fold.h"

#include "fold_fixtures.h"
#include "tests/corpus/corpus_fixtures.h"

namespace serval::folds {
namespace {

using corpus::Manifest;
using corpus::TempFolder;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string error_of(const FoldSettings& settings, const Manifest& manifest,
                     const ProtocolSettings& protocol = {}) {
  try {
    make_folds(settings, manifest, protocol);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Actors whose recordings differ in number from one to the next.
Manifest uneven_manifest(int actors) {
  Manifest manifest;
  manifest.classes = {"angry", "happy", "sad"};
  for (int number = 1; number <= actors; ++number) {
    for (int i = 0; i < 3 + (number * number) % 17; ++i) {
      add_recording(manifest, "x", numbered("x", number), i % 3);
      manifest.recordings.back().gender =
          number > actors / 2 ? corpus::Gender::kFemale : corpus::Gender::kMale;
    }
  }
  return manifest;
}

// Greatest less smallest number of tested recordings.
std::int64_t size_range(const std::vector<Fold>& folds) {
  std::vector<std::int64_t> sizes;
  for (const Fold& fold : folds) sizes.push_back(static_cast<std::int64_t>(fold.test.size()));
  return *std::max_element(sizes.begin(), sizes.end()) - *std::min_element(sizes.begin(), sizes.end());
}

void expect_everyone_tested_once(const std::vector<Fold>& folds, const Manifest& manifest) {
  std::vector<int> times(manifest.recordings.size());
  for (const Fold& fold : folds) {
    for (const std::int64_t r : fold.test) ++times[static_cast<std::size_t>(r)];
  }
  EXPECT_THAT(times, ::testing::Each(1));
}

TEST(BalancedActors, AreMoreEqualThanConsecutiveGroupsInSizeAndGender) {
  const Manifest manifest = uneven_manifest(23);
  const FoldSettings balanced{.scheme = Scheme::kBalancedActors, .count = 4, .validation_actors = 1};
  const std::vector<Fold> folds = make_folds(balanced, manifest);
  expect_everyone_tested_once(folds, manifest);
  EXPECT_LE(size_range(folds), 4);
  EXPECT_GT(size_range(make_folds({.count = 4, .validation_actors = 1}, manifest)), 10);
  for (const Fold& fold : folds) {
    std::set<std::string> women;
    for (const std::int64_t r : fold.test) {
      const corpus::Recording& recording = manifest.recordings[static_cast<std::size_t>(r)];
      if (recording.gender == corpus::Gender::kFemale) women.insert(recording.actor);
    }
    EXPECT_GE(women.size(), 2u);
    EXPECT_LE(women.size(), 4u);
  }
  EXPECT_EQ(make_folds(balanced, manifest)[2].test, folds[2].test);  // nothing random
}

TEST(BalancedActors, LeaveNoGroupEmptyWhereOneActorHasNearlyAll) {
  Manifest manifest = numbered_manifest("x", 4);
  for (int i = 0; i < 300; ++i) add_recording(manifest, "x", "x/01", i % 3);
  const std::vector<Fold> folds =
      make_folds({.scheme = Scheme::kBalancedActors, .count = 4, .validation_actors = 1}, manifest);
  for (const Fold& fold : folds) EXPECT_EQ(fold.test_actors.size(), 1u);
}

TEST(LeaveOneOut, CorporaAndGroups) {
  Manifest manifest = numbered_manifest("a", 3);
  const Manifest other = numbered_manifest("b", 2);
  manifest.recordings.insert(manifest.recordings.end(), other.recordings.begin(), other.recordings.end());
  manifest.class_of.insert(manifest.class_of.end(), other.class_of.begin(), other.class_of.end());
  const std::vector<Fold> folds =
      make_folds({.scheme = Scheme::kLeaveOneCorpusOut, .validation_actors = 1}, manifest);
  ASSERT_EQ(folds.size(), 2u);
  EXPECT_THAT(folds[1].test_actors, ElementsAre("b/01", "b/02"));
  EXPECT_EQ(folds[1].name, "b");

  const FoldSettings groups{.scheme = Scheme::kLeaveOneGroupOut, .validation_actors = 1};
  EXPECT_THAT(error_of(groups, manifest), HasSubstr("no group is known of a/01-0"));
  for (corpus::Recording& recording : manifest.recordings)
    recording.group = recording.actor == "a/01" || recording.actor == "b/02" ? "s2" : "s10";
  const std::vector<Fold> sessions = make_folds(groups, manifest);
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_THAT(sessions[0].test_actors, ElementsAre("a/01", "b/02"));
  manifest.recordings[0].group = "s10";
  EXPECT_THAT(error_of(groups, manifest), HasSubstr("a/01: its group is s10 and s2; it must be one"));
}

TEST(CrossCorpus, PairsEveryCorpusWithEveryOther) {
  Manifest manifest = numbered_manifest("a", 3);
  for (const char* corpus : {"b", "c"}) {
    const Manifest other = numbered_manifest(corpus, 3);
    manifest.recordings.insert(manifest.recordings.end(), other.recordings.begin(), other.recordings.end());
    manifest.class_of.insert(manifest.class_of.end(), other.class_of.begin(), other.class_of.end());
  }
  FoldSettings settings{.scheme = Scheme::kCrossCorpus, .validation_actors = 1};
  const std::vector<Fold> folds = make_folds(settings, manifest);
  std::vector<std::string> names;
  for (const Fold& fold : folds) names.push_back(fold.name);
  EXPECT_THAT(names, ElementsAre("a -> b", "a -> c", "b -> a", "b -> c", "c -> a", "c -> b"));
  EXPECT_EQ(folds[3].train_actors.size() + folds[3].validation_actors.size(), 3u);
  for (const std::string& actor : folds[3].train_actors) EXPECT_THAT(actor, HasSubstr("b/"));
  EXPECT_EQ(folds[3].test_actors.front(), "c/01");

  settings.train_corpora = {"a"};
  settings.test_corpora = {"c"};
  EXPECT_EQ(make_folds(settings, manifest).size(), 1u);
  settings.test_corpora = {"d"};
  EXPECT_THAT(error_of(settings, manifest), HasSubstr("test_corpora: no recording is of corpus \"d\""));
  settings.test_corpora = {"a"};
  EXPECT_THAT(error_of(settings, manifest), HasSubstr("needs two corpora at least"));

  // Their recordings of a would be tested as of c.
  settings.test_corpora = {"c"};
  for (corpus::Recording& recording : manifest.recordings) {
    if (recording.actor == "c/02") recording.actor = "a/01";
  }
  EXPECT_THAT(error_of(settings, manifest), HasSubstr("a/01: its corpus is a and c; it must be one"));
}

TEST(Presets, NameValidationAndTheSuperset) {
  Manifest crema;
  crema.classes = {"angry"};
  for (int id = 1001; id <= 1091; ++id) add_recording(crema, "crema_d", cat("crema_d/", id), 0);
  const std::vector<Fold> sets = make_folds({.preset = "crema_d_emo_superb_5"}, crema);
  ASSERT_EQ(sets.size(), 5u);
  EXPECT_EQ(sets[4].test_actors.size(), 19u);
  EXPECT_EQ(sets[4].validation_actors.front(), "crema_d/1001");
  EXPECT_EQ(sets[3].validation_actors, sets[4].test_actors);
  const std::vector<Fold> evar = make_folds({.preset = "crema_d_evar"}, crema);
  ASSERT_EQ(evar.size(), 1u);
  EXPECT_EQ(evar[0].train_actors.size(), 63u);
  EXPECT_EQ(evar[0].validation_actors.size(), 9u);
  EXPECT_EQ(evar[0].test_actors.size(), 19u);

  Manifest superset = crema;
  for (int number = 1; number <= 24; ++number)
    add_recording(superset, "ravdess", numbered("ravdess", number), 0);
  for (const char* actor : {"tess/OAF", "tess/YAF", "savee/DC", "savee/JE", "savee/JK", "savee/KL"})
    add_recording(superset, std::string(actor).substr(0, std::string(actor).find('/')), actor, 0);
  const std::vector<Fold> folds = make_folds({.preset = "superset_11x11"}, superset);
  ASSERT_EQ(folds.size(), 11u);
  expect_everyone_tested_once(folds, superset);
  EXPECT_THAT(folds[2].test_actors, AllOf(Contains("ravdess/23"), Contains("ravdess/24"),
                                          Contains("crema_d/1001"), Contains("crema_d/1009")));
  EXPECT_THAT(folds[10].test_actors,
              ElementsAre("crema_d/1087", "crema_d/1088", "crema_d/1089", "crema_d/1090", "crema_d/1091",
                          "savee/DC", "savee/JE", "savee/JK", "savee/KL", "tess/OAF", "tess/YAF"));
  EXPECT_THAT(error_of({.preset = "superset_11x11"}, crema),
              HasSubstr("is for the corpora crema_d, ravdess"));
}

TEST(Sentences, AreKeptApartAndEveryRecordingIsTestedOnce) {
  Manifest manifest;
  manifest.classes = {"angry", "sad"};
  for (int actor = 1; actor <= 6; ++actor) {
    for (int sentence = 1; sentence <= 5; ++sentence) {
      for (int c = 0; c < 2; ++c) {
        add_recording(manifest, "x", numbered("x", actor), c);
        manifest.recordings.back().sentence = cat("x/s", sentence);
      }
    }
  }
  const FoldSettings settings{.count = 3, .validation_actors = 1, .sentence_groups = 2};
  const std::vector<Fold> folds = make_folds(settings, manifest);
  ASSERT_EQ(folds.size(), 6u);
  expect_everyone_tested_once(folds, manifest);
  for (const Fold& fold : folds) {
    const std::set<std::string> tested(fold.test_sentences.begin(), fold.test_sentences.end());
    const auto said = [&](std::int64_t r) {
      return manifest.recordings[static_cast<std::size_t>(r)].sentence;
    };
    for (const std::int64_t r : fold.test) EXPECT_EQ(tested.count(said(r)), 1u);
    for (const auto* side : {&fold.train, &fold.validation}) {
      EXPECT_FALSE(side->empty());
      for (const std::int64_t r : *side) EXPECT_EQ(tested.count(said(r)), 0u);
    }
  }
  FoldSettings many = settings;
  many.sentence_groups = 6;
  EXPECT_THAT(error_of(many, manifest), HasSubstr("sentence_groups is 6, but there are 5 sentences"));
  manifest.recordings[7].sentence = "";
  EXPECT_THAT(error_of(settings, manifest), HasSubstr("no sentence is known of x/01-7"));
}

TEST(InnerFolds, DivideTheTrainingActorsAndNeverHearTheTestActors) {
  const Manifest manifest = numbered_manifest("x", 9);
  const std::vector<Fold> folds = make_folds({.count = 3, .inner_folds = 2}, manifest);
  ASSERT_EQ(folds.size(), 3u + 6u);
  std::map<int, std::set<std::int64_t>> validated;
  for (const Fold& fold : folds) {
    if (fold.inner == 0) {
      EXPECT_THAT(fold.validation, IsEmpty());
      EXPECT_EQ(fold.train_actors.size(), 6u);
      continue;
    }
    EXPECT_THAT(fold.test, IsEmpty());
    const Fold& outer = folds[static_cast<std::size_t>(fold.index)];
    EXPECT_EQ(fold.test_actors, outer.test_actors);
    EXPECT_EQ(fold.train.size() + fold.validation.size(), outer.train.size());
    validated[fold.index].insert(fold.validation.begin(), fold.validation.end());
  }
  for (int k = 0; k < 3; ++k) EXPECT_EQ(validated[k].size(), folds[static_cast<std::size_t>(k)].train.size());
  EXPECT_NO_THROW(check_disjoint(folds, manifest));
  EXPECT_THAT(error_of({.count = 3, .inner_folds = 7}, manifest),
              HasSubstr("7 inner folds need at least as many actors; 6 are not tested"));
}

TEST(RandomSplits, SpreadEachClassEvenlyAndDependOnTheirSeedAlone) {
  const Manifest manifest = uneven_manifest(20);
  const ProtocolSettings protocol{{"shared_actors"}};
  FoldSettings settings{.scheme = Scheme::kStratifiedRandom, .count = 5, .validation_share = 0.25};
  const std::vector<Fold> folds = make_folds(settings, manifest, protocol);
  expect_everyone_tested_once(folds, manifest);
  EXPECT_LE(size_range(folds), 1);
  for (const Fold& fold : folds) {
    EXPECT_FALSE(fold.actors_apart);
    std::map<int, int> classes;
    for (const std::int64_t r : fold.test) ++classes[manifest.class_of[static_cast<std::size_t>(r)]];
    std::map<int, int> all;
    for (const int c : manifest.class_of) ++all[c];
    for (const auto& [c, count] : all) EXPECT_NEAR(classes[c], count / 5.0, 1);
    EXPECT_NEAR(static_cast<double>(fold.validation.size()),
                0.25 * 0.8 * static_cast<double>(manifest.class_of.size()), 2);
  }
  EXPECT_EQ(make_folds(settings, manifest, protocol)[3].test, folds[3].test);
  settings.split_seed = 2;
  EXPECT_NE(make_folds(settings, manifest, protocol)[3].test, folds[3].test);
}

TEST(RandomSplits, TheTailIsTheLastRecordingsAsTheyAreListed) {
  const Manifest manifest = numbered_manifest("x", 10);
  const std::vector<Fold> folds =
      make_folds({.scheme = Scheme::kUnshuffledTail, .test_share = 0.2}, manifest, {{"shared_actors"}});
  ASSERT_EQ(folds.size(), 1u);
  EXPECT_THAT(folds[0].test, ElementsAre(24, 25, 26, 27, 28, 29));
  EXPECT_EQ(folds[0].train.back(), 23);
}

TEST(RandomSplits, TheTestSideValidatesWhereTheProtocolSaysSo) {
  const Manifest manifest = numbered_manifest("x", 6);
  const std::vector<Fold> folds = make_folds({.count = 3}, manifest, {{"test_selection"}});
  EXPECT_EQ(folds[1].validation, folds[1].test);
  EXPECT_FALSE(folds[1].actors_apart);
}

class ListTest : public ::testing::Test {
 protected:
  std::string error(const std::string& csv) {
    return error_of({.scheme = Scheme::kList, .list = folder_.write("l.csv", csv)}, manifest_);
  }
  TempFolder folder_;
  Manifest manifest_ = numbered_manifest("x", 4, 2);
};

TEST_F(ListTest, SaysWhoIsOnWhichSide) {
  const std::string path = folder_.write(
      "l.csv", "actor,fold,side\nx/01,1,test\nx/02,1,validation\nx/03,1,train\nx/01,2,train\nx/04,2,test\n");
  const std::vector<Fold> folds = make_folds({.scheme = Scheme::kList, .list = path}, manifest_);
  ASSERT_EQ(folds.size(), 2u);
  EXPECT_THAT(folds[0].train_actors, ElementsAre("x/03"));
  EXPECT_THAT(folds[0].test, ElementsAre(0, 1));
  EXPECT_THAT(folds[1].train, ElementsAre(0, 1));
  // By recordings; and a list that leaks is for the audit to find.
  const std::string leaks =
      folder_.write("r.csv", "recording,side\nx/01-0,train\nx/01-1,train\nx/02-2,train\nx/01-0,test\n");
  const std::vector<Fold> leaking = make_folds({.scheme = Scheme::kList, .list = leaks}, manifest_);
  EXPECT_THAT(leaking[0].test_actors, ElementsAre("x/01"));
  EXPECT_TRUE(leaking[0].actors_apart);
  EXPECT_THROW(check_disjoint(leaking, manifest_), AuditError);
}

TEST_F(ListTest, NamesEveryMistakeWithItsLine) {
  EXPECT_THAT(error("actor,fold\nx/01,1\n"), HasSubstr("the header lacks the column side"));
  EXPECT_THAT(error("fold,side\n1,test\n"), HasSubstr("needs one of the columns recording and actor"));
  const std::string many =
      error("actor,fold,side\nx/1,1,test\nx/02,zero,test\nx/02,1,dev\nx/03,1,train\nx/03,1,train\n");
  EXPECT_THAT(many, AllOf(HasSubstr("2: no recording is of actor \"x/1\"; did you mean \"x/01\"?"),
                          HasSubstr("3: fold \"zero\"; must be a number"),
                          HasSubstr("4: side \"dev\"; must be train"),
                          HasSubstr("6: x/03 is twice on the train side of fold 1")));
  EXPECT_THAT(error("actor,fold,side\nx/01,2,train\nx/02,2,test\n"),
              HasSubstr("fold 1 is missing before fold 2"));
  EXPECT_THAT(error("actor,side\nx/01,train\n"), HasSubstr("fold 1 tests nothing"));
  EXPECT_THAT(error("actor,side\n"), HasSubstr("no line says who is on which side"));
}

struct BadSettings {
  const char* json;
  const char* message;
};

TEST(FoldSettings, RefuseWhatDoesNotGoTogether) {
  const BadSettings cases[] = {
      {R"({"scheme": "list"})", "scheme \"list\" needs the file"},
      {R"({"list": "a.csv"})", "only scheme \"list\" reads a file"},
      {R"({"train_corpora": ["a"]})", "only scheme \"cross_corpus\" pairs corpora"},
      {R"({"sentence_groups": 1})", "must be 0, or 2 or more"},
      {R"({"inner_folds": 1})", "must be 0, or 2 or more"},
      {R"({"validation_share": 1.5})", "validation_share"},
      {R"({"test_share": 0, "scheme": "unshuffled_tail"})", "test_share"},
      {R"({"scheme": "random"})", "\"random\" is not one of"},
      {R"({"preset": "superset_11x11", "scheme": "balanced_actors"})", "a preset lists its own folds"},
  };
  for (const BadSettings& bad : cases) {
    std::vector<std::string> errors;
    read_settings<FoldSettings>(parse_json(bad.json, "x.json"), errors);
    EXPECT_THAT(errors, Contains(HasSubstr(bad.message))) << bad.json;
  }
}

TEST(Protocol, KnowsItsLeaksByName) {
  std::vector<std::string> errors;
  read_settings<ProtocolSettings>(
      parse_json(R"({"leaks": ["shared_actor", "shared_audio", "shared_audio"]})", "x.json"), errors);
  EXPECT_THAT(errors,
              ElementsAre(HasSubstr("did you mean \"shared_actors\"?"), HasSubstr("a leak is named twice")));
  for (const Leak leak : all_leaks()) {
    const ProtocolSettings one{{to_string(leak)}};
    EXPECT_TRUE(one.has(leak));
    EXPECT_THAT(protocol_stamps(one), ElementsAre(HasSubstr(explain(leak))));
  }
  EXPECT_THAT(protocol_stamps({}), IsEmpty());
}

TEST(SpeakerStatistics, LeaveEveryActorWithMeanZeroAndDeviationOne) {
  const Manifest manifest = numbered_manifest("x", 2);
  std::vector<float> values;
  std::vector<std::int64_t> offsets = {0};
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    for (int t = 0; t < 3; ++t) {
      values.push_back(static_cast<float>(10 * r) + static_cast<float>(t * t));
      values.push_back(static_cast<float>(r) - static_cast<float>(t));
    }
    offsets.push_back(offsets.back() + 3);
  }
  const RaggedFeatures features{values.data(), offsets, 2};
  normalise_by_speaker(features, manifest, values);
  for (int actor = 0; actor < 2; ++actor) {
    for (int d = 0; d < 2; ++d) {
      double sum = 0, squares = 0;
      for (int i = 0; i < 9; ++i) {
        const double value = static_cast<double>(values[static_cast<std::size_t>((actor * 9 + i) * 2 + d)]);
        sum += value;
        squares += value * value;
      }
      EXPECT_NEAR(sum / 9, 0, 1e-5);
      EXPECT_NEAR(squares / 9, 1, 1e-5);
    }
  }
}

}  // namespace
}  // namespace serval::folds
