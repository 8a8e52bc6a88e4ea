#include "serval/report/recording_plot.h"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/audio/sound_files.h"

namespace serval::report {
namespace {

using audio::message_of;
using corpus::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Gnuplot, TextsCannotEndTheirQuotes) {
  EXPECT_EQ(gnuplot_text("it's"), "'it''s'");
  EXPECT_EQ(gnuplot_text("a\n`b`\\"), "'a `b`\\'");
}

TEST(Gnuplot, FormatsAreToldByTheEnding) {
  EXPECT_EQ(picture_format("a/b.PNG"), PictureFormat::kPng);
  EXPECT_EQ(picture_format("b.svg"), PictureFormat::kSvg);
  EXPECT_THROW(picture_format("b.pdf"), ConfigError);
  EXPECT_THROW(picture_format("svg"), ConfigError);
}

TEST(Gnuplot, ARefusedScriptIsAnErrorWithGnuplotsWords) {
  EXPECT_THAT(message_of<InternalError>([] { draw_with_gnuplot("plto sin(x)\n", PictureFormat::kSvg, {}); }),
              HasSubstr("invalid command"));
}

TEST(RecordingPlot, PanelsAreReadByName) {
  EXPECT_THAT(read_panels("f0,waveform"), ElementsAre(Panel::kF0, Panel::kWaveform));
  EXPECT_THROW(read_panels("waveform,"), ConfigError);
  EXPECT_THROW(read_panels("mels"), ConfigError);
}

// Names are the user's, and none of them may be a command or a piece of the picture's markup.
TEST(RecordingPlot, NamesAreDrawnAsTheyAreAndRunNothing) {
  const TempFolder folder;
  const std::string name = "it's {a}_b^c & <b>\" `touch pwned` |x.wav";
  audio::write_sound(folder / name, audio::tone(0.5, 300, 0.3));
  audio::write_sound(folder / "long.wav", audio::tone(40, 300, 0.3));
  RecordingPlotSettings settings = default_plot_settings();
  settings.panels = read_panels("waveform,spectrogram,mel,mfcc,f0,segments");
  const std::vector<RecordingLook> looks = {look_at(folder / name, settings),
                                            look_at(folder / "long.wav", settings)};
  const std::string svg = draw_recordings(looks, settings, PictureFormat::kSvg);
  // Not by matchers: these print the whole picture.
  const auto has = [&svg](const char* text) { return svg.find(text) != std::string::npos; };
  EXPECT_TRUE(has("it's {a}_b^c &amp; &lt;b>"));
  EXPECT_FALSE(has("<b>"));
  for (const char* axis : {"time (s)", "frequency (Hz)", "power (dB)", "f0 (Hz)", "64 frames"})
    EXPECT_TRUE(has(axis)) << axis;
  EXPECT_THAT(draw_recordings(looks, settings, PictureFormat::kPng), StartsWith("\x89PNG"));
  EXPECT_FALSE(std::filesystem::exists("pwned"));
}

TEST(RecordingPlot, PitchAndSegmentsAreThoseOfTheSound) {
  const TempFolder folder;
  audio::write_sound(folder / "a.wav", audio::tone(1.0, 220, 0.3));
  RecordingPlotSettings settings = default_plot_settings();
  settings.panels = {Panel::kF0, Panel::kSegments};
  const RecordingLook look = look_at(folder / "a.wav", settings);
  EXPECT_EQ(look.title, "a.wav");
  EXPECT_NEAR(look.f0.values[static_cast<std::size_t>(50 * look.f0.dimension)], 220, 2);
  EXPECT_EQ(look.mel.frames, 101);
  EXPECT_THAT(look.segments.lengths, ElementsAre(64));
  EXPECT_EQ(look.spectrogram.frames, 0);  // not asked for
}

}  // namespace
}  // namespace serval::report
