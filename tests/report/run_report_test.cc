#include "serval/report/run_report.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"

namespace serval::report {
namespace {

using testing::HasSubstr;
using testing::Not;

RunReport small_report() {
  RunReport report;
  report.name = "x";
  report.classes = {"angry", "sad & <b>"};
  report.corpora = {{"demo", 4, 2, true}};
  ModelReport model;
  model.name = "m";
  model.parameters = 42;
  // Not in order, as models finish.
  model.predictions = {{"demo/c", "demo", "demo/2", 0, 0, 1, 1, {0.75f, 0.25f}, "male", "1", "demo/s"},
                       {"demo/d", "demo", "demo/2", 1, 0, 1, 1, {0.75f, 0.25f}, "male", "2", "demo/s"},
                       {"demo/a,\"b", "demo", "demo/1", 1, 1, 0, 1, {0.25f, 0.75f}, "female", "1", "demo/t"},
                       {"demo/b", "demo", "demo/1", 0, 0, 0, 1, {0.75f, 0.25f}, "female", "", "demo/t"}};
  score_predictions(model, 2);
  report.models = {model};
  report.chance = {0.5, 0.5};
  report.stamps = {"synthetic speech"};
  report.audit.checks = {{"actors_on_one_side", true, {"2 folds"}}};
  report.versions = {{"serval", "1"}};
  report.seconds = {{"audio", 1.5}};
  return report;
}

// The same of six actors, enough for intervals: odd ones have an UAR of 1, even ones of 0.5.
RunReport report_of_six() {
  RunReport report = small_report();
  std::vector<Prediction>& all = report.models[0].predictions;
  const std::vector<Prediction> first = all;
  for (const char* more : {"1", "2"}) {
    for (Prediction p : first) {
      p.recording += more;
      p.actor += more;
      all.push_back(p);
    }
  }
  score_predictions(report.models[0], 2);
  return report;
}

TEST(Report, ResultsJsonKeepsItsContract) {
  const JsonValue json = parse_json(results_json(small_report()), "results.json");
  EXPECT_DOUBLE_EQ(json.find("summary")->find("uar")->find("mean")->real, 0.75);
  EXPECT_DOUBLE_EQ(json.find("models")->find("m")->find("summary")->find("wa")->find("mean")->real, 0.75);
  EXPECT_DOUBLE_EQ(json.find("pooled")->find("uar")->real, 0.75);
  EXPECT_DOUBLE_EQ(json.find("chance")->find("uar")->real, 0.5);
  const JsonValue& fold = json.find("folds")->items[1];
  EXPECT_EQ(fold.find("fold")->integer, 2);  // people count from 1
  EXPECT_EQ(fold.find("test_actors")->items[0].text, "demo/2");
  EXPECT_DOUBLE_EQ(fold.find("uar")->real, 0.5);
  EXPECT_EQ(json.find("stamps")->items[0].text, "synthetic speech");
  EXPECT_EQ(json.find("audit")->text, "passed");
}

TEST(Report, PredictionsAreScoredByFoldWhateverTheirOrder) {
  const ModelReport model = small_report().models[0];
  ASSERT_EQ(model.folds.size(), 2u);
  EXPECT_EQ(model.folds[0].test_actors, (std::vector<std::string>{"demo/1"}));
  EXPECT_DOUBLE_EQ(model.folds[0].scores.uar, 1);
  EXPECT_DOUBLE_EQ(model.folds[1].scores.uar, 0.5);
  EXPECT_EQ(model.predictions.front().recording, "demo/a,\"b");
}

TEST(Report, MeansComeWithIntervals) {
  RunReport report = report_of_six();
  const JsonValue json = parse_json(results_json(report), "results.json");
  const JsonValue& uar = *json.find("summary")->find("uar");
  const std::vector<JsonValue>& ends = uar.find("ci95")->items;
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_DOUBLE_EQ(ends[0].real, 0.5);  // that of the lowest actors alone
  EXPECT_DOUBLE_EQ(ends[1].real, 1);
  EXPECT_EQ(json.find("configurations")->integer, 1);
  EXPECT_THAT(results_text(report), HasSubstr("95 % from    50.0"));
  EXPECT_THAT(results_text(report), Not(HasSubstr("configurations tried")));

  report.configurations = 12;
  EXPECT_THAT(results_text(report), HasSubstr("configurations tried: 12"));
  const JsonValue of_two = parse_json(results_json(small_report()), "results.json");
  EXPECT_EQ(of_two.find("summary")->find("uar")->find("ci95")->kind, JsonValue::Kind::kNull);
}

TEST(Report, PooledScoresSayHowGoodTheProbabilitiesAre) {
  const JsonValue json = parse_json(results_json(small_report()), "results.json");
  const JsonValue& pooled = *json.find("models")->find("m")->find("pooled");
  EXPECT_DOUBLE_EQ(pooled.find("top2")->real, 1);
  EXPECT_DOUBLE_EQ(pooled.find("log_loss")->real, -(3 * std::log(0.75) + std::log(0.25)) / 4);
  EXPECT_DOUBLE_EQ(pooled.find("calibration_error")->real, 0);  // 0.75 sure, and right in 3 of 4
  EXPECT_EQ(pooled.find("reliability")->items[11].find("predictions")->integer, 4);
  EXPECT_EQ(pooled.find("reliability")->items[3].find("accuracy")->kind, JsonValue::Kind::kNull);
  EXPECT_DOUBLE_EQ(pooled.find("confusion_shares")->items[1].items[0].real, 0.5);
}

TEST(Report, GroupsAreInTheResultsAndInAFileOfTheirOwn) {
  const RunReport report = small_report();
  const JsonValue json = parse_json(results_json(report), "results.json");
  for (const JsonValue* at : {&json, json.find("models")->find("m")}) {
    const JsonValue& groups = *at->find("groups");
    for (const char* kind : {"actor", "gender", "corpus", "intensity", "sentence"})
      EXPECT_FALSE(groups.find(kind)->members.empty()) << kind;
    EXPECT_DOUBLE_EQ(groups.find("actor")->find("demo/2")->find("uar")->real, 0.5);
    EXPECT_EQ(groups.find("intensity")->find("1")->find("predictions")->integer, 2);
    EXPECT_EQ(groups.find("intensity")->members.size(), 2u);  // one recording has none
    EXPECT_EQ(at->find("fairness")->find("worst_actor")->find("name")->text, "demo/2");
    EXPECT_DOUBLE_EQ(at->find("fairness")->find("gender_gap")->find("female_minus_male")->real, 0.5);
  }
  EXPECT_THAT(groups_csv(report), HasSubstr("model,group,name,predictions,uar,wa,macro_f1,recall_angry,"));
  EXPECT_THAT(groups_csv(report), HasSubstr("m,actor,demo/2,2,0.5,0.5,0.3333333333333333,1.0,0.0\n"));
  EXPECT_THAT(groups_csv(report), HasSubstr("m,intensity,2,1,0.0,0.0,0.0,,0.0\n"));  // no angry ones
  EXPECT_THAT(results_text(report), HasSubstr("worst actor demo/2: UAR  50.0, best actor demo/1: UAR 100.0"));
  EXPECT_THAT(results_text(report), HasSubstr("women minus that of men:  50.0"));
}

TEST(Report, CsvFilesQuoteWhatNeedsIt) {
  EXPECT_THAT(predictions_csv(small_report()),
              HasSubstr("\"demo/a,\"\"b\",demo,demo/1,sad & <b>,sad & <b>,m,1,1,0.25,0.75\n"));
  EXPECT_THAT(results_csv(small_report()), HasSubstr("m,2,1,demo/2,2,0.5,0.5,"));
}

TEST(Report, TheTextPutsUarFirstAndShowsChanceAndStamps) {
  const std::string text = results_text(small_report());
  EXPECT_LT(text.find("UAR"), text.find("WA"));
  for (const char* part :
       {"75.0", "pooled", "chance: UAR  50.0", "leak audit: passed", "note: synthetic speech"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

RunReport report_with_heads() {
  RunReport report = small_report();
  HeadReport numbers{.name = "dims", .target = "affect", .numbers = true, .names = {"valence", "a<b"}};
  for (int k = 0; k < 2; ++k) {
    const double ccc = k == 0 ? 0.5 : std::numeric_limits<double>::quiet_NaN();
    numbers.number_folds.push_back(
        {{0, 1, {"demo/1"}, {4, ccc, 2.25, 1.5}}, {1, 1, {"demo/2"}, {4, 0.25, 4, 2}}});
    numbers.number_summaries.push_back(evaluate::summarise(numbers.number_folds.back()));
    numbers.number_pooled.push_back({8, 0.125, 3, 1.75});
  }
  HeadReport voice{.name = "who", .target = "voice", .names = {"female", "male"}};
  voice.folds = report.models[0].folds;
  voice.summary = report.models[0].summary;
  report.models[0].heads = {numbers, voice};
  report.models[0].head_predictions = {{"demo/a", "demo", "demo/1", "dims", "valence", 0, 1, 3, 2.5}};
  return report;
}

TEST(Report, HeadsStandBesideTheClasses) {
  const RunReport report = report_with_heads();
  const JsonValue json = parse_json(results_json(report), "results.json");
  const JsonValue& heads = *json.find("models")->find("m")->find("heads");
  const JsonValue& valence = *heads.find("dims")->find("numbers")->find("valence");
  EXPECT_DOUBLE_EQ(valence.find("summary")->find("ccc")->find("mean")->real, 0.375);
  EXPECT_DOUBLE_EQ(valence.find("folds")->items[0].find("mse")->real, 2.25);
  EXPECT_EQ(valence.find("folds")->items[1].find("test_actors")->items[0].text, "demo/2");
  EXPECT_DOUBLE_EQ(valence.find("pooled")->find("ccc")->real, 0.125);
  EXPECT_DOUBLE_EQ(heads.find("who")->find("summary")->find("uar")->find("mean")->real, 0.75);
  EXPECT_EQ(heads.find("who")->find("classes")->items[1].text, "male");
  EXPECT_THAT(heads_csv(report), HasSubstr("m,dims,affect,1,1,demo/1,4,valence,rmse,1.5\n"));
  EXPECT_THAT(heads_csv(report), HasSubstr("m,dims,affect,1,1,demo/1,4,a<b,ccc,\n"));  // undefined
  EXPECT_THAT(heads_csv(report), HasSubstr("m,who,voice,2,1,demo/2,2,,uar,0.5\n"));
  EXPECT_THAT(head_predictions_csv(report), HasSubstr("demo/a,demo,demo/1,m,dims,1,1,valence,3.0,2.5\n"));
  EXPECT_THAT(results_text(report), HasSubstr("valence fold 1 seed 1: CCC   0.500  MSE       2.25  RMSE"));
  EXPECT_THAT(results_text(report), HasSubstr("valence pooled: CCC   0.125; RMSE 1.75"));
  EXPECT_THAT(results_html(report), HasSubstr("a&lt;b"));
  EXPECT_EQ(heads_csv(small_report()), "");
  EXPECT_EQ(head_predictions_csv(small_report()), "");
}

// A model without classes has no UAR, and no table pretends so.
TEST(Report, AModelOfNumbersAloneHasNoClassScores) {
  RunReport report = report_with_heads();
  report.models[0].folds.clear();
  report.models[0].predictions.clear();
  report.models[0].heads.pop_back();
  const JsonValue json = parse_json(results_json(report), "results.json");
  EXPECT_EQ(json.find("summary"), nullptr);
  EXPECT_EQ(json.find("models")->find("m")->find("pooled"), nullptr);
  EXPECT_THAT(results_text(report), Not(HasSubstr("macro-F1")));
  EXPECT_THAT(results_html(report), Not(HasSubstr("macro-F1")));
  EXPECT_EQ(results_csv(report), results_csv(RunReport{}));
}

TEST(Report, ThePageEscapesNamesAndShowsAFailedAudit) {
  RunReport report = small_report();
  EXPECT_THAT(results_html(report), HasSubstr("sad &amp; &lt;b&gt;"));
  EXPECT_THAT(results_html(report), Not(HasSubstr("<b>")));
  report.audit.checks[0].passed = false;
  EXPECT_THAT(results_html(report), HasSubstr("The leak audit failed"));
  EXPECT_THAT(results_text(report), HasSubstr("leak audit: FAILED"));
}

TEST(Report, ThePageHasTheFiguresOfItsCharts) {
  RunReport report = small_report();
  report.experiment = "{\"name\": \"<x>\"}";
  LearningCurve curve;
  curve.selected_epoch = 2;
  curve.train_loss = {0.75, 0.5};
  curve.validation_loss = {0.875, std::numeric_limits<double>::quiet_NaN()};
  curve.validation_uar = {0.5, 0.625};
  report.models[0].curves = {curve};
  EXPECT_THAT(results_html(report), Not(HasSubstr("configurations were tried")));
  report.configurations = 3;
  const std::string page = results_html(report);
  EXPECT_THAT(page, HasSubstr("3 configurations were tried"));
  EXPECT_THAT(
      page,
      HasSubstr("<tr><td>1</td><td>1</td><td>2</td><td>2</td><td>0.500</td><td>&ndash;</td><td>62.5</td>"));
  EXPECT_THAT(page, HasSubstr("UAR of demo/2"));            // the worst actor
  EXPECT_THAT(page, Not(HasSubstr("95 % interval 50.0")));  // of two actors
  EXPECT_THAT(results_html(report_of_six()), HasSubstr("95 % interval 50.0 to 100.0"));
  EXPECT_THAT(page, HasSubstr("{&quot;name&quot;: &quot;&lt;x&gt;&quot;}"));
  EXPECT_THAT(page, HasSubstr("<tr><td>demo/d</td><td>sad &amp; &lt;b&gt;</td><td>angry</td><td>75.0</td>"));
  EXPECT_THAT(page, HasSubstr("Chart.js v3"));
}

TEST(Report, ThePageSaysWhatStagesTook) {
  RunReport report = small_report();
  report.seconds = {{"audio", 1.5}, {"training", 2}};
  report.peak_bytes = {{"audio", 300 << 20}};
  EXPECT_THAT(results_html(report), HasSubstr("<tr><td>audio</td><td>1.5</td><td>300</td></tr>"));
  EXPECT_THAT(results_html(report), HasSubstr("<tr><td>training</td><td>2.0</td><td>&ndash;</td></tr>"));
  const JsonValue json = parse_json(results_json(report), "results.json");
  EXPECT_EQ(json.find("peak_bytes")->find("audio")->integer, 300 << 20);
}

TEST(Report, MistakesCountOnceARecordingTheSurestFirst) {
  ModelReport model = small_report().models[0];
  for (Prediction& p : model.predictions) {
    p.predicted = 1 - p.label;
    p.probabilities = p.label == 1 ? std::vector<float>{0.875f, 0.125f} : std::vector<float>{0.25f, 0.75f};
  }
  Prediction surer = model.predictions.back();
  surer.seed = 2;
  surer.probabilities = {0.0625f, 0.9375f};
  surer.label = 0;
  surer.predicted = 1;
  model.predictions.push_back(surer);
  const auto mistakes = confident_mistakes(model, 3);
  ASSERT_EQ(mistakes.size(), 3u);
  EXPECT_EQ(mistakes[0]->seed, 2u);
  EXPECT_EQ(mistakes[0]->recording, surer.recording);
  EXPECT_NE(mistakes[1]->recording, surer.recording);
  EXPECT_NE(mistakes[2]->recording, surer.recording);
}

TEST(Report, ThePageShowsAndPlaysExhibits) {
  RunReport report = small_report();
  report.exhibits = {{"demo/d", "png", "flac!", 20, 15}};
  const std::string page = results_html(report);
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,cG5n\""));
  EXPECT_THAT(page, HasSubstr("src=\"data:audio/flac;base64,ZmxhYyE=\""));
  EXPECT_THAT(page,
              HasSubstr("demo/d: sad &amp; &lt;b&gt;, taken for angry with 75.0 %; the first 15 of 20.0 s"));
}

TEST(Report, CorrelationsAreInThePageAndTheResults) {
  RunReport report = small_report();
  const float none = std::numeric_limits<float>::quiet_NaN();
  report.correlations = {{"v<1>", 90, {"a", "b", "c"}, {1, -0.5f, none, -0.5f, 1, none, none, none, none}}};
  const std::string page = results_html(report);
  EXPECT_THAT(page, HasSubstr("Correlation of features v&lt;1&gt;"));
  EXPECT_THAT(page, HasSubstr("3 of 90 columns"));
  EXPECT_THAT(page, HasSubstr("<tr><td>a</td><td>b</td><td>-0.500</td></tr>\n</table>"));
  const JsonValue json = parse_json(results_json(report), "results.json");
  const JsonValue& set = *json.find("feature_correlations")->find("v<1>");
  EXPECT_EQ(set.find("correlations")->items[0].items[1].real, -0.5);
  EXPECT_EQ(set.find("correlations")->items[2].items[2].kind, JsonValue::Kind::kNull);
}

// A name can neither end the script element that holds the data nor the page's own.
TEST(Report, ThePagesDataEndsWhereItShould) {
  RunReport report = small_report();
  for (Prediction& prediction : report.models[0].predictions) {
    if (prediction.actor == "demo/2") prediction.actor = "</script><b>";
  }
  score_predictions(report.models[0], 2);
  const std::string page = results_html(report);
  EXPECT_THAT(page, HasSubstr("\\u003c/script>\\u003cb>"));
  EXPECT_THAT(page, Not(HasSubstr("</script><b>")));
}

}  // namespace
}  // namespace serval::report
