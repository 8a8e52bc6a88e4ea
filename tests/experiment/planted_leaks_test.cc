// Leaks planted on purpose among recordings of people: the audit fails each of them and names the recordings, and passes the
// same experiment without it.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/decode.h"
#include "serval/audio/resample.h"
#include "serval/core/log.h"
#include "serval/core/philox.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/audio/sound_files.h"

namespace serval::experiment {
namespace {

using audit::Audit;
using audit::ModelLineage;
using audit::Role;
using audit::Statistic;
using corpus::TempFolder;
using folds::Leak;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;

constexpr int kActors = 6;

// Four recordings each of six RAVDESS actors, listed in a file of their own; "" where there are none at hand.
std::string ravdess() {
  const char* root = std::getenv("SERVAL_CORPORA");
  const std::string folder = root == nullptr ? "" : cat(root, "/ravdess");
  return !folder.empty() && std::filesystem::is_directory(folder) ? folder : "";
}

std::string name_of(int emotion, int statement, int actor) {
  return cat("03-01-0", emotion, "-01-0", statement, "-01-0", actor);
}

struct Line {
  std::string id, path, actor, label, sentence, derived_from = {};
};

std::vector<Line> clean_lines() {
  std::vector<Line> lines;
  for (int actor = 1; actor <= kActors; ++actor) {
    for (const auto& [emotion, label] : {std::pair(3, "happy"), std::pair(4, "sad")}) {
      for (int statement = 1; statement <= 2; ++statement) {
        const std::string name = name_of(emotion, statement, actor);
        lines.push_back(
            {name, cat(ravdess(), "/", name, ".flac"), cat("a", actor), label, cat("s", statement)});
      }
    }
  }
  return lines;
}

class PlantedLeaks : public testing::Test {
 protected:
  void SetUp() override {
    if (ravdess().empty()) GTEST_SKIP() << "not run: SERVAL_CORPORA names no folder with ravdess/";
    set_quiet(true);
  }

