// Chunks of any size give the rows of the whole clip, bit for bit.
#include "serval/features/streaming.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"

#include "tests/features/signals.h"
#include "tests/support/devices.h"

namespace serval::features {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kRateHz = 8000;

FeatureSettings parse(const std::string& json) {
  std::vector<std::string> errors;
  FeatureSettings s = read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  return s;
}

class StreamingTest : public testing_support::DeviceTest {
 protected:
  void compare(const FeatureSettings& settings, int samples, const std::vector<std::size_t>& chunks) {
    const audio::Waveform clip = test_clip(samples, kRateHz, 7);
    const FeatureMatrix whole = Extractor(settings, kRateHz, context_).run({&clip, 1}).front();
    StreamingExtractor stream(settings, kRateHz, context_);
    for (int turn = 0; turn < 2; ++turn) {  // the second sound must not see the first
      std::vector<float> rows;
      std::int64_t frames = 0;
      std::size_t at = 0;
      for (std::size_t i = 0; at < clip.samples.size(); ++i) {
        const std::size_t count = std::min(chunks[i % chunks.size()], clip.samples.size() - at);
        const FeatureMatrix part = stream.push(std::span(clip.samples).subspan(at, count));
        at += count;
        frames += part.frames;
        rows.insert(rows.end(), part.values.begin(), part.values.end());
        // What has arrived comes out no later than promised, once the first deltas have their neighbourhood.
        const std::int64_t hop =
            settings.parts.empty() ? settings.hop_samples : settings.parts[0].hop_samples;
        if (frames > 0)
          EXPECT_GE((frames + 1) * hop + stream.delay_samples() + hop, static_cast<std::int64_t>(at));
      }
      const FeatureMatrix last = stream.finish();
      frames += last.frames;
      rows.insert(rows.end(), last.values.begin(), last.values.end());
      ASSERT_EQ(frames, whole.frames);
      ASSERT_EQ(rows, whole.values);
    }
  }
  Context context_{device(), 1};
};

const std::vector<std::vector<std::size_t>> kChunks{{1}, {7, 80, 33}, {400}, {5000}, {0, 161}};

TEST_P(StreamingTest, EqualsTheWholeClip) {
  for (
      const char* json :
      {R"({"type": "log_mel", "top_db": null, "n_mels": 10, "hop_samples": 40, "window_samples": 100, "n_fft": 128})",
       R"({"type": "mfcc", "log": "natural", "n_mels": 10, "n_mfcc": 5, "hop_samples": 37, "window_samples": 128,
            "padding": "reflect", "deltas": 2, "delta_width": 5})",
       R"({"type": "mfcc", "preset": "kaldi", "n_mels": 10, "n_mfcc": 5, "hop_samples": 40, "window_samples": 100,
            "deltas": 2})",
       R"({"type": "log_mel", "preset": "kaldi", "n_mels": 10, "padding": "mirror", "hop_samples": 30,
            "window_samples": 128, "deltas": 2, "delta_method": "savgol_repeated", "delta_width": 3})",
       R"({"type": "stack", "hop_samples": 50, "window_samples": 64, "parts": [{"type": "spectrum", "log": "db",
            "top_db": null}, {"type": "energy"}, {"type": "mel", "n_mels": 7}], "deltas": 1})"}) {
    SCOPED_TRACE(json);
    for (const std::vector<std::size_t>& chunks : kChunks) {
      for (const int samples : {130, 300, 1777}) compare(parse(json), samples, chunks);
    }
  }
}

TEST_P(StreamingTest, AStreamWithoutAFrameIsAnErrorAndTheNextOneStartsAfresh) {
  FeatureSettings settings =
      parse(R"({"type": "energy", "padding": "none", "window_samples": 64, "hop_samples": 32})");
  StreamingExtractor stream(settings, kRateHz, context_);
  EXPECT_EQ(stream.push(std::vector<float>(63, 0.5f)).frames, 0);
  try {
    stream.finish();
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ended after 63 samples; its shortest frame needs 64"));
  }
  EXPECT_EQ(stream.push(std::vector<float>(63, 0.5f)).frames, 0);
  EXPECT_EQ(stream.push(std::vector<float>(1, 0.5f)).frames, 1);
}

TEST_P(StreamingTest, BadSamplesLeaveTheStreamAsItWas) {
  FeatureSettings settings =
      parse(R"({"type": "energy", "padding": "none", "window_samples": 64, "hop_samples": 32})");
  StreamingExtractor stream(settings, kRateHz, context_);
  stream.push(std::vector<float>(60, 0.5f));
  try {
    stream.push(std::vector<float>{0.1f, NAN});
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("sample 61 of the stream is nan"));
  }
  EXPECT_EQ(stream.push(std::vector<float>(4, 0.5f)).frames, 1);
}

SERVAL_DEVICE_TESTS(StreamingTest);

TEST(Streaming, RefusesWhatNeedsTheWholeClip) {
  const Context context;
  const auto error_of = [&](const std::string& json) -> std::string {
    try {
      StreamingExtractor(parse(json), kRateHz, context);
      return "no error";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(
      error_of(R"({"type": "log_mel", "db_reference": "peak"})"),
      AllOf(HasSubstr("top_db is measured from the clip's peak"), HasSubstr("db_reference \"peak\"")));
  EXPECT_THAT(error_of(R"({"type": "spectrum", "log": "db"})"), HasSubstr("\"bin_0\" depends on all frames"));
  EXPECT_THAT(error_of(R"({"type": "energy", "statistics": ["mean"]})"), HasSubstr("statistics"));
}

}  // namespace
}  // namespace serval::features
