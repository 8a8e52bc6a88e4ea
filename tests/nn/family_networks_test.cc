// The networks of the families in experiments/systems: weights counted by hand, and what each layer's result looks like where it
// matters. Sizes are Serval's own, so nobody else's count can be compared.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

namespace serval::nn {
namespace {

struct Summary {
  std::int64_t weights = 0;
  std::int64_t statistics = 0;
  std::vector<LayerSummary> layers;

  // Of the first layer of a type, and of the layer of a name.
  std::string shape_of(const std::string& what) const {
    for (const LayerSummary& layer : layers) {
      if (layer.type == what || layer.name == what) return layer.output_shape;
    }
    return "none";
  }
};

Summary summary_of(const std::string& name) {
  std::vector<std::string> errors;
  const NetworkSettings settings = read_settings<NetworkSettings>(
      parse_json_file(
          (std::filesystem::path(SERVAL_SOURCE_DIR) / "experiments/networks" / (name + ".json")).string()),
      errors);
  EXPECT_EQ(errors, std::vector<std::string>()) << name;
  Summary out;
  out.layers = summarise(settings, declared_sizes(settings));
  for (const LayerSummary& layer : out.layers) {
    out.weights += layer.parameters;
    out.statistics += layer.non_trainable;
  }
  return out;
}

std::int64_t dense(std::int64_t in, std::int64_t out) { return (in + 1) * out; }
// Of one group, with biases; `kernel` counts all its values.
std::int64_t conv(std::int64_t in, std::int64_t out, std::int64_t kernel) { return (in * kernel + 1) * out; }
std::int64_t norm(std::int64_t channels) { return 2 * channels; }
std::int64_t lstm(std::int64_t in, std::int64_t hidden) { return 4 * hidden * (in + hidden + 1); }
// Two convolutions without biases and their norms; a 1x1 shortcut with one where the channels change.
std::int64_t residual(std::int64_t in, std::int64_t out) {
  const std::int64_t body = (in + out) * out * 9 + 2 * norm(out);
  return in == out ? body : body + in * out + norm(out);
}
std::int64_t attention_pool(std::int64_t in, std::int64_t units) { return dense(in, units) + units; }
std::int64_t excitation(std::int64_t channels, std::int64_t ratio) {
  return dense(channels, channels / ratio) + dense(channels / ratio, channels);
}

TEST(FamilyNetworks, OnSequences) {
  const Summary local = summary_of("conv1d_lstm");
  EXPECT_EQ(local.weights, conv(128, 64, 3) + conv(64, 64, 3) + conv(64, 128, 3) + conv(128, 128, 3) +
                               2 * norm(64) + 2 * norm(128) + lstm(128, 128) + dense(128, 8));
  EXPECT_EQ(local.statistics, 2 * (64 + 64 + 128 + 128));
  EXPECT_EQ(summary_of("mfcc_rnn").weights, 96 * (39 + 96 + 1) + dense(96, 8));
  EXPECT_EQ(summary_of("mfcc_lstm").weights, lstm(39, 96) + lstm(96, 96) + dense(96, 64) + dense(64, 8));
  const Summary prosody = summary_of("gru_prosody");
  EXPECT_EQ(prosody.weights, 3 * 128 * (39 + 128 + 2) + dense(128 + 24, 8));
  EXPECT_EQ(prosody.shape_of("concat"), "[152]");
}

TEST(FamilyNetworks, OnWaveforms) {
  EXPECT_EQ(summary_of("raw_cnn").weights, conv(1, 32, 80) + conv(32, 64, 3) + conv(64, 128, 3) +
                                               conv(128, 128, 3) + norm(32) + norm(64) + 2 * norm(128) +
                                               dense(128, 8));
  const Summary steps = summary_of("raw_cnn_lstm");
  EXPECT_EQ(steps.weights,
            conv(1, 64, 8) + conv(64, 128, 6) + conv(128, 256, 6) + 2 * lstm(256, 256) + dense(256, 8));
  EXPECT_EQ(steps.shape_of("steps"), "[time, 8]");
  const Summary gender = summary_of("gender_residual");
  EXPECT_EQ(gender.weights, conv(1, 32, 80) + 2 * conv(32, 32, 3) + 3 * norm(32) +            //
                                32 * 64 + conv(32, 64, 3) + conv(64, 64, 3) + 2 * norm(64) +  //
                                conv(64, 128, 3) + norm(128) + dense(128, 2) + dense(130, 8));
  EXPECT_EQ(gender.shape_of("gender"), "[2]");
  EXPECT_EQ(gender.shape_of("emotion"), "[8]");
}

TEST(FamilyNetworks, OnPictures) {
  const Summary strided = summary_of("dscnn");
  EXPECT_EQ(strided.weights, conv(1, 16, 49) + conv(16, 32, 25) + conv(32, 32, 9) + conv(32, 64, 9) +
                                 conv(64, 64, 9) + conv(64, 128, 9) + norm(16) + 2 * norm(32) + 2 * norm(64) +
                                 norm(128) + dense(128 * 8 * 8, 64) + dense(64, 8));
  const Summary dilated = summary_of("adrnn");
  EXPECT_EQ(dilated.weights, conv(3, 32, 9) + norm(32) + residual(32, 32) + residual(32, 64) +
                                 2 * lstm(320, 64) + attention_pool(128, 64) + dense(128, 64) + dense(64, 8));
  EXPECT_EQ(dilated.shape_of("to_sequence"), "[time, 320]");
  const Summary attentive = summary_of("attention_cnn");
  EXPECT_EQ(attentive.weights, conv(1, 32, 25) + conv(32, 64, 9) + conv(64, 96, 9) + norm(32) + norm(64) +
                                   norm(96) + excitation(32, 8) + excitation(64, 8) + excitation(96, 8) +
                                   attention_pool(192, 64) + dense(192, 8));
  const Summary blocks = summary_of("cnn_lstm_blocks");
  EXPECT_EQ(blocks.weights, conv(1, 32, 9) + conv(32, 32, 9) + conv(32, 64, 9) + conv(64, 64, 9) +
                                2 * norm(32) + 2 * norm(64) + lstm(64, 96) + dense(96, 8));
  EXPECT_EQ(summary_of("spectrogram_cnn_lstm").weights, conv(1, 16, 81) + conv(16, 32, 25) + conv(32, 48, 9) +
                                                            norm(16) + norm(32) + norm(48) +
                                                            2 * lstm(192, 64) + dense(128, 8));
  const Summary keys = summary_of("segment_residual_blstm");
  EXPECT_EQ(keys.shape_of("to_sequence"), "[time, 256]");
  EXPECT_EQ(keys.weights, conv(1, 16, 25) + norm(16) + residual(16, 16) + residual(16, 32) +
                              residual(32, 64) + norm(256) + 2 * lstm(256, 64) + 2 * lstm(128, 64) +
                              dense(128, 8));
  EXPECT_EQ(summary_of("frame_dnn").weights, dense(1000, 256) + 2 * dense(256, 256) + dense(256, 8));
}

TEST(FamilyNetworks, OfSeveralBranches) {
  const Summary joined = summary_of("fcn_blstm");
  EXPECT_EQ(joined.weights, conv(1, 32, 25) + conv(32, 64, 9) + conv(64, 64, 1) + norm(32) + 2 * norm(64) +
                                2 * lstm(64, 48) + attention_pool(96, 48) + dense(160, 64) + dense(64, 8));
  const Summary heads = summary_of("crnn_attention");
  EXPECT_EQ(heads.weights, conv(3, 16, 25) + conv(16, 32, 9) + norm(16) + norm(32) + dense(128, 64) +
                               2 * 4 * dense(64, 64) + 2 * lstm(34, 32) + dense(128, 8));
  EXPECT_EQ(heads.shape_of("concat"), "[128]");
  EXPECT_EQ(summary_of("emotion_bank").weights, 8 * (dense(200, 32) + dense(32, 1)));
  EXPECT_EQ(summary_of("emotion_bank").shape_of("concat"), "[8]");
}

TEST(FamilyNetworks, OnVectors) {
  EXPECT_EQ(summary_of("hybrid_conv1d").weights,
            conv(1, 64, 5) + 2 * conv(64, 64, 5) + dense(22 * 64, 64) + dense(64, 8));
  EXPECT_EQ(summary_of("vector_dnn").weights, dense(180, 256) + dense(256, 256) + dense(256, 128) +
                                                  dense(128, 128) + dense(128, 64) + dense(64, 64) +
                                                  dense(64, 8));
}

}  // namespace
}  // namespace serval::nn
