// The C interface says what the predictor says, and throws nothing.
#include "serval/deploy/c_api.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/version.h"
#include "serval/deploy/predictor.h"

#include "tests/audio/sound_files.h"
#include "tests/corpus/corpus_fixtures.h"

namespace serval::deploy {
namespace {

using testing::HasSubstr;

constexpr int kRate_hz = 8000;
// A whole bundle; the fuzz target takes the byte before it for itself.
std::string seed_bundle() {
  return read_text(SERVAL_SOURCE_DIR "/tests/fuzz/seeds/bundle/one_file.serval").substr(1);
}

std::vector<float> sound(double frequency_hz = 440) { return audio::tone(0.6, frequency_hz, 0.3, kRate_hz); }

class CApiTest : public testing::Test {
 protected:
  void SetUp() override {
    bundle_ = folder_.write("a.serval", seed_bundle());
    serval_predictor_options options{};
    options.size = sizeof options;
    options.timeline = 1;
    ASSERT_EQ(serval_predictor_open(bundle_.c_str(), &options, &predictor_), SERVAL_DONE)
        << serval_last_error();
  }
  void TearDown() override { serval_predictor_close(predictor_); }
  // Of samples; freed by the caller.
  serval_prediction* prediction_of(const std::vector<float>& samples) const {
    serval_prediction* out = nullptr;
    EXPECT_EQ(serval_predictor_predict_samples(predictor_, samples.data(), samples.size(), kRate_hz, &out),
              SERVAL_DONE)
        << serval_last_error();
    return out;
  }
  corpus::TempFolder folder_;
  std::string bundle_;
  serval_predictor* predictor_ = nullptr;
};

TEST_F(CApiTest, SaysWhatThePredictorSays) {
  const Predictor expected(bundle_, {.timeline = true});
  EXPECT_STREQ(serval_version(), kVersion);
  EXPECT_EQ(serval_predictor_name(predictor_), expected.name());
  EXPECT_EQ(serval_predictor_sample_rate_hz(predictor_), expected.sample_rate_hz());
  ASSERT_EQ(serval_predictor_class_count(predictor_), expected.classes().size());
  for (std::size_t c = 0; c < expected.classes().size(); ++c)
    EXPECT_EQ(serval_predictor_class_name(predictor_, c), expected.classes()[c]);
  EXPECT_EQ(serval_predictor_class_name(predictor_, expected.classes().size()), nullptr);
  ASSERT_EQ(serval_predictor_stamp_count(predictor_), expected.stamps().size());
  for (std::size_t s = 0; s < expected.stamps().size(); ++s)
    EXPECT_EQ(serval_predictor_stamp(predictor_, s), expected.stamps()[s]);
  EXPECT_EQ(serval_predictor_stamp(predictor_, expected.stamps().size()), nullptr);

  const std::vector<float> samples = sound();
  const Prediction said = expected.predict(samples.data(), samples.size(), kRate_hz);
  serval_prediction* own = prediction_of(samples);
  EXPECT_EQ(serval_prediction_best(own), said.best);
  EXPECT_EQ(serval_prediction_seconds(own), said.seconds);
  for (std::size_t c = 0; c < said.probabilities.size(); ++c)
    EXPECT_EQ(serval_prediction_probabilities(own)[c], said.probabilities[c]);
  ASSERT_EQ(serval_prediction_stretch_count(own), said.timeline.size());
  for (std::size_t k = 0; k < said.timeline.size(); ++k) {
    EXPECT_EQ(serval_prediction_stretch_model(own, k), said.timeline[k].model);
    EXPECT_EQ(serval_prediction_stretch_begin_s(own, k), said.timeline[k].begin_s);
    EXPECT_EQ(serval_prediction_stretch_end_s(own, k), said.timeline[k].end_s);
    EXPECT_EQ(serval_prediction_stretch_probabilities(own, k)[0], said.timeline[k].probabilities[0]);
  }
  serval_prediction_free(own);
}

TEST_F(CApiTest, FilesAndSamplesAreTheSame) {
  const std::vector<float> samples = sound();
  audio::write_sound(folder_ / "a.wav", samples, kRate_hz);
  const std::string path = folder_ / "a.wav";
  serval_prediction* file = nullptr;
  ASSERT_EQ(serval_predictor_predict_file(predictor_, path.c_str(), &file), SERVAL_DONE)
      << serval_last_error();
  const Prediction said = Predictor(bundle_).predict_file(path);
  EXPECT_EQ(serval_prediction_probabilities(file)[0], said.probabilities[0]);
  serval_prediction_free(file);
}

TEST_F(CApiTest, FailuresHaveCodesAndMessages) {
  serval_predictor* other = nullptr;
  const auto open = [&](const char* bundle, const serval_predictor_options* options) {
    return serval_predictor_open(bundle, options, &other);
  };
  EXPECT_EQ(open(nullptr, nullptr), SERVAL_BAD_CALL);
  EXPECT_THAT(serval_last_error(), HasSubstr("bundle is NULL"));
  EXPECT_EQ(serval_predictor_open(bundle_.c_str(), nullptr, nullptr), SERVAL_BAD_CALL);
  EXPECT_EQ(open("nowhere.bundle", nullptr), SERVAL_BAD_DATA);
  EXPECT_THAT(serval_last_error(), HasSubstr("nowhere.bundle"));
  serval_predictor_options options{};
  EXPECT_EQ(open(bundle_.c_str(), &options), SERVAL_BAD_CALL);
  EXPECT_THAT(serval_last_error(), HasSubstr("size is 0"));
  options.size = sizeof options;
  options.batch = -1;
  EXPECT_EQ(open(bundle_.c_str(), &options), SERVAL_BAD_CALL);
  EXPECT_THAT(serval_last_error(), HasSubstr("batch is -1"));
  options.batch = 0;
  options.device = "gramophone";
  EXPECT_EQ(open(bundle_.c_str(), &options), SERVAL_BAD_CALL);
  EXPECT_THAT(serval_last_error(), HasSubstr("gramophone"));
  EXPECT_EQ(other, nullptr);

  serval_prediction* said = nullptr;
  const std::vector<float> silence(4000);
  EXPECT_EQ(serval_predictor_predict_samples(predictor_, silence.data(), silence.size(), kRate_hz, &said),
            SERVAL_BAD_DATA);
  EXPECT_THAT(serval_last_error(), HasSubstr("silent"));
  EXPECT_EQ(serval_predictor_predict_samples(predictor_, silence.data(), 0, kRate_hz, &said),
            SERVAL_BAD_DATA);
  EXPECT_EQ(serval_predictor_predict_samples(predictor_, nullptr, 4000, kRate_hz, &said), SERVAL_BAD_CALL);
  EXPECT_EQ(serval_predictor_predict_samples(nullptr, silence.data(), 1, kRate_hz, &said), SERVAL_BAD_CALL);
  EXPECT_EQ(serval_predictor_predict_file(predictor_, "nowhere.wav", &said), SERVAL_BAD_DATA);
  EXPECT_EQ(serval_predictor_predict_file(predictor_, nullptr, &said), SERVAL_BAD_CALL);
  EXPECT_EQ(said, nullptr);
  // It goes on after them; what was said last stays until the next failure.
  said = prediction_of(sound());
  EXPECT_THAT(serval_last_error(), HasSubstr("path is NULL"));
  serval_prediction_free(said);
  serval_prediction_free(nullptr);
  serval_predictor_close(nullptr);
}

TEST_F(CApiTest, ThreadsShareAPredictorAndHaveErrorsOfTheirOwn) {
  constexpr int kThreads = 4, kTimes = 8;
  const Predictor alone(bundle_);
  std::vector<std::thread> threads;
  std::vector<int> right(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<float> samples = sound(200 + 100 * t);
      const Prediction expected = alone.predict(samples.data(), samples.size(), kRate_hz);
      const std::string missing = "nowhere" + std::to_string(t);
      for (int i = 0; i < kTimes; ++i) {
        serval_prediction* said = nullptr;
        const int failed = serval_predictor_predict_file(predictor_, missing.c_str(), &said);
        serval_predictor_predict_samples(predictor_, samples.data(), samples.size(), kRate_hz, &said);
        right[t] += failed == SERVAL_BAD_DATA && said != nullptr &&
                    std::equal(expected.probabilities.begin(), expected.probabilities.end(),
                               serval_prediction_probabilities(said)) &&
                    std::string(serval_last_error()).find(missing) != std::string::npos;
        serval_prediction_free(said);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(kTimes));
}

}  // namespace
}  // namespace serval::deploy
