#include <algorithm>
#include <cmath>
#include <numbers>

#include "serval/audio/decode.h"
#include "serval/audio/prepare.h"
#include "serval/audio/quantise.h"
#include "serval/audio/resample.h"
#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/deploy/predictor.h"

#include "../input_batches.h"
#include "../session.h"
#include "parity.h"

namespace serval::deploy::onnx {

namespace {

// Items of one recording that a network is asked about.
constexpr std::size_t kItemsOfEach = 3;

// A voice made up: harmonics of a gliding pitch that swell and fade, and noise.
std::vector<float> made_up(int number, double seconds, int rate_hz) {
  const RandomStream noise{.seed = 20, .step = static_cast<std::uint32_t>(number)};
  const auto count = static_cast<std::size_t>(seconds * rate_hz);
  std::vector<float> out;
  double phase = 0;
  for (std::size_t n = 0; n < count; ++n) {
    const double t = static_cast<double>(n) / rate_hz;
    phase += 2 * std::numbers::pi * (110 + 20 * number + 30 * std::sin(2 * t + number)) / rate_hz;
    double x = 0;
    for (int k = 1; k <= 12; ++k) x += std::sin(k * phase) / k;
    const double swell = 0.15 * (1 + std::sin(5 * t + number));
    out.push_back(static_cast<float>(swell * x + 0.01 * (noise.uniform(n) - 0.5)));
  }
  return out;
}

}  // namespace

Recordings read_recordings(const Bundle& bundle, const std::vector<std::string>& paths) {
  const int rate_hz = bundle.audio.sample_rate_hz;
  Recordings out;
  if (paths.empty()) {
    int number = 0;
    for (const double seconds : {0.9, 1.4, 2.2, 3.1, 3.9, 5.3, 7.7}) {
      out.names.push_back(cat("made up, ", seconds, " s"));
      out.samples.push_back(made_up(++number, seconds, rate_hz));
    }
    return out;
  }
  for (const std::string& path : paths) {
    try {
      audio::Waveform sound =
          audio::resample(audio::decode(path, 0, std::nullopt), rate_hz, bundle.audio.resampler);
      out.samples.push_back(std::move(sound.samples));
      out.names.push_back(path);
    } catch (const DataError& error) {
      out.left_out.emplace_back(error.what());
    }
  }
  return out;
}

ParityItems waveform_items(const std::string& bundle_folder, const Bundle& bundle,
                           const Recordings& recordings) {
  const Predictor predictor(bundle_folder);
  ParityItems out;
  ParityInput& input = out.inputs.emplace_back();
  input.name = "waveform";
  input.lengths = "lengths";
  for (std::size_t r = 0; r < recordings.names.size(); ++r) {
    const std::vector<float>& samples = recordings.samples[r];
    try {
      out.expected.push_back(
          predictor.predict(samples.data(), samples.size(), bundle.audio.sample_rate_hz).probabilities);
    } catch (const DataError&) {
      continue;  // what Serval refuses has no score to compare
    }
    out.names.push_back(recordings.names[r]);
    input.counts.push_back(static_cast<std::int64_t>(samples.size()));
    input.values.insert(input.values.end(), samples.begin(), samples.end());
  }
  return out;
}

ParityItems network_items(const Bundle& bundle, int member, const Recordings& recordings) {
  Session session(bundle, Device{}, 16);
  const std::string& name = bundle.members[static_cast<std::size_t>(member)].model;
  const auto model = static_cast<std::size_t>(std::find_if(bundle.models.begin(), bundle.models.end(),
                                                           [&](const auto& m) { return m.first == name; }) -
                                              bundle.models.begin());
  const BundleModel& settings = bundle.models[model].second;
  ParityItems out;
  for (const auto& [input_name, input] : settings.inputs) {
    const bool vector = input_kind(settings.network, input_name) == nn::InputKind::kVector;
    out.inputs.push_back(
        {.name = input_name, .lengths = vector ? "" : input_name + "_lengths", .counts = {}, .values = {}});
  }
  for (std::size_t r = 0; r < recordings.names.size(); ++r) {
    ModelScores scores;
    std::vector<features::FeatureMatrix> matrices;
    std::vector<std::vector<features::Segment>> items;
    try {
      audio::AudioSettings audio = bundle.audio;
      const audio::Waveform prepared = audio::prepare({recordings.samples[r], audio.sample_rate_hz}, audio);
      const audio::Waveform heard{audio::samples(audio::quantise(prepared.samples, recordings.names[r])),
                                  prepared.sample_rate_hz};
      matrices = session.feature_matrices(heard);
      items = session.items(model, matrices);
      scores = session.score(heard)[model];
    } catch (const DataError&) {
      continue;
    }
    const evaluate::Probabilities& said = scores.members[static_cast<std::size_t>(member)];
    for (std::size_t k = 0; k < std::min(said.size(), kItemsOfEach); ++k) {
      // The first, the last, and one between.
      const std::size_t item =
          k * (said.size() - 1) / std::max<std::size_t>(std::min(said.size(), kItemsOfEach) - 1, 1);
      out.expected.push_back(said[item]);
      out.names.push_back(cat(recordings.names[r], ", item ", item + 1));
      for (std::size_t i = 0; i < out.inputs.size(); ++i) {
        const features::FeatureMatrix& matrix = matrices[session.feature_set(model, i)];
        const features::Segment& segment = items[i][item];
        ParityInput& input = out.inputs[i];
        input.columns = matrix.dimension;
        input.counts.push_back(segment.real_frames);
        const float* from = matrix.values.data() + segment.first_frame * matrix.dimension;
        input.values.insert(input.values.end(), from, from + segment.real_frames * matrix.dimension);
      }
    }
  }
  return out;
}

}  // namespace serval::deploy::onnx
