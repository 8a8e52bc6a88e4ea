// Parts that need few words: energy, the bins of the spectrum, the samples.
#include "plan_builder.h"

namespace serval::features::detail {

void add_energy_column(PlanBuilder& builder, const PartSettings& s, int framing, int column) {
  const FramePlan& frames = builder.frames(framing);
  EnergyPart energy;
  energy.sample_scale = frames.sample_scale;
  energy.floor = static_cast<float>(s.energy_floor);
  energy.preemphasis = frames.preemphasis;
  energy.remove_dc = frames.remove_dc;
  energy.windowed = s.energy_windowed;
  PartPlan part;
  part.body = energy;
  part.framing = framing;
  part.column = column;
  part.n_static = 1;
  part.names = {"log_energy"};
  if (s.energy_windowed) part.tables = frames.window;
  builder.add(std::move(part));
}

void add_energy(PlanBuilder& builder, const PartSettings& s) {
  add_energy_column(builder, s, builder.framing(FramePlan::make(s, builder.sample_rate_hz())), 0);
}

void add_spectrum(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part;
  part.framing = builder.framing(FramePlan::make(s, builder.sample_rate_hz()));
  SpectrumPart spectrum;
  spectrum.bins = builder.frames(part.framing).bins();
  spectrum.power = s.power;
  spectrum.log = LogRule::make(s);
  part.body = spectrum;
  part.transforms = true;
  part.n_static = spectrum.bins;
  part.names = numbered("bin", 0, spectrum.bins);
  builder.add(std::move(part));
}

void add_waveform(PlanBuilder& builder) {
  PartPlan part;
  part.body = WaveformPart{};
  part.framing = builder.framing(FramePlan::every_sample());
  part.n_static = 1;
  part.names = {"sample"};
  builder.add(std::move(part));
}

}  // namespace serval::features::detail
