// serval plot and serval corpus stats, as a person runs them.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/json.h"

#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/tone_corpus.h"

namespace serval {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing_support::Outcome;
using testing_support::ProcessOptions;
using testing_support::run_in;
using testing_support::tone_name;

class PictureTest : public testing::Test {
 protected:
  void SetUp() override { testing_support::make_tone_corpus(folder_ / "corpus"); }
  std::string recording(int emotion) const { return folder_ / "corpus/" + tone_name(emotion, 0, 1) + ".wav"; }
  Outcome serval(const std::vector<std::string>& arguments, const ProcessOptions& options = {}) const {
    return run_in(folder_.str(), kProgram, arguments, options);
  }
  std::string file(const std::string& name) const { return read_text(folder_ / name); }

  TempFolder folder_;
};

// Width and height, big-endian, stand at a fixed place of every PNG.
std::uint32_t png_number(const std::string& png, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) number = number << 8 | static_cast<unsigned char>(png.at(i));
  return number;
}

TEST_F(PictureTest, DrawsRecordingsAsPng) {
  const Outcome outcome =
      serval({"plot", recording(1), recording(2), "--what", "waveform,spectrogram,mel,mfcc,f0,segments"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("recordings.png: 2 recordings"));
  const std::string png = file("recordings.png");
  EXPECT_THAT(png, StartsWith("\x89PNG"));
  EXPECT_EQ(png_number(png, 16), 82u + 2 * 560 + 18 + 92);
  EXPECT_EQ(png_number(png, 20), 42u + 110 + 190 + 190 + 150 + 150 + 64 + 5 * 18 + 52);
}

TEST_F(PictureTest, ABadFileIsNamedAndTheOthersAreDrawn) {
  folder_.write("bad.wav", "no sound at all");
  const Outcome outcome = serval({"plot", "bad.wav", recording(1), "--out", "x.svg"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("bad.wav"), HasSubstr("x.svg: 1 recording"), HasSubstr("1 of 2")));
  EXPECT_THAT(file("x.svg"),
              AllOf(HasSubstr("width=\"994\" height=\"412\""), HasSubstr(tone_name(1, 0, 1) + ".wav")));
}

// Nothing that a file may be called is a command, or markup.
TEST_F(PictureTest, ATitleIsTheFilesNameWhateverItHolds) {
  const std::string name = "a'b\"; !touch owned; `touch owned` _x^{2} <i>.wav";
  fs::copy_file(recording(1), folder_ / name);
  const Outcome outcome = serval({"plot", name, "--out", "x.svg"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(file("x.svg"),
              AllOf(HasSubstr("!touch owned; `touch owned` _x^{2} &lt;i>.wav"), HasSubstr("a'b")));
  EXPECT_FALSE(fs::exists(folder_ / "owned"));
}

TEST_F(PictureTest, AnExperimentsSettingsCanBeDrawnAndSilenceIsNamed) {
  audio::write_sound(folder_ / "silent.wav", std::vector<float>(8000, 0.0f), 8000);
  const Outcome silent = serval({"plot", "silent.wav"});
  EXPECT_EQ(silent.exit_code, 3);
  EXPECT_THAT(silent.err, HasSubstr("silent.wav: silent: every sample is zero"));
  folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
  const Outcome outcome =
      serval({"plot", recording(1), "--experiment", "x.json", "--what", "spectrogram", "--out", "x.svg"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // 4000 Hz are the top at the experiment's 8 kHz; without it there are 8000.
  EXPECT_THAT(file("x.svg"), AllOf(HasSubstr("4000"), Not(HasSubstr("8000"))));
}

TEST_F(PictureTest, WithoutGnuplotOneMessageSaysSo) {
  ProcessOptions options;
  options.environment["PATH"] = folder_.str();
  const Outcome outcome = serval({"plot", recording(1)}, options);
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("gnuplot-nox"), HasSubstr("not on PATH")));
  EXPECT_FALSE(fs::exists(folder_ / "recordings.png"));
}

TEST_F(PictureTest, UnknownPanelsAndEndingsAreRefused) {
  const Outcome panel = serval({"plot", recording(1), "--what", "waveform,cepstrum"});
  EXPECT_EQ(panel.exit_code, 2);
  EXPECT_THAT(panel.err, AllOf(HasSubstr("\"cepstrum\""), HasSubstr("spectrogram")));
  const Outcome ending = serval({"plot", recording(1), "--out", "x.jpg"});
  EXPECT_EQ(ending.exit_code, 2);
  EXPECT_THAT(ending.err, HasSubstr("x.jpg: pictures are .png or .svg"));
}

TEST_F(PictureTest, StatisticsOfAFolderOfAnExperimentAndOfOneCorpusAgree) {
  folder_.write("corpus/03-01-04-01-02-02-06.wav", "no sound at all");
  folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
  const Outcome folder = serval({"corpus", "stats", "corpus", "--plot", "x.png"});
  EXPECT_EQ(folder.exit_code, 0) << folder.err;
  EXPECT_THAT(folder.out, AllOf(HasSubstr("48 recordings of 6 actors"), HasSubstr("1 that cannot be read"),
                                HasSubstr("unreadable: ")));
  EXPECT_EQ(png_number(file("x.png"), 16), 1350u);
  EXPECT_EQ(serval({"corpus", "stats", "x.json"}).out, folder.out);
  EXPECT_EQ(serval({"corpus", "stats", "ravdess", "corpus"}).out, folder.out);

  const JsonValue json = parse_json(serval({"corpus", "stats", "corpus", "--json"}).out, "stats");
  EXPECT_EQ(json.find("recordings")->integer, 48);
  EXPECT_EQ(json.find("by_actor")->find("ravdess/03")->find("recordings")->integer, 8);
}

TEST_F(PictureTest, AFolderWithoutAKnownCorpusIsRefused) {
  folder_.write("other/x.wav", "");
  const Outcome outcome = serval({"corpus", "stats", "other"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("no recording of a known corpus among 1 files"));
}

}  // namespace
}  // namespace serval
