// Bundles made up for a test: one network with weights that were drawn, over features of a low rate.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/philox.h"
#include "serval/core/settings_io.h"
#include "serval/deploy/bundle.h"
#include "serval/features/detail/plan.h"
#include "serval/nn/network.h"

#include "src/deploy/input_batches.h"
#include "src/deploy/onnx/parity.h"
#include "tests/corpus/corpus_fixtures.h"

namespace serval::deploy::testing_support {

inline const char* onnx_python() { return std::getenv("SERVAL_ONNX_PYTHON"); }

template <class T>
T settings_of(const std::string& json) {
  std::vector<std::string> errors;
  T out = read_settings<T>(parse_json(json, "test"), errors);
  SERVAL_CHECK(errors.empty(), serval::join(errors, "\n"));
  return out;
}

struct MadeBundle {
  std::string features = R"({"type": "log_mel", "n_mels": 12, "window_ms": 32, "hop_ms": 16})";
  std::string input = R"({"features": "f"})";
  std::string network = R"({"layers": [{"type": "mean_pool"}, {"type": "dense"}]})";
  std::string audio = R"({"sample_rate_hz": 8000})";
};

inline void add_member(Bundle& bundle, std::uint64_t seed) {
  BundleModel& model = bundle.models.front().second;
  nn::NetworkSizes sizes{.inputs = {}, .classes = 3, .max_batch = 1, .training = false};
  BundleMember& member = bundle.members.emplace_back();
  member.model = bundle.models.front().first;
  member.seed = seed;
  member.file = cat("weights/m_fold-01_seed-", seed, ".safetensors");
  for (const auto& [name, input] : model.inputs) {
    std::int64_t columns = 0;
    for (const auto& [set, settings] : bundle.features) {
      if (set == input.features)
        columns = features::detail::ExtractionPlan(settings, bundle.audio.sample_rate_hz).dimension;
    }
    Shape item{columns};
    if (input_kind(model.network, name) == nn::InputKind::kImage)
      item = features::item_shape(features::input_image(input, columns));
    sizes.inputs.push_back({item, 1000});
    const RandomStream drawn{.seed = seed, .step = 77};
    NamedArray mean{"input/" + name + "/mean", {columns}, {}},
        scale{"input/" + name + "/scale", {columns}, {}};
    for (std::int64_t c = 0; c < columns; ++c) {
      mean.values.push_back(-30 + 5 * drawn.uniform(static_cast<std::uint64_t>(c)));
      scale.values.push_back(0.05f + 0.05f * drawn.uniform(static_cast<std::uint64_t>(1000 + c)));
    }
    member.arrays.push_back(std::move(mean));
    member.arrays.push_back(std::move(scale));
  }
  const Context context{Device{}, 1};
  nn::Network network(context, model.network, sizes);
  network.initialise(seed, 0);
  // Biases, gains and statistics are drawn too, since what they start with hides mistakes.
  std::uint32_t number = 0;
  const std::vector<float> first = network.parameters().to_host();
  for (const nn::ParameterBlock& block : network.blocks()) {
    NamedArray array{block.name, block.shape, {}};
    const RandomStream drawn{.seed = seed, .step = ++number};
    for (std::int64_t i = 0; i < block.shape.size(); ++i) {
      const float value = drawn.uniform(static_cast<std::uint64_t>(i));
      const bool positive = block.name.ends_with("variance") || block.name.ends_with("gamma");
      const float start = first[static_cast<std::size_t>(block.offset + i)];
      array.values.push_back(positive ? 0.5f + value : start + 0.4f * (value - 0.5f));
    }
    member.arrays.push_back(std::move(array));
  }
  bundle.groups.push_back({0, seed, {{static_cast<std::int64_t>(bundle.members.size()) - 1}}, {}, {}});
}

inline Bundle make_bundle(const MadeBundle& made = {}) {
  Bundle out;
  out.name = "made up";
  out.classes = {"angry", "happy", "sad"};
  out.audio = settings_of<audio::AudioSettings>(made.audio);
  out.features.emplace_back("f", settings_of<features::FeatureSettings>(made.features));
  BundleModel model;
  model.network = settings_of<nn::NetworkSettings>(made.network);
  const std::string name = model.network.inputs.empty() ? "input" : model.network.inputs.front().first;
  model.inputs.emplace_back(name, settings_of<features::InputSettings>(made.input));
  model.outputs.push_back({});
  out.models.emplace_back("m", std::move(model));
  out.audit = "passed";
  add_member(out, 1);
  return out;
}

inline OnnxExport export_options(OnnxForm form) {
  OnnxExport out;
  out.form = form;
  out.script = SERVAL_SOURCE_DIR "/data/onnx/run_model.py";
  out.python = onnx_python();
  return out;
}

// The worst difference of the probabilities of sounds made up; onnx.checker must have passed.
inline double worst_difference(const Bundle& bundle, OnnxForm form) {
  const corpus::TempFolder folder;
  const OnnxExport options = export_options(form);
  const onnx::Recordings recordings = onnx::read_recordings(bundle, {});
  onnx::ParityItems items;
  if (form == OnnxForm::kWaveform) {
    write_bundle(folder / "bundle", bundle, {});
    items = onnx::waveform_items(folder / "bundle", bundle, recordings);
  } else {
    items = onnx::network_items(bundle, 0, recordings);
  }
  // Scores that are all alike would agree whatever the graph does.
  EXPECT_NE(items.expected.front(), items.expected.back());
  const std::string file = folder.write("model.onnx", onnx_models(bundle, form).front().bytes);
  const JsonValue report = onnx::check_parity(options, file, items);
  EXPECT_NE(report.find("onnx")->text, "") << "the package onnx is not there, so its checker did not run";
  return report.find("worst")->real;
}

}  // namespace serval::deploy::testing_support