  ExperimentSettings load(const std::vector<Line>& lines, const std::string& folds,
                          const std::string& protocol = "{}", const std::string& more = "") {
    std::string csv = "id,path,actor,label,sentence,derived_from\n";
    for (const Line& line : lines)
      csv += cat(line.id, ",", line.path, ",", line.actor, ",", line.label, ",", line.sentence, ",",
                 line.derived_from, "\n");
    const std::string list = folder_.write("c.csv", csv);
    return load_experiment(folder_.write("x.json", cat(R"({
  "name": "planted", "labels": "custom", "classes": ["happy", "sad"],
  "corpora": [{"file": ")",
                                                       list, R"("}],
  "features": {"mel": {"type": "log_mel", "n_mels": 16}},
  "folds": )",
                                                       folds, R"(, "protocol": )", protocol, R"(,
  "models": {"m": {"input": {"features": "mel"}, "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]})",
                                                       more, R"(}},
  "train": {"epochs": 2}, "store": ")",
                                                       folder_ / "stores", "\"}")),
                           {});
  }
  Audit plan_of(const std::vector<Line>& lines, const std::string& folds = kFolds,
                const std::string& protocol = "{}") {
    return audit_experiment(load(lines, folds, protocol), 2);
  }
  // Writes what was made of the recording; `actor` is to speak it, as "planted".
  Line planted(const Line& from, const std::string& actor, const std::vector<float>& samples, int rate_hz,
               int format = audio::kWav16, const std::string& ending = ".wav") {
    const std::string path = audio::write_sound(folder_ / ("planted" + ending), samples, rate_hz, format);
    return {"planted", path, actor, from.label, from.sentence};
  }

  static constexpr const char* kFolds = R"({"count": 3, "validation_actors": 1})";
  TempFolder folder_;
};

// The failed checks of an audit, by name; each with its evidence in one text.
std::map<std::string, std::string> failed(const Audit& audit) {
  std::map<std::string, std::string> out;
  for (const audit::Check& check : audit.checks) {
    if (!check.passed && !check.allowed) out[check.name] = join(check.evidence, "\n");
  }
  return out;
}

void expect_failed(const Audit& audit, const std::string& check, const std::vector<std::string>& names) {
  EXPECT_FALSE(audit.passed());
  const auto found = failed(audit);
  ASSERT_EQ(found.count(check), 1u) << audit_text(audit);
  for (const std::string& name : names) EXPECT_THAT(found.at(check), HasSubstr(name));
  EXPECT_THROW(require_passed(audit, "run"), AuditError);
}

TEST_F(PlantedLeaks, TheCleanTwinPasses) {
  const Audit audit = plan_of(clean_lines());
  EXPECT_TRUE(audit.passed()) << audit_text(audit);
  EXPECT_FALSE(audit.leaks());
}

// One sound by two actors, whatever was done to it. Actor a1 is tested in the first fold, a5 trains there.
struct Change {
  const char* name;
  std::function<std::vector<float>(const audio::Waveform&)> make;
  int rate_hz;
  int format = audio::kWav16;
  const char* ending = ".wav";
};

std::vector<float> at_rate(const audio::Waveform& from, int rate_hz) {
  return audio::resample(from, rate_hz, audio::Resampler{}).samples;
}
std::vector<float> scaled(std::vector<float> samples, float factor) {
  for (float& sample : samples) sample *= factor;
  return samples;
}
std::vector<float> with_noise(std::vector<float> samples, double snr_db) {
  double power = 0;
  for (const float sample : samples) power += static_cast<double>(sample) * static_cast<double>(sample);
  const double noise = std::sqrt(power / static_cast<double>(samples.size()) / std::pow(10, snr_db / 10) * 3);
  const RandomStream random{11, 0, RandomPurpose::kTest, 0, 0};
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] += static_cast<float>(noise * (2 * static_cast<double>(random.uniform(i)) - 1));
  return samples;
}

std::vector<Change> changes() {
  constexpr int kOpus = SF_FORMAT_OGG | SF_FORMAT_OPUS;
  return {
      {"OtherFormat", [](const audio::Waveform& w) { return w.samples; }, 22050},
      {"Louder", [](const audio::Waveform& w) { return scaled(w.samples, 3.7f); }, 22050},
      {"Softer", [](const audio::Waveform& w) { return scaled(w.samples, 0.05f); }, 22050},
      {"UpsideDown", [](const audio::Waveform& w) { return scaled(w.samples, -1.0f); }, 22050},
      {"Opus", [](const audio::Waveform& w) { return at_rate(w, 48000); }, 48000, kOpus, ".opus"},
      {"OpusOfNarrowBand", [](const audio::Waveform& w) { return scaled(at_rate(w, 8000), 0.4f); }, 8000,
       kOpus, ".opus"},
      {"ResampledAndSofter", [](const audio::Waveform& w) { return scaled(at_rate(w, 11025), 0.25f); },
       11025},
      {"Vorbis", [](const audio::Waveform& w) { return w.samples; }, 22050, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
       ".ogg"},
      {"Noise10Db", [](const audio::Waveform& w) { return with_noise(w.samples, 10); }, 22050},
      {"CutStart",
       [](const audio::Waveform& w) { return std::vector<float>(w.samples.begin() + 6000, w.samples.end()); },
       22050},
      {"SilenceBefore",
       [](const audio::Waveform& w) {
         std::vector<float> out(9000);
         out.insert(out.end(), w.samples.begin(), w.samples.end());
         return out;
       },
       22050},
  };
}

TEST_F(PlantedLeaks, OneSoundByTwoActorsIsFoundWhateverWasDoneToIt) {
  for (const Change& change : changes()) {
    SCOPED_TRACE(change.name);
    std::vector<Line> lines = clean_lines();
    const Line from = lines[1];
    const audio::Waveform original = audio::decode(from.path);
    ASSERT_EQ(original.sample_rate_hz, 22050);
    lines.push_back(planted(from, "a5", change.make(original), change.rate_hz, change.format, change.ending));
    const Audit audit = plan_of(lines);
    EXPECT_FALSE(audit.passed());
    const auto found = failed(audit);
    const bool same = found.count("no_identical_audio_across_sides") > 0;
    ASSERT_TRUE(same || found.count("no_near_identical_audio_across_sides") > 0) << audit_text(audit);
    const std::string& evidence =
        found.at(same ? "no_identical_audio_across_sides" : "no_near_identical_audio_across_sides");
    EXPECT_THAT(evidence, HasSubstr(from.id));
    EXPECT_THAT(evidence, HasSubstr("c/planted"));
    for (const auto& [check, text] : found) EXPECT_THAT(check, HasSubstr("identical_audio"));
  }
}

TEST_F(PlantedLeaks, AByteForByteCopyUnderAnotherActor) {
  std::vector<Line> lines = clean_lines();
  std::filesystem::copy_file(lines[0].path, folder_ / "planted.flac");
  lines.push_back({"planted", folder_ / "planted.flac", "a6", lines[0].label, lines[0].sentence});
  expect_failed(plan_of(lines), "no_identical_audio_across_sides", {lines[0].id, "c/planted"});
}

TEST_F(PlantedLeaks, ACopyThatItsListTellsOf) {
  std::vector<Line> lines = clean_lines();
  const Line from = lines[2];
  // Faster by a third: another sound, which only the list gives away.
  const audio::Waveform original = audio::decode(from.path);
  Line copy = planted(from, "a4", original.samples, 29400);
  EXPECT_TRUE(plan_of([&] {
                auto all = lines;
                all.push_back(copy);
                return all;
              }())
                  .passed());
  copy.derived_from = from.id;
  lines.push_back(copy);
  expect_failed(plan_of(lines), "copies_with_their_originals", {from.id, "c/planted"});
  // Beside its original it may stay.
  lines.back().actor = from.actor;
  EXPECT_TRUE(plan_of(lines).passed());
}

TEST_F(PlantedLeaks, OversampledBeforeTheSplit) {
  std::vector<Line> lines = clean_lines();
  lines.push_back({"again", lines[3].path, "a3", lines[3].label, lines[3].sentence});
  expect_failed(plan_of(lines), "recordings_on_one_side", {lines[3].id, "c/again"});
}

// Lists of recordings, as papers publish them.
class PlantedLists : public PlantedLeaks {
 protected:
  // Actors 1 and 2 test, 3 validates, the others train; then `more` lines.
  Audit with(const std::string& more, const std::string& protocol = "{}") {
    std::string csv = "recording,fold,side\n";
    for (const Line& line : clean_lines()) {
      const int actor = line.actor[1] - '0';
      csv += cat("c/", line.id, ",1,", actor <= 2 ? "test" : actor == 3 ? "validation" : "train", "\n");
    }
    const std::string list = folder_.write("l.csv", csv + more);
    return plan_of(clean_lines(), cat(R"({"scheme": "list", "list": ")", list, "\"}"), protocol);
  }
  static std::string id(int emotion, int statement, int actor) {
    return cat("c/", name_of(emotion, statement, actor));
  }
};

TEST_F(PlantedLists, TheCleanTwinPasses) { EXPECT_TRUE(with("").passed()); }

TEST_F(PlantedLists, ATestActorTrains) {
  // Another recording of the actor, not one that is tested.
  const std::string list = folder_.write(
      "split.csv", cat("recording,side\n", id(3, 1, 1), ",test\n", id(4, 1, 1), ",test\n", id(3, 2, 1),
                       ",train\n", id(4, 2, 1), ",train\n", id(3, 1, 4), ",validation\n"));
  const Audit audit = plan_of(clean_lines(), cat(R"({"scheme": "list", "list": ")", list, "\"}"));
  expect_failed(audit, "actors_on_one_side", {"c/a1 is in test and train", id(3, 1, 1), id(3, 2, 1)});
}

