// Tables, attributes, folds and settings that targets do not fit.
#include <algorithm>

#include "tests/experiment/targets_fixture.h"

namespace serval::experiment {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TargetRefusalsTest : public TargetsTest {};

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

constexpr const char* kNumbers =
    R"("affect": {"type": "numbers", "file": "n.csv", "columns": ["valence", "pitch"]})";

TEST_P(TargetRefusalsTest, TablesThatDoNotFitAreRefusedByLineAndRecording) {
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

TEST_P(TargetRefusalsTest, VotesThatDoNotFitAreRefused) {
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

TEST_P(TargetRefusalsTest, SemicolonsSeparateToo) {
  std::string content = numbers_table();
  std::replace(content.begin(), content.end(), ',', ';');
  folder_.write("n.csv", content);
  const std::string model =
      cat("\"network\": {", kShared, R"(}, "heads": {"emotion": {"target": "classes"}})");
  const ExperimentSettings settings =
      load(cat(kNumbers, R"(, "same": {"type": "numbers", "file": "numbers.csv",
      "columns": ["valence", "pitch"]})"),
           model);
  const std::vector<train::Target> targets = read_targets(settings, find_manifest(settings, 1));
  EXPECT_EQ(targets[0].rows, targets[1].rows);
}

// What is wrong in several tables is said at once.
TEST_P(TargetRefusalsTest, AttributesAndFilesThatAreNotThere) {
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

TEST_P(TargetRefusalsTest, FoldsThatTargetsDoNotFitAreRefused) {
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

TEST_P(TargetRefusalsTest, SettingsThatDoNotFitAreRefusedAllAtOnce) {
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
              HasSubstr("m: no head learns the classes, so train.monitor cannot be \"validation_uar\"; use "
                        "\"validation_loss\" or \"validation_ccc\""));
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

TEST_P(TargetRefusalsTest, TargetsNameTheirFileAndColumns) {
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
TEST_P(TargetRefusalsTest, AWidthThatFollowsFromTheRecordingsIsChecked) {
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

SERVAL_DEVICE_TESTS(TargetRefusalsTest);

}  // namespace
}  // namespace serval::experiment
