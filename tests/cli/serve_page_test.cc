// The live page in a browser, where there is Chromium: what it shows is what the program says of the same samples.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/deploy/stream.h"

#include "tests/cli/programs.h"
#include "tests/support/chromium.h"
#include "tests/support/process.h"
#include "tests/support/served_bundle.h"

namespace serval {
namespace {

using testing::IsEmpty;
using testing_support::Chromium;
using testing_support::run_process;
using testing_support::ServedBundle;
using testing_support::tone_speech;
using testing_support::ToneBundle;

std::vector<double> numbers(const JsonValue& list) {
  std::vector<double> out;
  for (const JsonValue& item : list.items) out.push_back(item.real);
  return out;
}

class ServePageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (run_process({"chromium", "--version"}).exit_code != 0) GTEST_SKIP() << "there is no chromium";
    // SERVAL_TEST_BUNDLE and SERVAL_TEST_SPEECH name another bundle and recording, for pictures of real speech.
    const char* bundle = std::getenv("SERVAL_TEST_BUNDLE");
    const char* speech = std::getenv("SERVAL_TEST_SPEECH");
    bundle_path_ = bundle == nullptr ? bundle_.path() : bundle;
    speech_ =
        speech == nullptr ? audio::write_sound(bundle_.folder / "speech.wav", tone_speech(6), 8000) : speech;
    server_ = std::make_unique<ServedBundle>(kProgram, bundle_path_, bundle_.folder);
    predictor_ = std::make_unique<deploy::Predictor>(bundle_path_);
    browser_ = std::make_unique<Chromium>(
        bundle_.folder.str(),
        std::vector<std::string>{"--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                                 "--use-file-for-fake-audio-capture=" + speech_});
    browser_->resize(1280, 1000);
    browser_->open(cat("http://127.0.0.1:", server_->port(), "/"));
    ASSERT_TRUE(
        browser_->wait_until("document.readyState === 'complete' && window.servalLive !== undefined && "
                             "!document.getElementById('record').disabled"));
  }
  void click(const std::string& id) { browser_->evaluate("document.getElementById('" + id + "').click()"); }
  // SERVAL_TEST_SCREENSHOTS names a folder to keep pictures in, to be looked at.
  void picture(const std::string& name) {
    const char* kept = std::getenv("SERVAL_TEST_SCREENSHOTS");
    if (kept == nullptr) return;
    browser_->evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    browser_->screenshot(std::string(kept) + "/" + name + ".png");
  }
  bool blank(const std::string& canvas) {
    return browser_
        ->evaluate("(() => { const c = document.getElementById('" + canvas +
                   "'); const o = new OffscreenCanvas(c.width, c.height).getContext('2d', "
                   "{willReadFrequently: true});"
                   "o.drawImage(c, 0, 0); const d = o.getImageData(0, 0, c.width, c.height).data; const seen "
                   "= new Set();"
                   "for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); "
                   "return seen.size < 5; })()")
        .boolean;
  }
  // Each result that the page has is that of the samples which it sent.
  void expect_same_scores(std::size_t at_least) {
    const int rate_hz = static_cast<int>(browser_->evaluate("servalLive.rate()").integer);
    const std::vector<double> sent = numbers(browser_->evaluate("Array.from(servalLive.samples())"));
    const std::vector<float> samples(sent.begin(), sent.end());
    const JsonValue results = browser_->evaluate("servalLive.results()");
    EXPECT_GE(results.items.size(), at_least);
    int scored = 0;
    for (const JsonValue& result : results.items) {
      const std::int64_t begin = deploy::samples_of(result.find("begin_s")->real, rate_hz);
      const std::int64_t end = deploy::samples_of(result.find("end_s")->real, rate_hz);
      ASSERT_LE(end, static_cast<std::int64_t>(samples.size()));
      const JsonValue* said = result.find("probabilities");
      if (said == nullptr) continue;
      ++scored;
      const deploy::Prediction own =
          predictor_->predict(samples.data() + begin, static_cast<std::size_t>(end - begin), rate_hz);
      for (std::size_t c = 0; c < own.probabilities.size(); ++c)
        EXPECT_EQ(static_cast<float>(said->find(predictor_->classes()[c])->real), own.probabilities[c]);
    }
    EXPECT_GT(scored, 0);
  }
  void expect_fits() {
    EXPECT_FALSE(
        browser_->evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            .boolean);
    for (const char* canvas : {"wave", "mel", "scores"}) EXPECT_FALSE(blank(canvas)) << canvas;
  }

  ToneBundle bundle_;
  std::string bundle_path_, speech_;
  std::unique_ptr<ServedBundle> server_;
  std::unique_ptr<deploy::Predictor> predictor_;
  std::unique_ptr<Chromium> browser_;
};

TEST_F(ServePageTest, ShowsTheScoresOfWhatTheMicrophoneHears) {
  picture("idle");
  browser_->evaluate("document.getElementById('window').value = '1'");
  browser_->evaluate("document.getElementById('hop').value = '0.25'");
  click("record");
  ASSERT_TRUE(browser_->wait_until("servalLive.results().length >= 8"));
  picture("recording");
  click("record");
  ASSERT_TRUE(browser_->wait_until("!servalLive.busy()"));
  expect_same_scores(8);
  expect_fits();
  const std::string shown =
      browser_->evaluate("document.getElementById('rows').lastElementChild.children[2].textContent").text;
  const JsonValue results = browser_->evaluate("servalLive.results()");
  const JsonValue* label = results.items.back().find("label");
  EXPECT_EQ(shown, label == nullptr ? "silent" : label->text);
  EXPECT_THAT(browser_->complaints(), IsEmpty());
}

TEST_F(ServePageTest, ShowsAFileAsAWholeAndOverTime) {
  browser_->evaluate("document.getElementById('window').value = '1'");
  browser_->choose_file("#file", speech_);
  ASSERT_TRUE(browser_->wait_until(
      "servalLive.whole() !== null && servalLive.results().length > 0 && !servalLive.busy()"));
  expect_same_scores(5);
  expect_fits();
  const JsonValue whole = browser_->evaluate("servalLive.whole()");
  const deploy::Prediction own = predictor_->predict_file(speech_);
  for (std::size_t c = 0; c < own.probabilities.size(); ++c)
    EXPECT_EQ(static_cast<float>(whole.find("probabilities")->find(predictor_->classes()[c])->real),
              own.probabilities[c]);
  picture("file");
  browser_->resize(1280, 1000, true);
  picture("file-dark");
  browser_->resize(390, 1500);
  ASSERT_TRUE(browser_->wait_until("window.innerWidth === 390"));
  picture("file-phone");
  expect_fits();
  browser_->resize(390, 1500, true);
  picture("file-phone-dark");
  EXPECT_THAT(browser_->complaints(), IsEmpty());

  // What is no sound is said so, and what was there stays.
  bundle_.folder.write("text.wav", "no sound at all");
  browser_->choose_file("#file", bundle_.folder / "text.wav");
  ASSERT_TRUE(browser_->wait_until("!document.getElementById('problem').hidden"));
  EXPECT_THAT(browser_->evaluate("document.getElementById('problem').textContent").text,
              testing::HasSubstr("is not a recording"));
}

// Every control can be reached by the keyboard and has a name.
TEST_F(ServePageTest, ControlsHaveNames) {
  EXPECT_EQ(browser_
                ->evaluate("Array.from(document.querySelectorAll('button, select, input')).filter((e) => "
                           "e.tabIndex < 0 || "
                           "!(e.textContent.trim() || e.labels.length > 0)).length")
                .integer,
            0);
  EXPECT_EQ(browser_->evaluate("document.querySelectorAll('canvas:not([aria-label])').length").integer, 0);
  const testing_support::Outcome tidy = run_process({"tidy", "-version"});
  if (tidy.exit_code != 0) GTEST_SKIP() << "there is no tidy";
  const std::string page =
      bundle_.folder.write("live.html", testing_support::get(server_->port(), "/").body());
  const testing_support::Outcome outcome = run_process({"tidy", "-errors", "-quiet", page});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

}  // namespace
}  // namespace serval
