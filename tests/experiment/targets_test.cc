// Targets of an experiment: read from tables, learned by heads, scored.
#include <algorithm>
#include <cmath>
#include <map>

#include "serval/core/csv.h"

#include "tests/experiment/targets_fixture.h"
#include "tests/support/stop_and_go.h"

namespace serval::experiment {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_P(TargetsTest, HeadsLearnClassesNumbersAndAttributesSideBySide) {
  const JsonValue results = run("out", load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads)));
  EXPECT_GT(results.find("summary")->find("uar")->find("mean")->real, 0.8);
  const JsonValue& heads = *results.find("models")->find("m")->find("heads");
  ASSERT_EQ(heads.members.size(), 2u);
  for (const char* name : {"valence", "pitch"}) {
    const JsonValue& number = *heads.find("dims")->find("numbers")->find(name);
    EXPECT_GT(number.find("summary")->find("ccc")->find("mean")->real, 0.7) << name;
    ASSERT_EQ(number.find("folds")->items.size(), 6u);
    const JsonValue& fold = number.find("folds")->items[3];  // fold 2, seed 2
    EXPECT_EQ(fold.find("fold")->integer, 2);
    EXPECT_EQ(fold.find("seed")->integer, 2);
    EXPECT_EQ(fold.find("test_actors")->items.size(), 2u);
    EXPECT_DOUBLE_EQ(fold.find("rmse")->real, std::sqrt(fold.find("mse")->real));
  }
  EXPECT_LT(
      heads.find("dims")->find("numbers")->find("valence")->find("summary")->find("rmse")->find("mean")->real,
      20);  // in the table's unit
  EXPECT_EQ(heads.find("who")->find("classes")->items.size(), 2u);
  EXPECT_THAT(file("out/results.txt"),
              AllOf(HasSubstr("output dims, target affect"), HasSubstr("valence mean: CCC")));
  EXPECT_THAT(file("out/report.html"), AllOf(HasSubstr("Output dims, target affect"), HasSubstr("CCC")));
  EXPECT_THAT(file("out/heads.csv"), HasSubstr("m,dims,affect,1,1,"));
  // 48 recordings, 2 seeds, 2 numbers and 2 genders, a heading.
  const std::string predictions = file("out/head_predictions.csv");
  EXPECT_EQ(std::count(predictions.begin(), predictions.end(), '\n'), 1 + 48 * 2 * 4);
  EXPECT_THAT(predictions,
              HasSubstr("ravdess/03-01-01-01-01-01-01,ravdess,ravdess/01,m,dims,1,1,valence,125.0,"));
}

// The CCC of the tables, from the file of predictions, summed in another way.
TEST_P(TargetsTest, ScoresFollowFromThePredictions) {
  const JsonValue results = run("out", load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads)));
  struct Sums {
    double n = 0, t = 0, y = 0, tt = 0, yy = 0, ty = 0;
  };
  std::map<std::pair<int, int>, Sums> sums;  // of (fold, seed)
  LineErrors errors("head_predictions.csv");
  const std::string text = file("out/head_predictions.csv");
  CsvReader reader(text, errors);
  CsvRow row;
  while (reader.next(row)) {
    if (row.fields[7] != "pitch") continue;
    Sums& s = sums[{std::stoi(row.fields[5]), std::stoi(row.fields[6])}];
    const double t = std::stod(row.fields[8]), y = std::stod(row.fields[9]);
    s.n += 1;
    s.t += t;
    s.y += y;
    s.tt += t * t;
    s.yy += y * y;
    s.ty += t * y;
  }
  ASSERT_EQ(sums.size(), 6u);
  Sums all;
  for (const auto& [place, s] : sums) {
    all.n += s.n;
    all.tt += s.tt;
    all.ty += s.ty;
    all.yy += s.yy;
  }
  const JsonValue& numbers = *results.find("models")->find("m")->find("heads")->find("dims")->find("numbers");
  for (const JsonValue& fold : numbers.find("pitch")->find("folds")->items) {
    const Sums& s =
        sums[{static_cast<int>(fold.find("fold")->integer), static_cast<int>(fold.find("seed")->integer)}];
    const double mean_t = s.t / s.n, mean_y = s.y / s.n;
    const double ccc =
        2 * (s.ty / s.n - mean_t * mean_y) /
        (s.tt / s.n - mean_t * mean_t + s.yy / s.n - mean_y * mean_y + (mean_t - mean_y) * (mean_t - mean_y));
    EXPECT_NEAR(fold.find("ccc")->real, ccc, 1e-8);
    EXPECT_NEAR(fold.find("mse")->real, (s.tt - 2 * s.ty + s.yy) / s.n, 1e-8);
  }
  EXPECT_NEAR(numbers.find("pitch")->find("pooled")->find("mse")->real,
              (all.tt - 2 * all.ty + all.yy) / all.n, 1e-8);
}

