// Every network of experiments/networks learns eight recordings by heart, on inputs made small enough for the CPU; or
// stands here with the reason why it does not. What it learnt, a lean one tells to the bit.
#include <filesystem>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "serval/core/settings_io.h"

#include "tests/support/devices.h"
#include "tests/support/learn_by_heart.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

namespace fs = std::filesystem;
using Shapes = std::vector<std::vector<std::int64_t>>;

struct Preset {
  const char* name;
  Shapes shapes;  // of the inputs, in the file's order; none: those of the file
  double learning_rate;
  int at_most;  // steps, two or three times what it takes
};
const std::vector<Preset>& learning() {
  static const std::vector<Preset> presets{
      {"lstm_mean", {}, 0.01, 50},
      {"lstm_small", {}, 0.01, 40},
      {"lstm_modified", {}, 0.002, 60},
      {"lstm_modified_peephole", {}, 0.002, 60},
      {"lstm_modified_peephole_full", {}, 0.002, 60},
      {"lstm_traditional", {}, 0.005, 60},
      {"vector_mlp", {}, 0.01, 250},
      {"fusionnet_mlp", {}, 0.01, 80},
      {"fusionnet_extractor", {}, 0.001, 50},
      {"ds_lstm", {{1, 16, 46}, {1, 32, 24}}, 0.002, 20},
      {"ds_lstm_dual", {{1, 16, 46}, {1, 32, 24}, {39}}, 0.002, 40},
      {"ds_lstm_three_gates", {{1, 16, 46}, {1, 32, 24}}, 0.002, 20},
      {"ds_lstm_no_norms", {{1, 16, 46}, {1, 32, 24}}, 0.002, 60},
      {"ds_lstm_six_gates", {{1, 16, 46}, {1, 32, 24}}, 0.002, 20},
      {"ds_lstm_one_stream", {{1, 16, 46}}, 0.002, 40},
      {"ds_lstm_two_streams", {{1, 16, 46}, {1, 32, 24}}, 0.002, 40},
      {"ds_lstm_mfcc", {}, 0.005, 60},
      {"ds_lstm_conv", {{32}}, 0.01, 80},
      {"cnn_lstm_mfcc", {{1, 16, 24}}, 0.001, 30},
      {"cnn_lstm_mfcc_time", {{1, 16, 24}}, 0.001, 30},
      {"ast_tiny", {{1, 26, 36}}, 0.0005, 35},
      {"mfcc_head", {}, 0.003, 60},
      {"densenet_mfcc", {{3, 32, 32}, {40}}, 0.001, 20},
      {"densenet121_classifier", {{3, 32, 32}}, 0.001, 20},
      {"vgg16_classifier", {{3, 32, 32}}, 0.0003, 40},
      {"alexnet_classifier", {{3, 67, 67}}, 0.0002, 80},
      {"adrnn", {{3, 16, 24}}, 0.003, 120},
      {"attention_cnn", {{1, 64, 32}}, 0.003, 120},
      {"cnn_lstm_blocks", {{1, 128, 64}}, 0.003, 120},
      {"conv1d_lstm", {}, 0.003, 120},
      {"dscnn", {{1, 32, 32}}, 0.003, 120},
      {"frame_dnn", {}, 0.001, 120},
      {"frames_conv_blstm", {}, 0.003, 120},
      {"gru_prosody", {}, 0.003, 120},
      {"hybrid_conv1d", {}, 0.001, 120},
      {"mfcc_lstm", {}, 0.005, 120},
      {"mfcc_rnn", {}, 0.003, 120},
      {"multiscale_16", {}, 0.003, 120},
      {"multiscale_32", {}, 0.003, 120},
      {"multiscale_48", {}, 0.003, 120},
      {"vector_dnn", {}, 0.001, 120},
  };
  return presets;
}
const std::map<std::string, const char*>& not_learning() {
  static const std::map<std::string, const char*> presets{
      {"alexnet", "has no classes; alexnet_classifier is the same with a head"},
      {"densenet121", "has no classes; densenet121_classifier is the same with a head"},
      {"vgg16", "has no classes; vgg16_classifier is the same with a head"},
      {"ast_base_classifier", "has 85 million weights; ast_tiny is of the same layers"},
      {"fusionnet", "is frozen but for an MLP as in fusionnet_mlp, behind layers as in fusionnet_extractor"},
      {"fusionnet_deep", "as fusionnet, with fewer inputs"},
      {"fusionnet_no_gender", "as fusionnet, with fewer inputs"},
      {"fusionnet_no_statistics", "as fusionnet, with fewer inputs"},
      {"multiscale_64", "as multiscale_48, with longer segments"},
      {"multiscale_96", "as multiscale_48, with longer segments"},
      {"multiscale_128", "as multiscale_48, with longer segments"},
      {"raw_cnn", "reads thousands of samples, where the recordings here have 40 steps"},
      {"raw_cnn_lstm", "reads thousands of samples, where the recordings here have 40 steps"},
      {"gender_residual", "reads thousands of samples, where the recordings here have 40 steps"},
      {"emotion_bank", "ends in a bank of detectors; family_networks_test has its shapes"},
      {"crnn_attention", "two branches of its picture's size; family_networks_test has its shapes"},
      {"fcn_blstm", "two branches of its picture's size; family_networks_test has its shapes"},
      {"segment_residual_blstm", "fixed by its picture's size; family_networks_test has its shapes"},
      {"spectrogram_cnn_lstm", "fixed by its picture's size; family_networks_test has its shapes"},
      {"ast_base", "has no classes, and 86 million weights; ast_tiny is of the same layers"},
  };
  return presets;
}

