// Targets of an experiment: read from tables, learned by heads, scored, and refused where they do not fit.
#include "src/experiment/targets.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/csv.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/support/devices.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Of recording (emotion, repetition, actor): the emotion as a number in a unit of its own, and nearly the pitch.
double valence(int emotion, int repetition) { return 100 + 25 * emotion + repetition; }
double pitch(int emotion, int actor) { return -3 + 0.5 * emotion + 0.01 * actor; }

template <class Line>
std::string table(const std::string& header, Line line) {
  std::string out = header + "\n";
  for (int actor = 1; actor <= 6; ++actor) {
    for (int emotion = 1; emotion <= 4; ++emotion) {
      for (int repetition = 0; repetition < 2; ++repetition)
        out += line(testing_support::tone_name(emotion, repetition, actor), emotion, repetition, actor);
    }
  }
  return out;
}
std::string numbers_table() {
  return table(
      "file,valence,note,pitch", [](const std::string& name, int emotion, int repetition, int actor) {
        return cat(name, ".wav,", valence(emotion, repetition), ",heard,", pitch(emotion, actor), "\n");
      });
}
// Three raters of whom one errs, and words or columns of the file's own.
const char* const kWords[] = {"N", "C", "H", "S"};
std::string wide_votes() {
  return table("clip,N,C,happy,S,X", [](const std::string& name, int emotion, int, int) {
    std::string line = name;
    for (int c = 1; c <= 4; ++c) line += c == emotion ? ",2" : c == emotion % 4 + 1 ? ",1" : ",0";
    return line + ",7\n";
  });
}
std::string long_votes() {
  return table("rater,clip,vote", [](const std::string& name, int emotion, int, int) {
    const auto word = [](int c) { return c == 3 ? "happy" : kWords[c - 1]; };
    return cat("a,", name, ",", word(emotion), "\nb,", name, ",", word(emotion % 4 + 1), "\nc,", name, ",",
               word(emotion), "\nd,", name, ",X\n");
  });
}

constexpr const char* kMap = R"("label_map": {"N": "neutral", "C": "calm", "S": "sad")";
constexpr const char* kShared =
    R"("layers": [{"type": "lstm", "hidden": 8}, {"type": "mean_pool", "name": "pooled"},
    {"type": "dense", "name": "emotion"}, {"type": "dense", "name": "dims", "units": 2, "input": "pooled"},
    {"type": "dense", "name": "who", "units": 2, "input": "pooled"}])";
constexpr const char* kHeads = R"("heads": {"emotion": {"target": "votes"},
    "dims": {"target": "affect", "loss": {"type": "concordance"}, "weight": 2}, "who": {"target": "voice", "weight": 0.1}})";

