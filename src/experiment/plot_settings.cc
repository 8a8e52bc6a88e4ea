#include "serval/experiment/plot_settings.h"

#include <initializer_list>

namespace serval::experiment {

namespace {

using features::FeatureSettings;
using features::FeatureType;
using features::PartSettings;

// The first of these types, in the order of the types; null where the experiment has none.
const PartSettings* find_part(const ExperimentSettings& settings, std::initializer_list<FeatureType> types) {
  for (const FeatureType type : types) {
    for (const auto& [name, feature] : settings.features) {
      if (feature.type == type) return &feature;
      for (const PartSettings& part : feature.parts) {
        if (part.type == type) return &part;
      }
    }
  }
  return nullptr;
}

// One column a band or coefficient, a row a frame.
FeatureSettings bare(const PartSettings& part) {
  FeatureSettings out;
  static_cast<PartSettings&>(out) = part;
  out.deltas = 0;
  out.statistics.clear();
  out.energy = features::EnergyColumn::kNone;
  return out;
}

}  // namespace

report::RecordingPlotSettings plot_settings(const ExperimentSettings& settings) {
  report::RecordingPlotSettings out = report::default_plot_settings();
  out.audio = settings.audio;
  const std::initializer_list<FeatureType> mel{FeatureType::kLogMel, FeatureType::kMel, FeatureType::kMfcc};
  if (const PartSettings* part = find_part(settings, mel)) {
    out.mel = bare(*part);
    out.mel.type = FeatureType::kLogMel;
    out.mel.log = features::LogScale::kDb;
    out.mel.top_db.reset();
    // The spectrogram is of the same frames.
    static_cast<features::FrameSettings&>(out.spectrogram) = *part;
  }
  if (const PartSettings* part = find_part(settings, {FeatureType::kMfcc})) out.mfcc = bare(*part);
  if (const PartSettings* part = find_part(settings, {FeatureType::kF0})) {
    out.f0 = bare(*part);
    out.f0.unvoiced = features::Unvoiced::kZero;
  }
  for (const auto& [name, model] : settings.models) {
    for (const auto& [input_name, input] : model.all_inputs()) {
      if (input.whole()) continue;
      out.segments = input.segments;
      return out;
    }
  }
  return out;
}

}  // namespace serval::experiment
