#include "serval/audit/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

namespace serval::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

corpus::Manifest four_actors() {
  corpus::Manifest manifest;
  manifest.classes = {"angry", "sad"};
  for (int i = 0; i < 8; ++i) {
    corpus::Recording recording;
    recording.actor = cat("c/", i / 2);
    recording.id = cat("c/r", i);
    manifest.recordings.push_back(recording);
    manifest.class_of.push_back(i % 2);
  }
  return manifest;
}

std::vector<folds::Fold> two_folds() {
  folds::Fold first;
  first.index = 0;
  first.train_actors = {"c/2"};
  first.validation_actors = {"c/3"};
  first.test_actors = {"c/0", "c/1"};
  first.train = {4, 5};
  first.validation = {6, 7};
  first.test = {0, 1, 2, 3};
  folds::Fold second;
  second.index = 1;
  second.train_actors = {"c/0"};
  second.validation_actors = {"c/1"};
  second.test_actors = {"c/2", "c/3"};
  second.train = {0, 1};
  second.validation = {2, 3};
  second.test = {4, 5, 6, 7};
  return {first, second};
}

std::vector<std::string> distinct_hashes() { return {"a", "b", "c", "d", "e", "f", "g", "h"}; }

const Check& check_named(const Audit& audit, const std::string& name) {
  for (const Check& check : audit.checks) {
    if (check.name == name) return check;
  }
  throw std::runtime_error("no check " + name);
}

TEST(Audit, CopiesOfTrainingRecordingsPass) {
  const Audit audit =
      audit_plan(four_actors(), two_folds(), {distinct_hashes(), {}, {{0, {4, 5}}, {1, {0}}}});
  EXPECT_TRUE(audit.passed());
  EXPECT_THAT(check_named(audit, "copies_of_training_recordings_only").evidence,
              ElementsAre("3 recordings in 2 folds, all on the training side"));
  // Without copies there is nothing to check.
  for (const Check& check : audit_plan(four_actors(), two_folds(), {distinct_hashes()}).checks)
    EXPECT_NE(check.name, "copies_of_training_recordings_only");
}

TEST(Audit, ACopyOfATestOrValidationRecordingIsFound) {
  const Audit audit =
      audit_plan(four_actors(), two_folds(), {distinct_hashes(), {}, {{0, {4, 2}}, {1, {0, 1, 3}}}});
  EXPECT_FALSE(audit.passed());
  const Check& check = check_named(audit, "copies_of_training_recordings_only");
  EXPECT_FALSE(check.passed);
  EXPECT_THAT(check.evidence,
              ElementsAre("fold 1: copies are made from c/r2 of c/1, which is not on its training side",
                          "fold 2: copies are made from c/r3 of c/1, which is not on its training side"));
  EXPECT_THROW(require_passed(audit, "here"), AuditError);
}

// A fold whose own list of recordings is wrong: the actor tells.
TEST(Audit, ACopyOfATestActorIsFoundByTheActor) {
  std::vector<folds::Fold> folds = two_folds();
  folds[0].train.push_back(0);
  const Audit audit = audit_plan(four_actors(), folds, {distinct_hashes(), {}, {{0, {0, 4}}}});
  EXPECT_THAT(check_named(audit, "copies_of_training_recordings_only").evidence,
              ElementsAre(HasSubstr("copies are made from c/r0 of c/0")));
}

Audit with_statistics(const std::vector<Statistic>& statistics) {
  Audit audit = audit_plan(four_actors(), two_folds(), {distinct_hashes()});
  audit_lineage(audit, four_actors(), two_folds(), statistics, {});
  return audit;
}

TEST(Audit, AnHonestPlanPasses) {
  const Audit audit = with_statistics({{"normaliser", 0, {"c/2"}}, {"normaliser", 1, {"c/0"}}});
  EXPECT_TRUE(audit.passed());
  EXPECT_FALSE(audit.leaks());
  EXPECT_EQ(to_json(audit).find("verdict")->text, "passed");
  EXPECT_NO_THROW(require_passed(audit, "x"));
}

TEST(Audit, ReadsWhatItWrote) {
  const Audit audit = with_statistics({{"normaliser", 1, {"c/0", "c/3"}}});
  const std::string written = write_json(to_json(audit));
  EXPECT_EQ(write_json(to_json(audit_of(parse_json(written, "audit.json")))), written);
  EXPECT_THROW(audit_of(parse_json("{}", "audit.json")), DataError);
  std::string better = written;
  better.replace(better.find("\"failed\""), 8, "\"passed\"");
  EXPECT_THROW(audit_of(parse_json(better, "audit.json")),
               DataError);  // the verdict is not that of its checks
}

TEST(Audit, NamesAnActorOnTwoSides) {
  std::vector<folds::Fold> folds = two_folds();
  folds[0].train.push_back(1);
  const Audit audit = audit_plan(four_actors(), folds, {distinct_hashes()});
  EXPECT_THAT(check_named(audit, "actors_on_one_side").evidence,
              ElementsAre("fold 1: c/0 is in test and train: c/r0, c/r1 in test; c/r1 in train"));
}

TEST(Audit, NamesARecordingTestedTwice) {
  std::vector<folds::Fold> folds = two_folds();
  folds[1].test.push_back(3);
  const Audit audit = audit_plan(four_actors(), folds, {distinct_hashes()});
  EXPECT_THAT(check_named(audit, "tested_at_most_once").evidence, ElementsAre("c/r3 is tested 2 times"));
}

TEST(Audit, FindsTheSameSoundUnderTwoNamesOnlyWhereItCrossesSides) {
  std::vector<std::string> hashes = distinct_hashes();
  hashes[1] = hashes[0];  // one actor: the same side in every fold
  EXPECT_TRUE(audit_plan(four_actors(), two_folds(), {hashes}).passed());
  hashes[4] = hashes[0];  // test and train in fold 1, train and test in fold 2
  const Audit audit = audit_plan(four_actors(), two_folds(), {hashes});
  EXPECT_THAT(check_named(audit, "no_identical_audio_across_sides").evidence,
              ElementsAre("fold 1: c/r0 (test) and c/r4 (train) are the same audio",
                          "fold 1: c/r1 (test) and c/r4 (train) are the same audio",
                          "fold 2: c/r0 (train) and c/r4 (test) are the same audio",
                          "fold 2: c/r1 (train) and c/r4 (test) are the same audio"));
}

TEST(Audit, NamesAStatisticThatSawATestActor) {
  const Audit audit = with_statistics({{"normaliser", 1, {"c/0", "c/3"}}});
  EXPECT_THAT(check_named(audit, "nothing_fitted_on_test_actors").evidence,
              ElementsAre("normaliser: fitted on c/3, a test actor of fold 2"));
  try {
    require_passed(audit, "run");
    FAIL();
  } catch (const AuditError& error) {
    EXPECT_EQ(error.code(), ExitCode::kAudit);
    EXPECT_THAT(error.what(),
                HasSubstr("run: the leak audit failed\n  nothing_fitted_on_test_actors: normaliser"));
  }
}

}  // namespace
}  // namespace serval::audit