class TargetsTest : public testing_support::DeviceTest {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
    folder_.write("numbers.csv", numbers_table());
    folder_.write("wide.csv", wide_votes());
    folder_.write("long.csv", long_votes());
  }
  void TearDown() override { request_interrupt(false); }

  std::string usual_targets() const {
    return cat(R"("votes": {"type": "votes", "file": "wide.csv", "recording": "clip", )", kMap, R"(}},
      "affect": {"type": "numbers", "file": "numbers.csv", "columns": ["valence", "pitch"], "standardise": true},
      "voice": {"type": "attribute", "attribute": "gender"})");
  }
  ExperimentSettings load(const std::string& targets, const std::string& model,
                          const std::vector<std::string>& overrides = {}) const {
    return load_experiment(folder_.write("x.json", cat(R"({
  "name": "targets",
  "corpora": [{"use": "ravdess", "path": ")",
                                                       folder_ / "corpus", R"("}],
  "audio": {"sample_rate_hz": 8000},
  "features": {"logmel": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16}},
  "folds": {"count": 3, "validation_actors": 1},
  "targets": {)",
                                                       targets, R"(},
  "models": {"m": {"input": {"features": "logmel"}, )",
                                                       model, R"(}},
  "train": {"optimizer": {"learning_rate": 0.03}, "batch_size": 8, "epochs": 12},
  "seeds": [1, 2],
  "store": ")",
                                                       folder_ / "stores", "\"}")),
                           overrides);
  }
  JsonValue run(const std::string& out, const ExperimentSettings& settings) const {
    const RunOutcome outcome = run_experiment(settings, {device(), 2, folder_ / out});
    return parse_json(outcome.results_json, "results");
  }
  std::string file(const std::string& name) const { return read_text(folder_ / name); }

  // Of what reads the tables.
  std::string data_error(const std::string& targets) const {
    const ExperimentSettings settings = load(targets, cat("\"network\": {", kShared, "}, ", kHeads),
                                             {R"(models.m.heads={"emotion": {"target": "classes"}})"});
    return message_of<DataError>([&] { read_targets(settings, find_manifest(settings, 1)); });
  }
  std::string config_error(const std::string& targets, const std::string& model,
                           const std::vector<std::string>& overrides = {}) const {
    return message_of<ConfigError>([&] { load(targets, model, overrides); });
  }
  TempFolder folder_;
};

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
                                           "train.monitor=validation_loss"};
  const JsonValue results = run("out", load(usual_targets(), model, overrides));
  EXPECT_EQ(results.find("summary"), nullptr);
  const JsonValue& numbers =
      *results.find("models")->find("m")->find("heads")->find("layer2")->find("numbers");
  EXPECT_GT(numbers.find("valence")->find("summary")->find("ccc")->find("mean")->real, 0.7);
  EXPECT_THAT(file("out/report.html"), Not(HasSubstr("UAR</span>")));
  EXPECT_THAT(file("out/models/m/fold-01_seed-1/history.csv"), HasSubstr(",null,"));
}

// Stopped again and again, with copies of recordings that have their recording's targets.
TEST_P(TargetsTest, StoppedAndContinuedItHasTheSameBits) {
  std::vector<std::string> overrides{R"(augment={"effects": [{"type": "gain"}]})", "train.epochs=20"};
  const std::string model = cat("\"network\": {", kShared, "}, ", kHeads);
  run("whole", load(usual_targets(), model, overrides));
  overrides.emplace_back("train.checkpoint_every_s=0");
  int stops = 0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    std::thread stopper([attempt] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30 + 15 * (attempt % 7) + 20 * attempt));
      request_interrupt(true);
    });
    bool finished = false;
    try {
      run("parts", load(usual_targets(), model, overrides));
      finished = true;
    } catch (const InterruptedError&) {
      ++stops;
    }
    stopper.join();
    request_interrupt(false);
    if (finished) break;
  }
  EXPECT_GT(stops, 0);
  for (const char* name : {"predictions.csv", "head_predictions.csv", "heads.csv"})
    EXPECT_EQ(file(cat("parts/", name)), file(cat("whole/", name))) << name;
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

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

constexpr const char* kNumbers =
    R"("affect": {"type": "numbers", "file": "n.csv", "columns": ["valence", "pitch"]})";

