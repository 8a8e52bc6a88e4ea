// Chroma, and the tuning that they need to know of the whole clip first.
#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "plan_builder.h"

namespace serval::features::detail {

namespace {

// Peaks are looked for from here to below there.
constexpr double kLowestPeakHz = 150;
constexpr double kHighestPeakHz = 4000;

ChromaFilters filters_of(const ChromaSettings& s, double bin_hz) {
  ChromaFilters filters;
  filters.n_chroma = s.n_chroma;
  filters.bin_hz = bin_hz;
  filters.half_turn = std::nearbyint(s.n_chroma / 2.0);
  filters.roll = 3 * (s.n_chroma / 12);
  filters.octave = s.chroma_octave;
  filters.weighs_octaves = s.chroma_octave_width.has_value();
  filters.octave_width = s.chroma_octave_width.value_or(1);
  return filters;
}

// The part that finds the tuning. Returns its number.
int add_tuning(PlanBuilder& builder, int framing, const BinWeights& weights, const ChromaFilters& filters) {
  TuningPart tuning;
  tuning.weights = weights;
  tuning.filters = filters;
  tuning.bins = builder.frames(framing).bins();
  const double end_hz = std::min(kHighestPeakHz, builder.sample_rate_hz() / 2.0);
  while (tuning.first_bin * weights.bin_hz < kLowestPeakHz) ++tuning.first_bin;
  tuning.last_bin = tuning.first_bin;
  while (tuning.last_bin * weights.bin_hz < end_hz && tuning.last_bin < tuning.bins - 1) ++tuning.last_bin;
  tuning.slots = (tuning.last_bin - tuning.first_bin + 1) / 2;
  PartPlan part;
  part.body = tuning;
  part.framing = framing;
  part.transforms = true;
  part.work = TuningPart::kCounters * TuningPart::kVotes;
  part.frame_scratch = 2 * tuning.slots;
  part.clip_scratch = tuning.bins * filters.n_chroma;
  return builder.add(std::move(part));
}

}  // namespace

void add_chroma(PlanBuilder& builder, const PartSettings& s) {
  PartPlan part;
  part.framing = builder.framing(FramePlan::make(s, builder.sample_rate_hz()));
  const FramePlan& frames = builder.frames(part.framing);
  ChromaPart chroma;
  chroma.weights = {s.power, static_cast<double>(builder.sample_rate_hz()) / frames.n_fft};
  chroma.n_chroma = s.n_chroma;
  chroma.norm = s.chroma_norm;
  const ChromaFilters filters = filters_of(s, chroma.weights.bin_hz);
  if (s.tuning) {
    part.tables.resize(static_cast<std::size_t>(frames.bins()) * static_cast<std::size_t>(s.n_chroma));
    for (int k = 0; k < frames.bins(); ++k) {
      filters.weights(k, *s.tuning, part.tables.data() + static_cast<std::ptrdiff_t>(k) * s.n_chroma);
    }
  } else {
    chroma.tuned = true;
    part.builds_on = add_tuning(builder, part.framing, chroma.weights, filters);
    part.round = 1;
  }
  part.body = chroma;
  part.transforms = true;
  part.n_static = s.n_chroma;
  part.names = numbered("chroma", 0, s.n_chroma);
  builder.add(std::move(part));
}

}  // namespace serval::features::detail
