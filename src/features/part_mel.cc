// Mel bands and their cosine transform.
#include <cmath>
#include <numbers>

#include "serval/core/error.h"

#include "plan_builder.h"

namespace serval::features::detail {

namespace {

// Rows first ... first + count - 1 of the DCT-II, each times its lifter weight, back to back: [count, n_mels].
std::vector<float> make_cosines(const CepstrumSettings& s, const std::vector<int>& rows, int n_mels) {
  std::vector<float> table;
  table.reserve(rows.size() * static_cast<std::size_t>(n_mels));
  for (const int c : rows) {
    const bool smaller = c == 0 && s.cosine_norm == CosineNorm::kOrtho;
    const double norm = std::sqrt((smaller ? 1.0 : 2.0) / n_mels);
    const double angle = s.lifter > 0 ? std::numbers::pi * (c + s.lifter_shift) / s.lifter : 0;
    const double weight = 1 + 0.5 * s.lifter * std::sin(angle);
    for (int m = 0; m < n_mels; ++m) {
      table.push_back(
          static_cast<float>(weight * norm * std::cos(std::numbers::pi * c * (m + 0.5) / n_mels)));
    }
  }
  return table;
}

void add_bands(PlanBuilder& builder, const PartSettings& s, int framing) {
  PartPlan part;
  part.body = BankPart{};
  part.framing = framing;
  part.bank = builder.bank(framing, s);
  part.column = s.energy == EnergyColumn::kFirst ? 1 : 0;
  part.n_static = s.n_mels;
  part.names = numbered("mel", 0, s.n_mels);
  const int width = s.n_mels;
  builder.add(std::move(part));
  if (s.energy == EnergyColumn::kFirst) add_energy_column(builder, s, framing, 0);
  if (s.energy == EnergyColumn::kLast) add_energy_column(builder, s, framing, width);
}

void add_cepstrum(PlanBuilder& builder, const PartSettings& s, int framing) {
  if (s.n_mfcc > s.n_mels) {
    throw ConfigError(cat("features: n_mfcc ", s.n_mfcc, " is more than n_mels ", s.n_mels));
  }
  const bool energy = s.zeroth == Zeroth::kEnergyFirst || s.zeroth == Zeroth::kEnergyLast;
  if (s.zeroth == Zeroth::kDrop && s.n_mfcc >= s.n_mels) {
    throw ConfigError(cat("features: without the 0th there are ", s.n_mels - 1, " coefficients of ", s.n_mels,
                          " mel filters, fewer than n_mfcc ", s.n_mfcc));
  }
  std::vector<int> rows;
  const int first = s.zeroth == Zeroth::kFirst ? 0 : 1;
  const int last = s.zeroth == Zeroth::kDrop ? s.n_mfcc : s.n_mfcc - 1;
  for (int c = first; c <= last; ++c) rows.push_back(c);
  if (s.zeroth == Zeroth::kLast) rows.push_back(0);
  const int cepstra = static_cast<int>(rows.size());
  if (cepstra > 0) {
    PartPlan part;
    part.body = BankPart{true};
    part.framing = framing;
    part.bank = builder.bank(framing, s);
    part.column = s.zeroth == Zeroth::kEnergyFirst ? 1 : 0;
    part.n_static = cepstra;
    for (const int c : rows) part.names.push_back(cat("mfcc_", c));
    part.tables = make_cosines(s, rows, s.n_mels);
    builder.add(std::move(part));
  }
  if (energy) add_energy_column(builder, s, framing, s.zeroth == Zeroth::kEnergyFirst ? 0 : cepstra);
}

}  // namespace

void add_mel(PlanBuilder& builder, const PartSettings& s) {
  const int framing = builder.framing(FramePlan::make(s, builder.sample_rate_hz()));
  if (s.type == FeatureType::kMfcc) {
    add_cepstrum(builder, s, framing);
  } else {
    add_bands(builder, s, framing);
  }
}

}  // namespace serval::features::detail