TEST_P(TargetsTest, TablesThatDoNotFitAreRefusedByLineAndRecording) {
  const std::string good = numbers_table();
  const auto error_of = [&](const std::string& content, const std::string& more = "") {
    folder_.write("n.csv", content);
    return data_error(with(kNumbers, "]}", cat("]", more, "}")));
  };
  EXPECT_THAT(error_of(with(good, "150,heard", ",heard")),
              AllOf(HasSubstr("targets.affect: "),
                    HasSubstr("n.csv:4: recording \"03-01-02-01-01-01-01.wav\": column "
                              "\"valence\" is empty")));
  EXPECT_THAT(
      error_of(with(with(good, "150,heard", "high,heard"), "151,heard", "nan,heard")),
      AllOf(
          HasSubstr("n.csv:4: recording \"03-01-02-01-01-01-01.wav\": column \"valence\": \"high\" is not a "
                    "finite number"),
          HasSubstr("n.csv:5: recording")));
  EXPECT_THAT(error_of(with(good, "03-01-02-01-01-01-01", "03-01-02-01-01-01-09")),
              AllOf(HasSubstr("n.csv:4: \"03-01-02-01-01-01-09.wav\" is no recording of the experiment; with "
                              "\"extra_rows\": \"leave_out\""),
                    HasSubstr("n.csv:1: no row is of 1 of the 48 recordings: ravdess/03-01-02-01-01-01-01")));
  EXPECT_THAT(
      error_of(with(good, "03-01-02-01-01-01-01", "03-01-02-01-01-01-09"), R"(, "extra_rows": "leave_out")"),
      AllOf(Not(HasSubstr("is no recording")), HasSubstr("no row is of 1 of the 48 recordings")));
  EXPECT_THAT(
      error_of(good + "ravdess/03-01-02-01-01-01-01,1,,2\n"),
      HasSubstr(
          "n.csv:50: recording \"ravdess/03-01-02-01-01-01-01\": ravdess/03-01-02-01-01-01-01 has a row "
          "already, line 4"));
  EXPECT_THAT(error_of(with(good, "file,", "clip,")),
              HasSubstr("n.csv:1: no column is called recording, id, file, filename, name or path; say under "
                        "\"recording\" which one names the recordings: clip, valence, note, pitch"));
  EXPECT_THAT(error_of(good, R"(, "recording": "clip")"), HasSubstr("n.csv:1: there is no column \"clip\""));
  EXPECT_THAT(error_of(with(good, "pitch", "Pitch")),
              HasSubstr("there is no column \"pitch\"; there are file, valence, note, Pitch"));
  EXPECT_THAT(error_of(good + ",1,,2\n"), HasSubstr("n.csv:50: no recording is named"));
}

TEST_P(TargetsTest, VotesThatDoNotFitAreRefused) {
  const auto error_of = [&](const std::string& content, const std::string& more) {
    folder_.write("v.csv", content);
    return data_error(cat(R"("votes": {"type": "votes", "file": "v.csv", "recording": "clip", )", more, "}"));
  };
  const std::string map = cat(kMap, "}");
  EXPECT_THAT(
      error_of(with(wide_votes(), "2,1,0,0", "0,0,0,0"), map),
      HasSubstr(
          "v.csv:2: recording \"03-01-01-01-01-01-01\": its votes for the classes calm, happy, neutral, "
          "sad add up to 0"));
  EXPECT_THAT(error_of(with(wide_votes(), "2,1,0,0", "2,-1,0,0"), map),
              HasSubstr("column \"C\": -1 votes are fewer than none"));
  EXPECT_THAT(error_of(wide_votes(), R"("label_map": {"N": "neutral", "C": "calm", "Z": "sad"})"),
              AllOf(HasSubstr("there is no column \"Z\", which label_map names"),
                    HasSubstr("no column has the votes for \"sad\"")));
  EXPECT_THAT(
      error_of(long_votes(), cat(R"("vote": "vote", )", map)),
      HasSubstr("v.csv:5: recording \"03-01-01-01-01-01-01\": the vote \"X\" is no class; give its class in "
                "label_map, or null"));
  EXPECT_THAT(error_of(long_votes(), cat(R"("vote": "choice", )", map)),
              HasSubstr("there is no column \"choice\", which vote names"));
}

// What is wrong in several tables is said at once.
TEST_P(TargetsTest, AttributesAndFilesThatAreNotThere) {
  folder_.write("n.csv", with(numbers_table(), "150,heard", ",heard"));
  EXPECT_THAT(
      data_error(cat(kNumbers, R"(, "level": {"type": "attribute", "attribute": "corpus"})")),
      AllOf(HasSubstr("column \"valence\" is empty"),
            HasSubstr("targets.level: the corpus of all recordings is ravdess; there is nothing to learn")));
  ExperimentSettings settings =
      load(R"("voice": {"type": "attribute", "attribute": "gender"})",
           cat("\"network\": {", kShared, R"(}, "heads": {"emotion": {"target": "classes"}})"));
  corpus::Manifest manifest = find_manifest(settings, 1);
  manifest.recordings[3].gender = corpus::Gender::kUnknown;
  EXPECT_THAT(message_of<DataError>([&] { read_targets(settings, manifest); }),
              HasSubstr("targets.voice: the gender of 1 of the 48 recordings is not known: " +
                        manifest.recordings[3].id));
  settings = load(R"("affect": {"type": "numbers", "file": "nowhere.csv", "columns": "valence"})",
                  cat("\"network\": {", kShared, R"(}, "heads": {"emotion": {"target": "classes"}})"));
  EXPECT_THAT(message_of<ConfigError>([&] { read_targets(settings, manifest); }),
              HasSubstr("there is no file"));
}

