// What a stream says of a window is what a recording of those samples would be told, to the bit.
#include "serval/deploy/stream.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/support/tone_bundle.h"

namespace serval::deploy {
namespace {

using testing::HasSubstr;
using testing_support::tone_speech;
using testing_support::ToneBundle;

constexpr int kRate_hz = 8000;

std::string bytes_of(const std::vector<float>& samples) {
  return {reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float)};
}

class StreamTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    bundle_ = new ToneBundle;
    predictor_ = new Predictor(bundle_->path());
  }
  static void TearDownTestSuite() {
    delete predictor_;
    delete bundle_;
  }
  static std::vector<StreamResult> stream(const std::vector<float>& samples, const StreamOptions& options,
                                          std::size_t piece = 4096, int channels = 1) {
    Stream stream(*predictor_, {kRate_hz, channels, PcmEncoding::kF32le}, options);
    std::vector<StreamResult> out;
    const auto take = [&](const StreamResult& result) { out.push_back(result); };
    const std::string bytes = bytes_of(samples);
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      stream.push(std::string_view(bytes).substr(at, piece), take);
    stream.finish(take);
    return out;
  }

  static ToneBundle* bundle_;
  static Predictor* predictor_;
};
ToneBundle* StreamTest::bundle_ = nullptr;
Predictor* StreamTest::predictor_ = nullptr;

TEST_F(StreamTest, EachResultIsThatOfItsSamplesWhateverThePieces) {
  const std::vector<float> speech = tone_speech(4);
  const StreamOptions options{.window_s = 0.8, .hop_s = 0.3, .shortest_s = 0.1};
  for (const std::size_t piece : {1u, 7u, 160u, 100000u}) {
    const std::vector<StreamResult> results = stream(speech, options, piece);
    ASSERT_EQ(results.size(), 12u);  // 0 .. 3 s in steps of 0.3 s, and what is left
    for (std::size_t k = 0; k < results.size(); ++k) {
      const StreamResult& result = results[k];
      EXPECT_EQ(result.begin, static_cast<std::int64_t>(2400 * k));
      EXPECT_EQ(result.end, std::min<std::int64_t>(32000, result.begin + 6400));
      EXPECT_EQ(result.begin_s, static_cast<double>(result.begin) / kRate_hz);
      EXPECT_EQ(result.last, k == 11);
      EXPECT_EQ(result.probabilities,
                predictor_
                    ->predict(speech.data() + result.begin,
                              static_cast<std::size_t>(result.end - result.begin), kRate_hz)
                    .probabilities);
      EXPECT_EQ(result.smoothed, result.probabilities);
    }
    const std::string file =
        audio::write_sound(bundle_->folder / "window.wav", {speech.begin() + 4800, speech.begin() + 11200},
                           kRate_hz, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    EXPECT_EQ(results[2].probabilities, predictor_->predict_file(file).probabilities);
  }
}

TEST_F(StreamTest, ChannelsBecomeTheirMean) {
  const std::vector<float> speech = tone_speech(1);
  std::vector<float> stereo;
  for (const float sample : speech) {
    stereo.push_back(sample * 2);
    stereo.push_back(0);
  }
  const StreamOptions options{.window_s = 0.5, .hop_s = 0.5};
  const std::vector<StreamResult> results = stream(stereo, options, 1001, 2), mono = stream(speech, options);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].end_s, 1.0);
  for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(results[k].probabilities, mono[k].probabilities);
}

TEST_F(StreamTest, SilenceIsToldAndNotScored) {
  std::vector<float> samples = tone_speech(1);
  samples.resize(3 * kRate_hz);
  const StreamOptions options{.window_s = 1, .hop_s = 1, .smoothing = 0.5};
  const std::vector<StreamResult> results = stream(samples, options);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_FALSE(results[0].silent);
  EXPECT_TRUE(results[1].silent);
  EXPECT_TRUE(results[1].probabilities.empty());
  const std::vector<std::string>& classes = predictor_->classes();
  EXPECT_EQ(to_json(results[1], classes, options).find("silent")->boolean, true);
  EXPECT_EQ(to_json(results[1], classes, options).find("label"), nullptr);
  EXPECT_EQ(to_json(results[1], classes, options).find("level_db")->kind, JsonValue::Kind::kNull);
  EXPECT_NE(to_json(results[0], classes, options).find("label"), nullptr);

  // The gate is at the level of the whole window.
  const std::vector<StreamResult> all =
      stream(tone_speech(1), {.window_s = 1, .hop_s = 1, .gate_db = results[0].level_db});
  EXPECT_FALSE(all[0].silent);
  const std::vector<StreamResult> none = stream(
      tone_speech(1), {.window_s = 1, .hop_s = 1, .gate_db = std::nextafter(results[0].level_db, 0.0)});
  EXPECT_TRUE(none[0].silent);
}

TEST_F(StreamTest, SmoothingKeepsAShareOfWhatWas) {
  std::vector<float> samples = tone_speech(2);
  samples.resize(3 * kRate_hz);
  const std::vector<float> more = tone_speech(1);
  samples.insert(samples.end(), more.begin(), more.end());
  const std::vector<StreamResult> results = stream(samples, {.window_s = 1, .hop_s = 1, .smoothing = 0.75});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].smoothed, results[0].probabilities);
  for (std::size_t c = 0; c < results[0].smoothed.size(); ++c)
    EXPECT_FLOAT_EQ(results[1].smoothed[c],
                    0.75f * results[0].probabilities[c] + 0.25f * results[1].probabilities[c]);
  EXPECT_NE(results[1].smoothed, results[1].probabilities);
  EXPECT_EQ(results[3].smoothed, results[3].probabilities);  // silence lay between
  const JsonValue said = to_json(results[1], predictor_->classes(), {.smoothing = 0.75});
  EXPECT_NE(said.find("unsmoothed"), nullptr);
}

TEST_F(StreamTest, TheEndIsScoredWhenItIsLongEnough) {
  const StreamOptions options{.window_s = 1, .hop_s = 1, .shortest_s = 0.5};
  EXPECT_EQ(stream(tone_speech(1.45), options).size(), 1u);
  EXPECT_EQ(stream(tone_speech(1.5), options).size(), 2u);
  EXPECT_EQ(stream(tone_speech(0.75), options).size(), 1u);
  // A window that cannot be scored says why.
  const std::vector<StreamResult> brief =
      stream(tone_speech(0.01), {.window_s = 1, .hop_s = 1, .shortest_s = 0});
  ASSERT_EQ(brief.size(), 1u);
  EXPECT_THAT(to_json(brief[0], predictor_->classes(), options).find("error")->text, HasSubstr("too short"));

  Stream cut(*predictor_, {kRate_hz, 1, PcmEncoding::kF32le}, options);
  cut.push("abc", [](const StreamResult&) {});
  EXPECT_THROW(cut.finish([](const StreamResult&) {}), DataError);
}

TEST_F(StreamTest, RefusesOptionsThatMakeNoSense) {
  const auto refused = [](const StreamOptions& options) {
    EXPECT_THROW(Stream(*predictor_, {kRate_hz, 1, PcmEncoding::kF32le}, options), ConfigError);
  };
  refused({.window_s = 0});
  refused({.window_s = 601});
  refused({.window_s = NAN});
  refused({.hop_s = 1e-9});
  refused({.hop_s = -1});
  refused({.smoothing = 1});
  refused({.gate_db = NAN});
}

}  // namespace
}  // namespace serval::deploy