TEST_F(PlantedLists, AValidationActorTrains) {
  expect_failed(with(cat(id(3, 1, 4), ",1,validation\n")), "validation_actors_do_not_train",
                {"c/a4", id(3, 1, 4)});
}

TEST_F(PlantedLists, ATestRecordingTrains) {
  expect_failed(with(cat(id(4, 2, 2), ",1,train\n")), "recordings_on_one_side",
                {id(4, 2, 2), "train and test"});
}

TEST_F(PlantedLists, TheTestSideValidates) {
  expect_failed(with(cat(id(3, 1, 1), ",1,validation\n")), "actors_on_one_side",
                {"c/a1 is in test and validation"});
}

TEST_F(PlantedLists, ARecordingIsTestedInTwoFolds) {
  const Audit audit = with(cat(id(3, 1, 1), ",2,test\n", id(3, 1, 2), ",2,train\n", id(4, 1, 2), ",2,train\n",
                               id(3, 1, 3), ",2,validation\n"));
  expect_failed(audit, "tested_at_most_once", {cat(id(3, 1, 1), " is tested 2 times")});
}

TEST_F(PlantedLists, AKnownLeakPassesWithAStamp) {
  const Audit audit =
      with(cat(id(3, 1, 4), ",1,validation\n"), R"({"leaks": ["shared_validation_actors", "shared_audio"]})");
  EXPECT_TRUE(audit.passed());
  EXPECT_TRUE(audit.leaks());
  EXPECT_STREQ(audit.verdict(), "leaks");
}

