// Teager energy, modulation spectrum, PCEN.
#include <cmath>
#include <numbers>

#include "serval/core/error.h"

#include "plan_builder.h"

namespace serval::features::detail {

FramePlan untransformed_frames(const FrameSettings& s, int sample_rate_hz) {
  FrameSettings lengths;
  lengths.window_ms = s.window_ms;
  lengths.hop_ms = s.hop_ms;
  lengths.window_samples = s.window_samples;
  lengths.hop_samples = s.hop_samples;
  lengths.window = WindowShape::kBoxcar;
  lengths.window_place = WindowPlace::kStart;
  lengths.padding = s.padding;
  FramePlan plan = FramePlan::make(lengths, sample_rate_hz);
  const bool centred = s.padding != Padding::kNone && s.padding != Padding::kMirror;
  if (centred) plan.lead = -(plan.window_length / 2);
  return plan;
}

void add_teager(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part;
  part.framing = builder.framing(untransformed_frames(s, builder.sample_rate_hz()));
  if (const int length = builder.frames(part.framing).window_length; length < 3) {
    throw ConfigError(cat("features: teager needs a window of at least 3 samples; at ",
                          builder.sample_rate_hz(), " Hz it has ", length));
  }
  TeagerPart teager;
  teager.value = s.teager;
  teager.floor = static_cast<float>(s.teager_floor);
  part.body = teager;
  part.n_static = 1;
  part.names = {"teager"};
  builder.add(std::move(part));
}

namespace {

// 2 pi k / window in two floats each, whose sum is as good as a double: the transform is turned once a frame.
std::vector<float> make_turns(int window, int bins) {
  std::vector<float> turns;
  for (int k = 0; k < bins; ++k) {
    const double angle = 2 * std::numbers::pi * k / window;
    for (const double value : {std::cos(angle), std::sin(angle)}) {
      turns.push_back(static_cast<float>(value));
      turns.push_back(static_cast<float>(value - static_cast<double>(turns.back())));
    }
  }
  return turns;
}

}  // namespace

void add_modulation(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part;
  part.framing = builder.framing(FramePlan::make(s, builder.sample_rate_hz()));
  part.bank = builder.bank(part.framing, s);
  const double frame_rate_hz =
      static_cast<double>(builder.sample_rate_hz()) / builder.frames(part.framing).hop;
  const double frames = std::floor(s.modulation_window_ms / 1000 * frame_rate_hz + 0.5);
  ModulationPart body;
  body.bands = s.modulation_bands;
  const double top_hz = std::ldexp(s.modulation_min_hz, s.modulation_bands);
  if (top_hz > frame_rate_hz / 2) {
    throw ConfigError(cat("features: ", s.modulation_bands, " octaves from modulation_min_hz ",
                          s.modulation_min_hz, " reach ", top_hz, " Hz, but frames, of which there are ",
                          frame_rate_hz, " a second, show at most ", frame_rate_hz / 2, " Hz"));
  }
  // Band b holds the bins from its lower to below its upper end.
  if (frames * s.modulation_min_hz < frame_rate_hz * (1 - 1e-9) || frames > 100000) {
    throw ConfigError(cat("features: modulation_window_ms ", s.modulation_window_ms, " is ", frames,
                          " frames; modulation_min_hz ", s.modulation_min_hz, " asks for ",
                          std::ceil(frame_rate_hz / s.modulation_min_hz), " to 100000 (",
                          1000 / s.modulation_min_hz, " ms)"));
  }
  body.window = static_cast<int>(frames);
  for (int band = 0; band <= body.bands; ++band) {
    const double bin = std::ldexp(s.modulation_min_hz, band) * body.window / frame_rate_hz;
    body.first_bin[band] = static_cast<int>(std::ceil(bin - 1e-9));
  }
  body.bins = body.first_bin[body.bands] + 1;  // and the neighbour that the window asks for
  part.body = body;
  part.tables = make_turns(body.window, body.bins);
  part.clip_scratch = ModulationPart::clip_scratch(s.n_mels, body.bins);
  part.n_static = s.n_mels * body.bands;
  for (int m = 0; m < s.n_mels; ++m) {
    for (int band = 0; band < body.bands; ++band) part.names.push_back(cat("mel_", m, "_modulation_", band));
  }
  builder.add(std::move(part));
}

void add_pcen(PlanBuilder& builder, const PartSettings& settings) {
  PartSettings s = settings;
  s.log = LogScale::kNone;
  PartPlan part;
  part.framing = builder.framing(FramePlan::make(s, builder.sample_rate_hz()));
  part.bank = builder.bank(part.framing, s);
  const double frame_rate_hz =
      static_cast<double>(builder.sample_rate_hz()) / builder.frames(part.framing).hop;
  const double t = s.pcen_time_constant_ms / 1000 * frame_rate_hz;
  PcenPart body;
  // Solves t^2 b^2 + b = 1 for the smoothing whose squared response halves at the time
  // constant, in a form that loses no digits when it is short.
  body.smoothing = 2 / (1 + std::sqrt(1 + 4 * t * t));
  body.gain = s.pcen_gain;
  body.bias = s.pcen_bias;
  body.power = s.pcen_power;
  body.eps = s.pcen_eps;
  body.bias_root = std::pow(s.pcen_bias, s.pcen_power);
  part.body = body;
  part.n_static = s.n_mels;
  part.names = numbered("pcen", 0, s.n_mels);
  builder.add(std::move(part));
}

}  // namespace serval::features::detail
