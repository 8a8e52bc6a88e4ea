// Waveforms in, probabilities out: features, audio settings, segments, images and fusion as ONNX against Serval's own.
#include <gmock/gmock.h>

#include "onnx_support.h"

namespace serval::deploy {
namespace {

using testing_support::MadeBundle;
using testing_support::make_bundle;
using testing_support::worst_difference;

#define NEED_ONNX_RUNTIME()                      \
  if (testing_support::onnx_python() == nullptr) \
  GTEST_SKIP() << "SERVAL_ONNX_PYTHON names no Python with onnxruntime, so the model was not run"

struct WaveformCase {
  const char* name;
  MadeBundle made;
};

class OnnxWaveform : public testing::TestWithParam<WaveformCase> {};

TEST_P(OnnxWaveform, GivesServalsScores) {
  NEED_ONNX_RUNTIME();
  EXPECT_LT(worst_difference(make_bundle(GetParam().made), OnnxForm::kWaveform), 2e-5);
}

MadeBundle of_features(const char* features) {
  MadeBundle out;
  out.features = features;
  return out;
}
MadeBundle of_audio(const char* audio) {
  MadeBundle out;
  out.audio = audio;
  return out;
}
// Segments as images, read by a network whose widths follow from them.
MadeBundle of_images(const char* input) {
  MadeBundle out;
  out.features = R"({"type": "log_mel", "n_mels": 8, "window_ms": 32, "hop_ms": 16, "deltas": 1})";
  out.input = input;
  out.network = R"({"inputs": {"x": {"kind": "image"}}, "layers": [
    {"type": "conv2d", "channels": 4, "kernel": 3, "activation": "tanh"}, {"type": "flatten"}, {"type": "dense"}]})";
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    Features, OnnxWaveform,
    testing::Values(
        WaveformCase{"mfcc",
                     of_features(R"({"type": "mfcc", "n_mels": 20, "n_mfcc": 9, "deltas": 2, "lifter": 22,
          "zeroth": "last", "window_ms": 32, "hop_ms": 16})")},
        WaveformCase{"kaldi", of_features(R"({"type": "mfcc", "preset": "kaldi"})")},
        WaveformCase{"htk", of_features(R"({"type": "mfcc", "preset": "htk", "n_mfcc": 12, "deltas": 2})")},
        WaveformCase{"librosa",
                     of_features(R"({"type": "log_mel", "preset": "librosa", "n_mels": 16, "n_fft": 512,
          "window_samples": 512, "hop_samples": 160, "padding": "reflect", "db_reference": "peak"})")},
        WaveformCase{"torchaudio", of_features(R"({"type": "mfcc", "preset": "torchaudio"})")},
        WaveformCase{"slow_deltas", of_features(R"({"type": "mfcc", "n_mels": 10, "n_mfcc": 5, "hop_ms": 300,
          "delta_width": 15, "deltas": 2, "delta_method": "savgol_repeated"})")},
        WaveformCase{"stack", of_features(R"({"type": "stack", "window_ms": 32, "hop_ms": 16, "parts": [
          {"type": "mfcc", "n_mels": 12, "n_mfcc": 6, "deltas": 1}, {"type": "zcr"}, {"type": "rms"},
          {"type": "centroid"}, {"type": "bandwidth"}, {"type": "rolloff"}, {"type": "flatness"},
          {"type": "chroma", "tuning": 0, "chroma_norm": "l2"}]})")},
        WaveformCase{"samples",
                     of_features(R"({"type": "stack", "window_ms": 20, "hop_ms": 10, "padding": "none",
          "window_place": "start", "parts": [{"type": "energy", "energy_windowed": true, "remove_dc": true},
          {"type": "spectrum", "n_fft": 256, "power": 1, "log": "natural"}, {"type": "mel", "n_mels": 8}]})")},
        WaveformCase{
            "teager",
            of_features(R"({"type": "teager", "window_ms": 20, "hop_ms": 10, "teager": "log_mean_abs"})")},
        WaveformCase{
            "statistics",
            MadeBundle{
                .features = R"({"type": "stack", "window_ms": 32, "hop_ms": 16, "parts": [
          {"type": "mfcc", "n_mels": 12, "n_mfcc": 4, "statistics": ["mean", "std", "variance", "skewness", "kurtosis"]},
          {"type": "rms", "statistics": ["min", "max", "range", "median", "p10", "p97.5"]},
          {"type": "log_mel", "n_mels": 6, "hop_ms": 10, "statistics": ["all_mean"]}]})",
                .network = R"({"inputs": {"x": {"kind": "vector"}}, "layers": [{"type": "dense"}]})"}}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Audio, OnnxWaveform,
    testing::Values(
        WaveformCase{"trimmed", of_audio(R"({"sample_rate_hz": 8000, "trim_db": 12})")},
        WaveformCase{"cropped", of_audio(R"({"sample_rate_hz": 8000, "offset_s": 0.3, "duration_s": 1.7})")},
        WaveformCase{"levelled", of_audio(R"({"sample_rate_hz": 8000, "level": "rms", "level_db": -31,
                      "pre_emphasis": 0.9, "trim_db": 9})")},
        WaveformCase{"of_one_length",
                     of_audio(R"({"sample_rate_hz": 8000, "level": "peak", "length_s": 2.5})")}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Items, OnnxWaveform,
    testing::Values(
        WaveformCase{"short_tails_dropped",
                     MadeBundle{.input = R"({"features": "f", "segment_frames": [70, 33],
          "shift_frames": [30, 33], "min_real_share": 0.5})"}},
        WaveformCase{"shifted_back",
                     MadeBundle{.input = R"({"features": "f", "segment_frames": 50, "shift_frames": 20,
          "tail": "shift_back"})"}},
        WaveformCase{"cut_sequences", MadeBundle{.input = R"({"features": "f", "fit": {"frames": 90}})"}},
        WaveformCase{"images_padded",
                     of_images(R"({"features": "f", "segment_frames": 100, "shift_frames": 60,
          "image": {"channels": 2, "pad_value": "min", "scaling": "min_max_1"}})")},
        WaveformCase{"images_with_edges",
                     of_images(R"({"features": "f", "segment_frames": 70, "shift_frames": 70,
          "image": {"channels": 2, "pad_value": "edge", "scaling": "standardise", "resize": "bilinear", "height": 12,
          "width": 40, "layout": "channel_time_band"}})")},
        WaveformCase{"images_with_a_number",
                     of_images(R"({"features": "f", "segment_frames": 70, "tail": "drop",
          "shift_frames": 70, "image": {"channels": 2, "pad_value": "number", "pad_number": -40}})")},
        WaveformCase{"images_of_several_lengths", of_images(R"({"features": "f", "segment_frames": [150, 40],
          "shift_frames": 40, "image": {"channels": 2, "resize": "bilinear_corners",
          "width": 40, "scaling": "min_max_255"}})")},
        WaveformCase{"recordings_fitted",
                     of_images(R"({"features": "f", "fit": {"frames": 60, "fit": "nearest_exact"},
          "image": {"channels": 2}})")}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(OnnxFusion, EveryRuleAndEnsemblesGiveServalsScores) {
  NEED_ONNX_RUNTIME();
  for (const BundleRule rule : {BundleRule::kMean, BundleRule::kWeighted, BundleRule::kProduct,
                                BundleRule::kLogitAverage, BundleRule::kMaximum, BundleRule::kVote}) {
    Bundle bundle = make_bundle({.input = R"({"features": "f", "segment_frames": 40, "shift_frames": 40})"});
    // Two models of two members each, and two groups.
    bundle.models.push_back({"other", bundle.models.front().second});
    for (const std::uint64_t seed : {2, 3, 4}) testing_support::add_member(bundle, seed);
    for (std::size_t m = 2; m < 4; ++m) bundle.members[m].model = "other";
    bundle.rule = rule;
    bundle.groups = {{0, 0, {{0, 1}, {2}}, {}, {}}, {1, 0, {{0}, {2, 3}}, {}, {}}};
    if (rule == BundleRule::kWeighted) {
      bundle.groups[0].weights = {0.3, 0.7};
      bundle.groups[1].weights = {0.9, 0.1};
    }
    EXPECT_LT(worst_difference(bundle, OnnxForm::kWaveform), 2e-5) << "rule " << static_cast<int>(rule);
  }
}

TEST(OnnxNetwork, ReadsRawFeaturesOfImagesAndVectors) {
  NEED_ONNX_RUNTIME();
  const Bundle images = make_bundle(of_images(R"({"features": "f", "segment_frames": 100, "shift_frames": 60,
    "image": {"channels": 2, "pad_value": "edge"}})"));
  EXPECT_LT(worst_difference(images, OnnxForm::kNetwork), 5e-6);
  const Bundle vectors =
      make_bundle({.features = R"({"type": "mfcc", "statistics": ["mean", "std"]})",
                   .network = R"({"inputs": {"x": {"kind": "vector"}}, "layers": [{"type": "dense"}]})"});
  EXPECT_LT(worst_difference(vectors, OnnxForm::kNetwork), 5e-6);
}

}  // namespace
}  // namespace serval::deploy
