// Descriptors of a frame's samples and of its spectrum.
#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "plan_builder.h"

namespace serval::features::detail {

namespace {

PartPlan one_column(int framing, const char* name) {
  PartPlan part;
  part.framing = framing;
  part.n_static = 1;
  part.names = {name};
  return part;
}

// Frames of samples alone: centred ones start half a window before their centre, as librosa frames them. Only a
// window of odd length lies otherwise than under a transform.
int sample_framing(PlanBuilder& builder, const PartSettings& s) {
  FramePlan frames = FramePlan::make(s, builder.sample_rate_hz());
  if (s.padding != Padding::kNone && s.padding != Padding::kMirror) frames.lead = -(frames.window_length / 2);
  return builder.framing(std::move(frames));
}

FrameSamples samples_of(const PlanBuilder& builder, int framing) {
  return {builder.frames(framing).sample_scale, builder.frames(framing).remove_dc};
}

PartPlan of_spectrum(PlanBuilder& builder, const PartSettings& s, const char* name) {
  PartPlan part = one_column(builder.framing(FramePlan::make(s, builder.sample_rate_hz())), name);
  part.transforms = true;
  return part;
}

BinWeights weights_of(const PlanBuilder& builder, const PartPlan& part, int power) {
  return {power, static_cast<double>(builder.sample_rate_hz()) / builder.frames(part.framing).n_fft};
}

// [band, 3] first bin, bins, bins in the peak and in the valley; see librosa.feature.spectral_contrast.
std::vector<float> contrast_bands(const DescriptorSettings& s, int n_fft, int sample_rate_hz) {
  const double bin_hz = static_cast<double>(sample_rate_hz) / n_fft;
  std::vector<float> table;
  double low_hz = 0;
  double high_hz = s.contrast_f_min_hz;
  for (int band = 0; band <= s.contrast_bands; ++band) {
    if (low_hz >= sample_rate_hz / 2.0) {
      throw ConfigError(cat("features: with contrast_bands ", s.contrast_bands, " from contrast_f_min_hz ",
                            s.contrast_f_min_hz, " the highest band starts at ",
                            s.contrast_f_min_hz * std::exp2(s.contrast_bands - 1), " Hz, and ",
                            sample_rate_hz, " Hz audio ends at ", sample_rate_hz / 2.0,
                            " Hz; use fewer bands or a lower start"));
    }
    // Each band takes the bin below it too and leaves its own last one to the next, which the highest keeps.
    int first = 0;
    while (first * bin_hz < low_hz) ++first;
    int last = first;
    while (last <= n_fft / 2 && last * bin_hz <= high_hz) ++last;
    const bool has_bins = last > first + (band == 0 ? 1 : 0);
    if (!has_bins) {
      throw ConfigError(cat("features: the contrast band from ", low_hz, " to ", high_hz,
                            " Hz has no bin of a ", n_fft, "-point transform, whose bins are ", bin_hz,
                            " Hz apart; use a larger n_fft or contrast_f_min_hz"));
    }
    if (band > 0) --first;
    if (band == s.contrast_bands) last = n_fft / 2 + 1;
    const double quantile = std::nearbyint(s.contrast_quantile * (last - first));
    if (band < s.contrast_bands) --last;
    const int bins = last - first;
    const int count = std::min(bins, std::max(1, static_cast<int>(quantile)));
    for (const int value : {first, bins, count}) table.push_back(static_cast<float>(value));
    low_hz = high_hz;
    high_hz *= 2;
  }
  return table;
}

}  // namespace

void add_zcr(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = one_column(sample_framing(builder, s), "zcr");
  part.body = ZcrPart{samples_of(builder, part.framing), s.zero_threshold};
  builder.add(std::move(part));
}

void add_rms(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = one_column(sample_framing(builder, s), "rms");
  part.body = RmsPart{samples_of(builder, part.framing)};
  builder.add(std::move(part));
}

void add_centroid(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = of_spectrum(builder, s, "centroid");
  part.body = CentroidPart{weights_of(builder, part, s.power)};
  builder.add(std::move(part));
}

void add_bandwidth(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = of_spectrum(builder, s, "bandwidth");
  part.body = BandwidthPart{weights_of(builder, part, s.power), s.bandwidth_power, s.bandwidth_normalised};
  builder.add(std::move(part));
}

void add_rolloff(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = of_spectrum(builder, s, "rolloff");
  part.body = RolloffPart{weights_of(builder, part, s.power), s.roll_percent};
  builder.add(std::move(part));
}

void add_flatness(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = of_spectrum(builder, s, "flatness");
  part.body = FlatnessPart{s.flatness_power / 2, s.flatness_floor, std::log(s.flatness_floor)};
  builder.add(std::move(part));
}

void add_contrast(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part = of_spectrum(builder, s, "contrast");
  ContrastPart contrast;
  contrast.weights = weights_of(builder, part, s.power);
  contrast.bands = s.contrast_bands + 1;
  contrast.linear = s.contrast_linear;
  contrast.has_top_db = s.contrast_top_db.has_value();
  contrast.top_db = static_cast<float>(s.contrast_top_db.value_or(0));
  part.body = contrast;
  part.tables = contrast_bands(s, builder.frames(part.framing).n_fft, builder.sample_rate_hz());
  part.n_static = contrast.bands;
  part.names = numbered("contrast", 0, contrast.bands);
  part.frame_scratch = contrast.linear ? 0 : 2 * contrast.bands;
  builder.add(std::move(part));
}

}  // namespace serval::features::detail
