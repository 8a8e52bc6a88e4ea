#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/core/settings_io.h"
#include "serval/folds/fold.h"

#include "fold_fixtures.h"

namespace serval::folds {
namespace {

using corpus::Manifest;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string error_of(const FoldSettings& settings, const Manifest& manifest) {
  try {
    make_folds(settings, manifest);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::vector<std::vector<std::string>> tested(const std::vector<Fold>& folds) {
  std::vector<std::vector<std::string>> out;
  for (const Fold& fold : folds) out.push_back(fold.test_actors);
  return out;
}

TEST(NaturalOrder, ReadsDigitsAsNumbers) {
  std::vector<std::string> names = {"b/1", "a/10", "a/2", "a/02", "a/x", "a/9b", "a/9a", "a"};
  std::sort(names.begin(), names.end(), natural_less);
  EXPECT_THAT(names, ElementsAre("a", "a/02", "a/2", "a/9a", "a/9b", "a/10", "a/x", "b/1"));
  EXPECT_FALSE(natural_less("a/1", "a/1"));
  EXPECT_TRUE(natural_less("a/99999999999999999998", "a/99999999999999999999"));
}

TEST(MakeFolds, ConsecutiveGroupsAreAsEqualAsTheyCanBe) {
  Manifest manifest;
  manifest.classes = {"angry"};
  for (int number = 13; number >= 1; --number) add_recording(manifest, "x", "x/" + std::to_string(number), 0);
  const std::vector<Fold> folds = make_folds({.count = 5, .validation_actors = 1}, manifest);
  EXPECT_THAT(tested(folds), ElementsAre(ElementsAre("x/1", "x/2", "x/3"), ElementsAre("x/4", "x/5", "x/6"),
                                         ElementsAre("x/7", "x/8", "x/9"), ElementsAre("x/10", "x/11"),
                                         ElementsAre("x/12", "x/13")));
  EXPECT_EQ(folds[3].index, 3);
}

TEST(MakeFolds, LeaveOneActorOutTestsEachActorOnce) {
  const std::vector<Fold> folds =
      make_folds({.scheme = Scheme::kLeaveOneActorOut, .validation_actors = 2}, numbered_manifest("demo", 6));
  ASSERT_EQ(folds.size(), 6u);
  EXPECT_THAT(folds[5].test_actors, ElementsAre("demo/06"));
  EXPECT_THAT(folds[5].test, ElementsAre(15, 16, 17));
  EXPECT_THAT(folds[0].train_actors, ElementsAre("demo/04", "demo/05", "demo/06"));
}

TEST(MakeFolds, PresetsAreThePublishedLists) {
  const Manifest manifest = numbered_manifest("ravdess", 24);
  const auto groups = [&](const std::string& preset) {
    return tested(make_folds({.preset = preset}, manifest));
  };
  const auto row = [](const std::vector<int>& numbers) { return numbered_actors("ravdess", numbers); };
  EXPECT_THAT(groups("ravdess_6x4"),
              ElementsAre(row({1, 2, 3, 4}), row({5, 6, 7, 8}), row({9, 10, 11, 12}), row({13, 14, 15, 16}),
                          row({17, 18, 19, 20}), row({21, 22, 23, 24})));
  EXPECT_THAT(groups("ravdess_luna_5"),
              ElementsAre(row({2, 5, 14, 15, 16}), row({3, 6, 7, 13, 18}), row({10, 11, 12, 19, 20}),
                          row({8, 17, 21, 23, 24}), row({1, 4, 9, 22})));
  EXPECT_THAT(groups("ravdess_emobox_6"),
              ElementsAre(row({1, 11, 20, 21}), row({4, 10, 12, 14}), row({8, 9, 19, 23}), row({3, 5, 7, 24}),
                          row({2, 15, 16, 18}), row({6, 13, 17, 22})));
}

TEST(MakeFolds, APresetServesTheOnlyCorpusWithTheSameNumbers) {
  const std::vector<Fold> folds = make_folds({.preset = "ravdess_6x4"}, numbered_manifest("demo", 24));
  EXPECT_EQ(folds.at(1).test_actors, numbered_actors("demo", {5, 6, 7, 8}));
}

TEST(MakeFolds, APresetListsAllMissingAndAllUnplacedActors) {
  Manifest manifest = numbered_manifest("demo", 22);
  add_recording(manifest, "demo", "demo/31", 0);
  add_recording(manifest, "demo", "demo/ann", 0);
  EXPECT_THAT(error_of({.preset = "ravdess_luna_5"}, manifest),
              AllOf(HasSubstr("no recording of demo/23, demo/24"), HasSubstr("demo/31, demo/ann")));
}

TEST(MakeFolds, APresetPicksItsCorpusAmongSeveralAndTheOthersTrain) {
  Manifest manifest = numbered_manifest("ravdess", 24);
  add_recording(manifest, "other", "other/01", 0);
  for (const Fold& fold : make_folds({.preset = "ravdess_6x4"}, manifest)) {
    EXPECT_THAT(fold.train_actors, ::testing::Contains("other/01"));
  }
  Manifest neither = numbered_manifest("one", 24);
  add_recording(neither, "two", "two/01", 0);
  EXPECT_THAT(error_of({.preset = "ravdess_6x4"}, neither), HasSubstr("the recordings are of one, two"));
}

TEST(MakeFolds, UnknownPresetNamesTheKnownOnes) {
  EXPECT_THAT(error_of({.preset = "nope"}, numbered_manifest("ravdess", 24)),
              AllOf(HasSubstr("\"nope\""), HasSubstr("ravdess_6x4, ravdess_luna_5, ravdess_emobox_6")));
  EXPECT_THAT(error_of({.scheme = Scheme::kLeaveOneActorOut, .preset = "ravdess_6x4"},
                       numbered_manifest("ravdess", 24)),
              HasSubstr("a preset lists its own folds"));
}

TEST(MakeFolds, ExplicitGroupsOverrideAndTheRestTrains) {
  const std::vector<Fold> folds = make_folds(
      {.preset = "ravdess_6x4", .validation_actors = 1, .groups = {{{"demo/05", "demo/02"}}, {{"demo/01"}}}},
      numbered_manifest("demo", 6));
  EXPECT_THAT(tested(folds), ElementsAre(ElementsAre("demo/02", "demo/05"), ElementsAre("demo/01")));
  // The even fold asks for a woman and the next group has none: the first who trains everywhere is asked.
  EXPECT_THAT(folds[0].validation_actors, ElementsAre("demo/04"));
  EXPECT_THAT(folds[0].train_actors, ElementsAre("demo/01", "demo/03", "demo/06"));
}

TEST(MakeFolds, ExplicitGroupsReportEveryOffender) {
  EXPECT_THAT(
      error_of({.groups = {{{"demo/01", "demo/7"}}, {}, {{"demo/01", "demo/02", "demo/02", "dome/03"}}}},
               numbered_manifest("demo", 6)),
      AllOf(HasSubstr("groups[1] tests no actor"), HasSubstr("groups[2]: demo/01 is already in groups[0]"),
            HasSubstr("groups[2]: demo/02 is already in groups[2]"),
            HasSubstr("groups[0]: no recording is of actor \"demo/7\""),
            HasSubstr("\"dome/03\"; did you mean \"demo/03\"?")));
}

TEST(MakeFolds, RefusesFewerActorsThanFolds) {
  EXPECT_THAT(error_of({.count = 5}, numbered_manifest("demo", 3)),
              AllOf(HasSubstr("5 folds"), HasSubstr("3: demo/01, demo/02, demo/03")));
  EXPECT_THAT(error_of({.scheme = Scheme::kLeaveOneActorOut}, numbered_manifest("demo", 1)),
              HasSubstr("demo/01"));
  EXPECT_THAT(error_of({.count = 1}, numbered_manifest("demo", 3)), HasSubstr("at least 2"));
  EXPECT_THAT(error_of({}, Manifest{}), HasSubstr("no recordings"));
}

TEST(MakeFolds, RefusesMoreValidationActorsThanThereAreToTakeInEveryFold) {
  const Manifest manifest = numbered_manifest("demo", 5);
  EXPECT_THAT(error_of({.count = 2, .validation_actors = 2}, manifest),
              AllOf(HasSubstr("fold 1 has 2 actors"), Not(HasSubstr("fold 2"))));
  EXPECT_THAT(error_of({.count = 2, .validation_actors = 3}, manifest),
              AllOf(HasSubstr("fold 1 has 2 actors"), HasSubstr("fold 2 has 3 actors")));
  EXPECT_EQ(error_of({.count = 2, .validation_actors = 1}, manifest), "");
}

TEST(MakeFolds, NamesEveryClassThatAFoldCannotLearn) {
  Manifest manifest;
  manifest.classes = {"angry", "calm", "happy", "sad"};  // nobody is sad: not asked for
  for (const int number : {1, 2, 3, 4}) add_recording(manifest, "x", numbered("x", number), 0);
  add_recording(manifest, "x", "x/01", 1);
  add_recording(manifest, "x", "x/03", 2);
  EXPECT_THAT(error_of({.count = 4, .validation_actors = 0}, manifest),
              AllOf(HasSubstr("fold 1 has no training recording of: calm"),
                    HasSubstr("fold 3 has no training recording of: happy"), Not(HasSubstr("fold 2")),
                    Not(HasSubstr("sad"))));
  // A class that only the validation actors have is as absent as one that only the tested actors have.
  EXPECT_THAT(error_of({.count = 4, .validation_actors = 2}, manifest),
              HasSubstr("fold 2 has no training recording of: happy"));
}

TEST(MakeFolds, ValidationActorsAlternateGendersAndServeEquallyOften) {
  const std::vector<Fold> folds = make_folds({.preset = "ravdess_6x4"}, numbered_manifest("ravdess", 24));
  EXPECT_THAT(folds[0].validation_actors, ElementsAre("ravdess/05", "ravdess/06"));
  EXPECT_THAT(folds[5].validation_actors, ElementsAre("ravdess/01", "ravdess/02"));

  std::map<std::string, int> served;
  for (const Fold& fold : make_folds({.scheme = Scheme::kLeaveOneActorOut, .validation_actors = 3},
                                     numbered_manifest("ravdess", 24))) {
    int women = 0;
    for (const std::string& actor : fold.validation_actors) {
      ++served[actor];
      women += std::stoi(actor.substr(8)) % 2 == 0;
    }
    EXPECT_EQ(women, fold.index % 2 == 0 ? 2 : 1);
  }
  for (const auto& [actor, times] : served) EXPECT_EQ(times, 3) << actor;
  EXPECT_EQ(served.size(), 24u);
}

TEST(MakeFolds, ValidationFallsBackToTheOrderWhereOneGenderRunsOut) {
  Manifest manifest = numbered_manifest("demo", 6);
  for (corpus::Recording& recording : manifest.recordings) {
    recording.gender = recording.actor == "demo/06" ? corpus::Gender::kFemale : corpus::Gender::kMale;
  }
  const std::vector<Fold> folds =
      make_folds({.scheme = Scheme::kLeaveOneActorOut, .validation_actors = 3}, manifest);
  EXPECT_THAT(folds[0].validation_actors, ElementsAre("demo/02", "demo/03", "demo/06"));
  EXPECT_THAT(folds[5].validation_actors, ElementsAre("demo/01", "demo/02", "demo/03"));
}

// Random manifests and settings: whatever make_folds accepts has disjoint sides that cover everything.
TEST(MakeFolds, SidesAreDisjointAndCoverEveryRecording) {
  int accepted = 0, refused = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const RandomStream random{trial, 0, RandomPurpose::kTest};
    Manifest manifest;
    manifest.classes = {"angry", "calm", "happy"};
    const std::uint32_t actors = 2 + random.below(0, 14), count = 10 + random.below(1, 90);
    for (std::uint64_t r = 0; r < count; ++r) {
      const int number = static_cast<int>(random.below(10 + 3 * r, actors));
      add_recording(manifest, "x", "x/" + std::to_string(number),
                    static_cast<int>(random.below(11 + 3 * r, 3)));
      manifest.recordings.back().gender = static_cast<corpus::Gender>(number % 3);
    }
    const FoldSettings settings{
        .scheme = random.below(2, 3) == 0 ? Scheme::kLeaveOneActorOut : Scheme::kActors,
        .count = 2 + static_cast<int>(random.below(3, 5)),
        .validation_actors = static_cast<int>(random.below(4, 4))};
    if (!error_of(settings, manifest).empty()) {
      ++refused;
      continue;
    }
    ++accepted;
    const std::vector<Fold> folds = make_folds(settings, manifest);
    std::vector<int> times_tested(manifest.recordings.size());
    for (const Fold& fold : folds) {
      ASSERT_EQ(fold.validation_actors.size(), static_cast<std::size_t>(settings.validation_actors));
      std::vector<int> times_used(manifest.recordings.size());
      const auto take = [&](const std::vector<std::int64_t>& side,
                            const std::vector<std::string>& side_actors) {
        ASSERT_TRUE(std::is_sorted(side.begin(), side.end()));
        ASSERT_TRUE(std::is_sorted(side_actors.begin(), side_actors.end(), natural_less));
        std::set<std::string> seen;
        for (const std::int64_t r : side) {
          ++times_used[static_cast<std::size_t>(r)];
          seen.insert(manifest.recordings[static_cast<std::size_t>(r)].actor);
        }
        ASSERT_EQ(seen, std::set<std::string>(side_actors.begin(), side_actors.end()));
      };
      take(fold.train, fold.train_actors);
      take(fold.validation, fold.validation_actors);
      take(fold.test, fold.test_actors);
      for (const int times : times_used) ASSERT_EQ(times, 1);
      for (const std::int64_t r : fold.test) ++times_tested[static_cast<std::size_t>(r)];
      EXPECT_NO_THROW(check_disjoint({fold}, manifest));
    }
    for (const int times : times_tested) ASSERT_EQ(times, 1);
  }
  EXPECT_GT(accepted, 50);
  EXPECT_GT(refused, 20);
}

TEST(CheckDisjoint, NamesEveryActorOnTwoSides) {
  const Manifest manifest = numbered_manifest("demo", 6);
  std::vector<Fold> folds = make_folds({.count = 3, .validation_actors = 1}, manifest);
  EXPECT_NO_THROW(check_disjoint(folds, manifest));
  folds[0].train.push_back(folds[0].test.front());                // a recording alone, the lists untouched
  folds[2].validation_actors.push_back(folds[2].test_actors[1]);  // a list alone
  try {
    check_disjoint(folds, manifest);
    FAIL() << "accepted";
  } catch (const AuditError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("fold 1: demo/01 is on the sides test and training"),
                                    HasSubstr("fold 3: demo/06 is on the sides test and validation"),
                                    Not(HasSubstr("fold 2"))));
  }
}

TEST(FoldSettings, ReadFromJson) {
  std::vector<std::string> errors;
  const auto settings =
      read_settings<FoldSettings>(parse_json(R"({"scheme": "leave_one_actor_out", "validation_actors": 3,
                     "groups": [{"test": ["ravdess/01", "ravdess/02"]}, {"test": ["ravdess/03"]}]})",
                                             "x.json"),
                                  errors);
  EXPECT_THAT(errors, ElementsAre());
  EXPECT_EQ(settings.scheme, Scheme::kLeaveOneActorOut);
  EXPECT_EQ(settings.validation_actors, 3);
  ASSERT_EQ(settings.groups.size(), 2u);
  EXPECT_THAT(settings.groups[0].test, ElementsAre("ravdess/01", "ravdess/02"));

  read_settings<FoldSettings>(parse_json(R"({"preset": "ravdess_6x5", "count": 1})", "x.json"), errors);
  EXPECT_THAT(errors, ::testing::UnorderedElementsAre(HasSubstr("did you mean \"ravdess_6x4\"?"),
                                                      HasSubstr("count")));
}

}  // namespace
}  // namespace serval::folds