TEST_P(TargetsTest, VotesBecomeSharesFromColumnsAndFromRowsAlike) {
  const std::string network =
      cat("\"network\": {", kShared, R"(}, "heads": {"emotion": {"target": "votes"}})");
  const ExperimentSettings wide = load(usual_targets(), network);
  const ExperimentSettings rows =
      load(cat(R"("votes": {"type": "votes", "file": "long.csv", "recording": "clip",
      "vote": "vote", )",
               kMap, R"(, "X": null}})"),
           network);
  const corpus::Manifest manifest = find_manifest(wide, 1);
  const train::Target a = read_targets(wide, manifest).front(), b = read_targets(rows, manifest).front();
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.names, manifest.classes);
  EXPECT_EQ(a.labels, manifest.class_of);
  const std::map<std::string, std::string> erred = {
      {"neutral", "calm"}, {"calm", "happy"}, {"happy", "sad"}, {"sad", "neutral"}};
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    const std::string& label = manifest.recordings[r].label;
    for (std::size_t c = 0; c < 4; ++c) {
      const float share = a.names[c] == label ? 2 / 3.0f : a.names[c] == erred.at(label) ? 1 / 3.0f : 0;
      EXPECT_FLOAT_EQ(a.rows[r * 4 + c], share) << label << " " << a.names[c];
    }
  }
  const JsonValue one = run("wide", wide), other = run("rows", rows);
  EXPECT_GT(one.find("summary")->find("uar")->find("mean")->real, 0.8);
  EXPECT_EQ(file("wide/predictions.csv"), file("rows/predictions.csv"));
  EXPECT_EQ(one.find("models")->find("m")->find("heads"), nullptr);  // the class head has the usual tables
}

TEST_P(TargetsTest, AModelMayLearnNumbersAlone) {
  const std::string model = R"("network": {"layers": [{"type": "lstm", "hidden": 8}, {"type": "mean_pool"},
      {"type": "dense", "units": 2}]}, "target": "affect")";
  const std::vector<std::string> overrides{R"(train.loss={"type": "concordance"})",
                                           "train.monitor=validation_ccc"};
  const JsonValue results = run("out", load(usual_targets(), model, overrides));
  EXPECT_EQ(results.find("summary"), nullptr);
  const JsonValue& numbers =
      *results.find("models")->find("m")->find("heads")->find("layer2")->find("numbers");
  EXPECT_GT(numbers.find("valence")->find("summary")->find("ccc")->find("mean")->real, 0.7);
  EXPECT_THAT(file("out/report.html"), Not(HasSubstr("UAR</span>")));
  EXPECT_THAT(file("out/models/m/fold-01_seed-1/history.csv"),
              AllOf(HasSubstr("learning_rate,seconds,validation_ccc\n"), HasSubstr(",null,")));
}

// Stopped again and again, with copies of recordings that have their recording's targets.
TEST_P(TargetsTest, StoppedAndContinuedItHasTheSameBits) {
  std::vector<std::string> overrides{R"(augment={"effects": [{"type": "gain"}]})", "train.epochs=20"};
  const std::string model = cat("\"network\": {", kShared, "}, ", kHeads);
  run("whole", load(usual_targets(), model, overrides));
  overrides.emplace_back("train.checkpoint_every_s=0");
  const int stops =
      testing_support::stop_and_go(30, 20, [&] { run("parts", load(usual_targets(), model, overrides)); });
  EXPECT_GT(stops, 0);
  for (const char* name : {"predictions.csv", "head_predictions.csv", "heads.csv"})
    EXPECT_EQ(file(cat("parts/", name)), file(cat("whole/", name))) << name;
}

// A recording that cannot be decoded leaves with its row; the others keep theirs.
TEST_P(TargetsTest, UnusableRecordingsLeaveWithTheirTargets) {
  folder_.write("corpus/03-01-01-01-01-02-01.wav", "no sound");
  run("out", load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads),
                  {"train.epochs=1", "seeds=[1]", "audio.on_bad_recording=skip"}));
  LineErrors errors("head_predictions.csv");
  const std::string text = file("out/head_predictions.csv");
  CsvReader reader(text, errors);
  CsvRow row;
  int valences = 0, genders = 0;
  while (reader.next(row)) {
    const std::string& id = row.fields[0];  // ravdess/03-01-EE-01-II-RR-AA
    const auto part = [&](std::size_t at) { return std::stoi(id.substr(8 + at, 2)); };
    if (row.fields[7] == "valence") {
      ++valences;
      EXPECT_EQ(std::stod(row.fields[8]), valence(part(6), part(15) - 1)) << id;
    } else if (row.fields[7] == "male") {
      ++genders;
      EXPECT_EQ(std::stod(row.fields[8]), part(18) % 2) << id;
    }
  }
  EXPECT_EQ(valences, 47);
  EXPECT_EQ(genders, 47);
}