// What was fitted, and what training says of itself.
class PlantedLineage : public PlantedLeaks {
 protected:
  void SetUp() override {
    PlantedLeaks::SetUp();
    if (IsSkipped()) return;
    manifest_ = find_manifest(load(clean_lines(), kFolds), 2);
    folds_ = folds::make_folds({.count = 3, .validation_actors = 1}, manifest_);
    for (const folds::Fold& fold : folds_)
      models_.push_back(
          {cat("model m, fold ", fold.index + 1), fold.index, 0, fold.train, fold.validation, fold.test});
  }
  Audit with(const std::vector<Statistic>& statistics = {},
             const folds::ProtocolSettings& protocol = {}) const {
    std::vector<std::string> hashes;
    for (const corpus::Recording& recording : manifest_.recordings) hashes.push_back(recording.content_hash);
    Audit audit = audit::audit_plan(manifest_, folds_, {hashes}, protocol);
    audit::audit_lineage(audit, manifest_, folds_, statistics, models_, protocol);
    return audit;
  }
  const std::string& id(std::int64_t r) const { return manifest_.recordings[static_cast<std::size_t>(r)].id; }

  corpus::Manifest manifest_;
  std::vector<folds::Fold> folds_;
  std::vector<ModelLineage> models_;
};

TEST_F(PlantedLineage, TheCleanTwinPasses) {
  const Audit audit = with({{"normaliser", 0, folds_[0].train_actors},
                            {"choice of the epoch", 1, folds_[1].validation_actors, Role::kChoice},
                            {"fusion weights", 2, folds_[2].validation_actors, Role::kChoice}});
  EXPECT_TRUE(audit.passed()) << audit_text(audit);
}

TEST_F(PlantedLineage, FittedOnWhomItMayNotSee) {
  struct Case {
    Statistic statistic;
    std::string evidence;
  };
  const std::vector<Case> cases = {
      {{"scaler", 0, manifest_.actors()}, "scaler: fitted on c/a1, a test actor of fold 1"},
      {{"scaler", 0, {folds_[0].train_actors[0], folds_[0].validation_actors[0]}},
       cat("scaler: fitted on ", folds_[0].validation_actors[0], ", a validation actor of fold 1")},
      {{"principal components", 1, {folds_[1].test_actors[1]}}, "a test actor of fold 2"},
      {{"extractor", 2, manifest_.actors()}, "extractor: fitted on c/a5, a test actor of fold 3"},
      {{"class weights", 0, manifest_.actors()}, "class weights: fitted on c/a2, a test actor of fold 1"},
      {{"fusion weights", 1, folds_[1].test_actors, Role::kChoice},
       "fusion weights: fitted on c/a3, a test actor"},
      {{"choice of the epoch", 1, folds_[1].test_actors, Role::kChoice},
       "choice of the epoch: fitted on c/a4"},
      {{"scaler", 0, {"c/a9"}}, "scaler: fitted on c/a9, no actor of fold 1"},
  };
  for (const Case& planted : cases)
    expect_failed(with({planted.statistic}), "nothing_fitted_on_test_actors", {planted.evidence});
}