TEST_P(TargetsTest, FoldsThatTargetsDoNotFitAreRefused) {
  const std::string model =
      cat("\"network\": {", kShared, R"(}, "heads": {"emotion": {"target": "classes"}})");
  folder_.write("n.csv", table("file,valence,pitch", [](const std::string& name, int, int, int actor) {
                  return cat(name, ",", actor == 1 ? 2 : 1, ",", actor, "\n");
                }));
  const ExperimentSettings constant = load(with(kNumbers, "]}", "], \"standardise\": true}"), model);
  EXPECT_THAT(
      message_of<DataError>([&] { run("a", constant); }),
      HasSubstr("targets.affect: valence is the same in all training recordings of fold 1; it cannot be "
                "standardised"));
  const ExperimentSettings one_gender = load(
      R"("voice": {"type": "attribute", "attribute": "gender"})", model,
      {R"(folds={"validation_actors": 1, "groups": [{"test": ["ravdess/01", "ravdess/03", "ravdess/05"]}, {"test": ["ravdess/02", "ravdess/04"]}]})"});
  EXPECT_THAT(message_of<ConfigError>([&] { run("b", one_gender); }),
              HasSubstr("targets.voice: no training recording of fold 1 is male"));
}

TEST_P(TargetsTest, SettingsThatDoNotFitAreRefusedAllAtOnce) {
  const std::string targets = usual_targets();
  const auto error_of = [&](const std::string& heads, const std::vector<std::string>& overrides = {}) {
    return config_error(targets, cat("\"network\": {", kShared, "}, ", heads), overrides);
  };
  const std::string many = error_of(R"("heads": {
      "emotion": {"target": "moods"}, "dims": {"target": "affect"}, "who": {"target": "voice", "loss": {"type": "concordance"}},
      "pooled": {"weight": 2}, "nowhere": {"target": "votes"}})");
  EXPECT_THAT(many,
              HasSubstr("m.heads.emotion: there is no target \"moods\"; there are {classes, votes, affect, "
                        "voice}"));
  EXPECT_THAT(
      many,
      HasSubstr("m.heads.dims: target \"affect\" has numbers, which the loss cross_entropy cannot take; "
                "use mean_square or concordance"));
  EXPECT_THAT(
      many,
      HasSubstr("m.heads.who: target \"voice\" has classes, and the loss concordance compares numbers"));
  EXPECT_THAT(many, HasSubstr("models.m.heads.pooled.target: is missing"));
  EXPECT_THAT(many,
              HasSubstr("m.heads.nowhere: the network has no layer \"nowhere\"; it has {layer0, pooled, "
                        "emotion, dims, who}"));
  EXPECT_THAT(many, HasSubstr("5 errors"));

  EXPECT_THAT(error_of(R"("target": "affect", "heads": {"emotion": {"target": "classes"}})"),
              HasSubstr("m.target: each of the heads has its own"));
  EXPECT_THAT(error_of(R"("heads": {"emotion": {"target": "affect", "loss": {"type": "mean_square"}}})"),
              HasSubstr("no head learns the classes, so train.monitor must be \"validation_loss\""));
  EXPECT_THAT(
      error_of(R"("heads": {"who": {"target": "affect", "loss": {"type": "mean_square"}}})",
               {"train.select=last", R"(train.schedule={"type": "plateau", "monitor": "validation_uar"})"}),
      HasSubstr("train.schedule.monitor cannot be \"validation_uar\""));
  EXPECT_THAT(
      error_of(
          R"("heads": {"emotion": {"target": "classes"}, "dims": {"target": "affect", "loss": {"type": "mean_square"}}})",
          {"models.m.network.layers.3.units=3"}),
      HasSubstr("gives [3], but target \"affect\" has 2 numbers: valence, pitch"));
  EXPECT_THAT(error_of(R"("heads": {"emotion": {"target": "classes"}})",
                       {R"(models.m.network.outputs=["emotion", "who"])"}),
              HasSubstr("m.heads: the network's output \"who\" has no target; give it a head"));
  EXPECT_THAT(error_of(R"("heads": {"emotion": {"target": "classes"}})",
                       {R"(train.loss.branches=[{"output": "emotion"}])"}),
              HasSubstr("train.loss.branches gives outputs a loss too"));
  EXPECT_THAT(
      error_of(R"("target": "classes")",
               {R"(models.m.network.layers.4.units=0)", R"(train.loss={"type": "concordance"})"}),
      HasSubstr("m.target: target \"classes\" has classes, and the loss concordance compares numbers"));
  EXPECT_THAT(config_error(targets, R"("learner": {"type": "knn"}, "target": "votes")"),
              HasSubstr("a learner learns the classes of the labels"));
  EXPECT_THAT(
      config_error(R"("classes": {"type": "attribute", "attribute": "gender"})",
                   cat("\"network\": {", kShared, R"(}, "heads": {"emotion": {"target": "classes"}})")),
      HasSubstr("\"classes\" is the name of the target that every experiment has"));
  EXPECT_THAT(
      config_error(with(targets, "\"sad\"", "\"gloomy\""), cat("\"network\": {", kShared, "}, ", kHeads)),
      HasSubstr("votes.label_map.S: \"gloomy\" is no class; there are {angry, calm,"));
}

