// report.html in a browser, where there is Chromium.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"

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
  parent.document.body.setAttribute("data-seen", ["width", window.innerWidth, "wider", root.scrollWidth > root.clientWidth,
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
    if (run_process({"chromium", "--version"}).exit_code != 0) GTEST_SKIP() << "there is no chromium";
    testing_support::make_tone_corpus(folder_ / "corpus");
    folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
    const Outcome run = run_process(
        {SERVAL_PROGRAM, "run", folder_ / "x.json", "--device", "cpu", "--quiet", "--out", folder_ / "out"});
    ASSERT_EQ(run.exit_code, 0) << run.err;
    page_ = read_text(folder_ / "out/report.html");
  }
  // The document around a frame of this width that holds `page`, after all scripts ran.
  Outcome open(const std::string& page, const std::string& width) const {
    std::string quoted;
    for (const char c : page) quoted += c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
    const std::string file =
        folder_.write("frame.html",
                      "<!doctype html><meta charset=\"utf-8\"><link rel=\"icon\" "
                      "href=\"data:,\"><body><iframe style=\"width:" +
                          width + "px;height:1800px;border:0\" srcdoc=\"" + quoted + "\"></iframe></body>");
    return run_process({"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        "--enable-logging=stderr", "--user-data-dir=" + (folder_ / "profile"),
                        "--window-size=1400,1900", "--dump-dom", "file://" + file});
  }
  std::string probed() const {
    std::string out = page_;
    return out.replace(out.rfind("</body>"), 7, kProbe);
  }

  TempFolder folder_;
  std::string page_;
};

TEST_F(PageTest, DrawsEveryChartAndFitsAPhone) {
  for (const std::string width : {"390", "1280"}) {
    const Outcome outcome = open(probed(), width);
    // By actor, three learning curves, gender, calibration.
    EXPECT_THAT(outcome.out, HasSubstr("data-seen=\"width " + width + " wider false canvases 6 blank 0\""))
        << width;
    EXPECT_EQ(occurrences(outcome.err, "CONSOLE"), 1) << outcome.err;
  }
}

TEST_F(PageTest, AsksForNothingOutsideItself) {
  EXPECT_EQ(occurrences(page_, "src="), 0);
  EXPECT_EQ(occurrences(page_, "<link"), 1);
  EXPECT_THAT(page_, HasSubstr("<link rel=\"icon\" href=\"data:,\">"));
  EXPECT_THAT(page_, HasSubstr("The experiment, with every default"));
}

}  // namespace
}  // namespace serval