TEST_F(PlantedLineage, ANormaliserOnAllNeedsItsOwnLeak) {
  Statistic statistic{"scaler", 0, manifest_.actors()};
  statistic.leak = Leak::kNormaliserOnAll;
  EXPECT_TRUE(with({statistic}, {{"normaliser_on_all"}}).leaks());
  EXPECT_FALSE(with({statistic}, {{"fusion_on_test"}}).passed());
}

TEST_F(PlantedLineage, TrainedOnATestRecording) {
  models_[1].trained_on.push_back(folds_[1].test[2]);
  expect_failed(with(), "trained_on_the_training_side", {id(folds_[1].test[2]), "model m, fold 2"});
}

TEST_F(PlantedLineage, ACopyOfAValidationRecordingTrained) {
  models_[0].trained_on.push_back(folds_[0].validation[0]);
  expect_failed(with(), "trained_on_the_training_side", {id(folds_[0].validation[0])});
}

TEST_F(PlantedLineage, TheTestSideChoseTheEpoch) {
  models_[2].chosen_by = folds_[2].test;
  expect_failed(with(), "chosen_by_the_validation_side", {id(folds_[2].test[0]), "on the test side"});
  EXPECT_FALSE(with({}, {{"fusion_on_test"}}).passed());
  EXPECT_TRUE(with({}, {{"test_selection"}}).passed());
}

TEST_F(PlantedLineage, TheTestSideWasScoredTwiceOrInPart) {
  models_[0].tested_on.push_back(folds_[0].test[1]);
  expect_failed(with(), "test_side_scored_once", {id(folds_[0].test[1])});
  models_[0].tested_on = {folds_[0].test[0]};
  expect_failed(with(), "test_side_scored_once", {"did not test", id(folds_[0].test[1])});
}

TEST_F(PlantedLineage, WeightsThatHeardATestActor) {
  models_[0].weights_file = "pretrained.h5";
  models_[0].weights_heard = folds_[0].train_actors;
  EXPECT_TRUE(with().passed());
  models_[0].weights_heard.push_back(folds_[0].test_actors[0]);
  expect_failed(with(), "initial_weights_heard_no_test_actor", {"pretrained.h5, trained on c/a1"});
}

// The same through whole runs: weights of a first run, whose fold trained whom the second one tests.
TEST_F(PlantedLeaks, WeightsOfAnotherRunThatHeardTheTestActors) {
  const std::string first = folder_ / "first";
  run_experiment(load(clean_lines(), kFolds), {Device{}, 2, first});
  const auto second = [&](const std::string& fold) {
    return load(clean_lines(), kFolds, "{}",
                cat(R"(, "initial_weights": {"file": ")", first, "/models/m/fold-", fold,
                    R"(_seed-{seed}/checkpoint.h5", "map": {"*": "selected/*"}})"));
  };
  EXPECT_NO_THROW(run_experiment(second("{fold}"), {Device{}, 2, folder_ / "same folds"}));
  try {
    run_experiment(second("02"), {Device{}, 2, folder_ / "one fold for all"});
    FAIL() << "weights that heard test actors were accepted";
  } catch (const AuditError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("initial_weights_heard_no_test_actor: fold 1, model m, seed 1"),
                                    HasSubstr("trained on c/a"), HasSubstr("an actor of its test side")));
  }
  // Copies of its test recordings trained a first run, so no run may start from it where these are tested.
  run_experiment(
      load(clean_lines(), kFolds,
           R"({"leaks": ["copies_before_split"]}, "augment": {"copies": 1, "effects": [{"type": "gain"}]})"),
      {Device{}, 2, folder_ / "copies"});
  std::filesystem::remove_all(first);
  std::filesystem::rename(folder_ / "copies", first);
  try {
    run_experiment(second("{fold}"), {Device{}, 2, folder_ / "from copies"});
    FAIL() << "weights of copies of test recordings were accepted";
  } catch (const AuditError& error) {
    EXPECT_THAT(error.what(), HasSubstr("initial_weights_heard_no_test_actor"));
  }
}

}  // namespace
}  // namespace serval::experiment