TEST_P(TargetsTest, TargetsNameTheirFileAndColumns) {
  const std::string model = cat("\"network\": {", kShared, "}, ", kHeads);
  const std::string many =
      config_error(R"("votes": {"type": "votes"}, "affect": {"type": "numbers", "file": "n.csv"},
      "voice": {"type": "attribute", "attribute": "mood"}, "twice": {"type": "numbers", "file": "n.csv",
      "columns": ["a", "a"]})",
                   model);
  EXPECT_THAT(many, HasSubstr("targets.votes.file: must name a CSV file"));
  EXPECT_THAT(many, HasSubstr("targets.affect.columns: must name the columns with the numbers"));
  EXPECT_THAT(many, HasSubstr("targets.twice.columns: names a column twice"));
  EXPECT_THAT(many, HasSubstr("targets.voice.attribute: \"mood\" is not one of {gender, corpus,"));
  EXPECT_THAT(many, HasSubstr("4 errors"));
}

// What the manifest alone can say comes before anything trains.
TEST_P(TargetsTest, AWidthThatFollowsFromTheRecordingsIsChecked) {
  const auto error_of = [&](const std::string& heads, const std::string& change) {
    const ExperimentSettings settings =
        load(usual_targets(), cat("\"network\": {", kShared, "}, ", heads), {change});
    return message_of<ConfigError>([&] { run("out", settings); });
  };
  EXPECT_THAT(error_of(kHeads, "models.m.network.layers.4.units=3"),
              HasSubstr("models.m.heads.who: outputs[0] (who) gives [3], but target \"voice\" has 2 classes: "
                        "female, male"));
  EXPECT_THAT(error_of(R"("heads": {"dims": {"target": "votes"}})", "models.m.network.layers.3.units=2"),
              HasSubstr("models.m.heads.dims: outputs[0] (dims) gives [2], but there are 4 classes"));
}

TEST_P(TargetsTest, TheResolvedFileReadsBack) {
  const ExperimentSettings settings = load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads));
  const std::string text = write_json(resolved_json(settings));
  EXPECT_EQ(write_json(resolved_json(read_experiment(parse_json(text, "again"), "again"))), text);
}

SERVAL_DEVICE_TESTS(TargetsTest);

}  // namespace
}  // namespace serval::experiment
