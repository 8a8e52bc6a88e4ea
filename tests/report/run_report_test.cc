#include "serval/report/run_report.h"

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
  model.folds = {{0, 1, {"demo/1"}, evaluate::score({0, 1}, {0, 1}, 2)},
                 {1, 1, {"demo/2"}, evaluate::score({0, 1}, {0, 0}, 2)}};
  model.summary = evaluate::summarise(model.folds);
  model.predictions = {{"demo/a,\"b", "demo", "demo/1", 0, 1, 0, 1, {0.25f, 0.75f}}};
  report.models = {model};
  report.chance = {0.5, 0.5};
  report.stamps = {"synthetic speech"};
  report.audit.checks = {{"actors_on_one_side", true, {"2 folds"}}};
  report.versions = {{"serval", "1"}};
  report.seconds = {{"audio", 1.5}};
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

TEST(Report, CsvFilesQuoteWhatNeedsIt) {
  EXPECT_THAT(predictions_csv(small_report()),
              HasSubstr("\"demo/a,\"\"b\",demo,demo/1,angry,sad & <b>,m,1,1,0.25,0.75\n"));
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

TEST(Report, ThePageEscapesNamesAndShowsAFailedAudit) {
  RunReport report = small_report();
  EXPECT_THAT(results_html(report), HasSubstr("sad &amp; &lt;b&gt;"));
  EXPECT_THAT(results_html(report), Not(HasSubstr("<b>")));
  report.audit.checks[0].passed = false;
  EXPECT_THAT(results_html(report), HasSubstr("The leak audit failed"));
  EXPECT_THAT(results_text(report), HasSubstr("leak audit: FAILED"));
}

}  // namespace
}  // namespace serval::report