TEST_P(TargetsTest, ChangedTablesAreTrainedAnew) {
  const std::string model = cat("\"network\": {", kShared, "}, ", kHeads);
  const std::vector<std::string> short_run{"train.epochs=2", "seeds=[1]"};
  run("one", load(usual_targets(), model, short_run));
  const std::string key =
      parse_json_file(folder_ / "one/models/m/fold-01_seed-1/result.json").find("key")->text;
  run("two", load(usual_targets(), model, short_run));
  EXPECT_EQ(parse_json_file(folder_ / "two/models/m/fold-01_seed-1/result.json").find("key")->text, key);
  std::string changed = numbers_table();
  changed.replace(changed.find("125"), 3, "126");
  folder_.write("numbers.csv", changed);
  run("three", load(usual_targets(), model, short_run));
  EXPECT_NE(parse_json_file(folder_ / "three/models/m/fold-01_seed-1/result.json").find("key")->text, key);
}

TEST_P(TargetsTest, StandardisationSeesTrainingActorsAloneAndSaysSo) {
  const ExperimentSettings settings = load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads));
  Dataset dataset;
  dataset.manifest = find_manifest(settings, 1);
  const auto read = [&] {
    dataset.targets.clear();
    for (train::Target& target : read_targets(settings, dataset.manifest))
      dataset.targets.push_back(std::make_shared<const train::Target>(std::move(target)));
  };
  read();
  const std::vector<folds::Fold> folds = folds::make_folds(settings.folds, dataset.manifest);
  const FoldedTargets before = fold_targets(settings, dataset, folds);
  ASSERT_EQ(before.statistics.size(), 3u);
  const train::Target& affect = *dataset.targets[1];
  for (std::size_t f = 0; f < 3; ++f) {
    const folds::Normaliser& scaling = before.scalings[1][f];
    EXPECT_EQ(scaling.fitted_on_actors, folds[f].train_actors);
    EXPECT_EQ(before.statistics[f].fitted_on_actors, folds[f].train_actors);
    EXPECT_EQ(before.statistics[f].name, cat("standardisation of target affect, fold ", f + 1));
    for (std::size_t k = 0; k < 2; ++k) {
      double sum = 0, squares = 0;
      for (const std::int64_t r : folds[f].train)
        sum += static_cast<double>(affect.rows[static_cast<std::size_t>(r) * 2 + k]);
      const double mean = sum / static_cast<double>(folds[f].train.size());
      for (const std::int64_t r : folds[f].train)
        squares += std::pow(static_cast<double>(affect.rows[static_cast<std::size_t>(r) * 2 + k]) - mean, 2);
      EXPECT_NEAR(scaling.mean[k], mean, 1e-5);
      EXPECT_NEAR(1 / scaling.scale[k], std::sqrt(squares / static_cast<double>(folds[f].train.size())),
                  1e-5);
    }
  }
  // Whatever stands at held-out actors, the fold's own statistics stay as they are.
  for (const folds::Fold& fold : folds) {
    std::string changed = numbers_table();
    for (const auto* side : {&fold.test, &fold.validation}) {
      for (const std::int64_t r : *side) {
        const std::string id = dataset.manifest.recordings[static_cast<std::size_t>(r)].id;
        const std::size_t at = changed.find(id.substr(id.find('/') + 1));
        changed.replace(changed.find(',', at) + 1, 1, "9");
      }
    }
    folder_.write("numbers.csv", changed);
    read();
    const auto f = static_cast<std::size_t>(fold.index);
    const FoldedTargets after = fold_targets(settings, dataset, folds);
    EXPECT_EQ(after.scalings[1][f].mean, before.scalings[1][f].mean);
    EXPECT_EQ(after.scalings[1][f].scale, before.scalings[1][f].scale);
    EXPECT_NE(after.scalings[1][(f + 1) % 3].mean, before.scalings[1][(f + 1) % 3].mean);
  }
  folder_.write("numbers.csv", numbers_table());
  run("out", load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads), {"train.epochs=1"}));
  const JsonValue audit = parse_json_file(folder_ / "out/audit.json");
  int found = 0;
  for (const JsonValue& statistic : audit.find("statistics")->items) {
    if (statistic.find("name")->text.find("standardisation of target affect") == std::string::npos) continue;
    const auto fold = static_cast<std::size_t>(statistic.find("fold")->integer - 1);
    for (const JsonValue& actor : statistic.find("fitted_on_actors")->items)
      EXPECT_THAT(folds[fold].train_actors, testing::Contains(actor.text));
    ++found;
  }
  EXPECT_EQ(found, 3);
}

TEST_P(TargetsTest, TheResolvedFileReadsBack) {
  const ExperimentSettings settings = load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads));
  const std::string text = write_json(resolved_json(settings));
  EXPECT_EQ(write_json(resolved_json(read_experiment(parse_json(text, "again"), "again"))), text);
}

SERVAL_DEVICE_TESTS(TargetsTest);

}  // namespace
}  // namespace serval::experiment