fs::path folder() { return fs::path(SERVAL_SOURCE_DIR) / "experiments/networks"; }

TEST(PresetsLearning, NoNetworkIsForgotten) {
  std::set<std::string> files, listed;
  for (const auto& entry : fs::directory_iterator(folder())) files.insert(entry.path().stem().string());
  for (const Preset& preset : learning()) EXPECT_TRUE(listed.insert(preset.name).second) << preset.name;
  for (const auto& [name, reason] : not_learning()) EXPECT_TRUE(listed.insert(name).second) << name;
  EXPECT_EQ(listed, files);
}

class PresetsLearningTest : public testing_support::DeviceTest {};

TEST_P(PresetsLearningTest, EightRecordingsByHeart) {
  constexpr std::int64_t kBatch = 8;
  for (const Preset& preset : learning()) {
    SCOPED_TRACE(preset.name);
    JsonValue json = parse_json_file((folder() / (std::string(preset.name) + ".json")).string());
    testing_support::leave_out_dropout(json);  // can the weights hold the answers?
    std::vector<std::string> errors;
    NetworkSettings settings = read_settings<NetworkSettings>(json, errors);
    ASSERT_EQ(errors, std::vector<std::string>());
    for (std::size_t i = 0; i < preset.shapes.size(); ++i) settings.inputs[i].second.shape = preset.shapes[i];
    // Recordings of 40 steps and less, as many as there are mean MFCCs.
    const std::vector<std::int32_t> lengths{40, 40, 40, 40, 37, 33, 30, 25};
    NetworkSizes sizes =
        settings.inputs.empty() ? sequence_sizes(6, 4, kBatch, 40) : declared_sizes(settings);
    sizes.max_batch = kBatch;
    for (InputSizes& input : sizes.inputs) input.max_time = 40;
    std::vector<std::int32_t> labels;
    for (std::int64_t b = 0; b < kBatch; ++b)
      labels.push_back(static_cast<std::int32_t>((3 * b + 1) % sizes.classes));

    const Context context(device());
    Network network(context, settings, sizes);
    network.initialise(5, 0);
    testing_support::HeldBatch batch(device(), kBatch, sizes.inputs.size());
    for (std::size_t i = 0; i < sizes.inputs.size(); ++i) {
      const Shape& item = sizes.inputs[i].item;
      if (settings.inputs.empty() || settings.inputs[i].second.kind == InputKind::kSequence)
        batch.set_lengths(i, lengths, 40);
      const std::int64_t count = batch.shape(i, item).size();
      batch.set_input(i, testing_support::random_values(count, static_cast<std::uint32_t>(i)), item);
    }
    const auto learnt = testing_support::learn_by_heart(context, network, batch, labels, preset.learning_rate,
                                                        0.05f, preset.at_most);
    EXPECT_TRUE(learnt.done) << learnt.known << " known, loss " << learnt.loss;

    sizes.training = false;
    sizes.lean = true;
    Network lean(context, settings, sizes);
    lean.parameters().assign(network.parameters().to_host());
    EXPECT_EQ(testing_support::inferred(context, lean, batch),
              testing_support::inferred(context, network, batch));
  }
}

SERVAL_DEVICE_TESTS(PresetsLearningTest);

}  // namespace
}  // namespace serval::nn
