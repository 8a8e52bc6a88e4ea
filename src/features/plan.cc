#include "serval/features/detail/plan.h"

#include <algorithm>

#include "serval/core/error.h"

#include "plan_builder.h"

namespace serval::features::detail {

ExtractionPlan::ExtractionPlan(const FeatureSettings& settings, int rate_hz) : sample_rate_hz(rate_hz) {
  if (rate_hz <= 0) throw ConfigError(cat("features: a sample rate of ", rate_hz, " Hz"));
  PlanBuilder(*this, settings).build();
}

std::int64_t ExtractionPlan::frames(std::int64_t samples) const {
  std::int64_t fewest = framings[static_cast<std::size_t>(sheets.front().framing)].frames(samples);
  for (const SheetPlan& sheet : sheets) {
    fewest = std::min(fewest, framings[static_cast<std::size_t>(sheet.framing)].frames(samples));
  }
  return has_statistics ? std::min<std::int64_t>(fewest, 1) : fewest;
}

std::int64_t ExtractionPlan::min_samples() const {
  std::int64_t most = 1;
  for (const FramePlan& frames : framings) {
    if (frames.padding == Padding::kNone) most = std::max<std::int64_t>(most, frames.needed);
    if (frames.padding == Padding::kMirror) most = std::max<std::int64_t>(most, frames.hop - frames.hop / 2);
  }
  return most;
}

bool ExtractionPlan::wants_rows(int framing, int round) const {
  return std::any_of(parts.begin(), parts.end(), [=](const PartPlan& part) {
    return part.framing == framing && part.round == round && part.transforms && part.has_frame();
  });
}

bool ExtractionPlan::wants_transform(int framing, int round) const {
  const bool for_bank = round == 0 && std::any_of(banks.begin(), banks.end(), [=](const BankPlan& bank) {
                          return bank.framing == framing;
                        });
  return for_bank || wants_rows(framing, round);
}

bool ExtractionPlan::wants_frames(int framing, int round) const {
  return wants_transform(framing, round) ||
         std::any_of(parts.begin(), parts.end(), [=](const PartPlan& part) {
           return part.framing == framing && part.round == round && part.has_frame();
         });
}

std::vector<std::string> numbered(const std::string& stem, int first, int count) {
  std::vector<std::string> names;
  for (int i = first; i < first + count; ++i) names.push_back(cat(stem, "_", i));
  return names;
}

int PlanBuilder::framing(FramePlan frames) {
  const auto found = std::find(plan_.framings.begin(), plan_.framings.end(), frames);
  if (found == plan_.framings.end()) {
    plan_.framings.push_back(std::move(frames));
    return static_cast<int>(plan_.framings.size()) - 1;
  }
  return static_cast<int>(found - plan_.framings.begin());
}

int PlanBuilder::bank(int framing, const PartSettings& settings) {
  BankPlan bank = BankPlan::make(settings, settings, frames(framing), sample_rate_hz());
  bank.framing = framing;
  const auto found = std::find(plan_.banks.begin(), plan_.banks.end(), bank);
  if (found == plan_.banks.end()) {
    plan_.banks.push_back(std::move(bank));
    return static_cast<int>(plan_.banks.size()) - 1;
  }
  return static_cast<int>(found - plan_.banks.begin());
}

int PlanBuilder::add(PartPlan part) {
  SERVAL_CHECK(part.names.size() == static_cast<std::size_t>(part.n_static), part.names.size(), " names for ",
               part.n_static, " columns");
  width_ = std::max(width_, part.column + part.n_static);
  part.column += base_;
  part.sheet = static_cast<int>(plan_.sheets.size()) - 1;
  plan_.rounds = std::max(plan_.rounds, part.round + 1);
  if (sheet().dimension == 0) sheet().framing = part.framing;
  sheet().names.resize(static_cast<std::size_t>(base_ + width_));
  std::copy(part.names.begin(), part.names.end(), sheet().names.begin() + part.column);
  sheet().dimension = base_ + width_;
  plan_.parts.push_back(std::move(part));
  return static_cast<int>(plan_.parts.size()) - 1;
}

// The columns that deltas add, behind the columns that they are taken of.
void PlanBuilder::name_deltas(const DeltaPlan& deltas) {
  for (int order = 1; order <= deltas.orders; ++order) {
    for (int i = 0; i < deltas.n_static; ++i) {
      sheet().names.push_back(sheet().names[static_cast<std::size_t>(deltas.first_column + i)] +
                              (order == 1 ? "_delta" : "_delta2"));
    }
  }
  sheet().dimension += deltas.n_static * deltas.orders;
  sheet().deltas.push_back(deltas);
}

void PlanBuilder::add_settings(const PartSettings& part) {
  base_ = sheet().dimension;
  width_ = 0;
  switch (part.type) {
    case FeatureType::kLogMel:
    case FeatureType::kMel:
    case FeatureType::kMfcc:
      add_mel(*this, part);
      break;
    case FeatureType::kSpectrum:
      add_spectrum(*this, part);
      break;
    case FeatureType::kEnergy:
      add_energy(*this, part);
      break;
    case FeatureType::kWaveform:
      add_waveform(*this);
      break;
    case FeatureType::kZcr:
      add_zcr(*this, part);
      break;
    case FeatureType::kRms:
      add_rms(*this, part);
      break;
    case FeatureType::kCentroid:
      add_centroid(*this, part);
      break;
    case FeatureType::kBandwidth:
      add_bandwidth(*this, part);
      break;
    case FeatureType::kRolloff:
      add_rolloff(*this, part);
      break;
    case FeatureType::kFlatness:
      add_flatness(*this, part);
      break;
    case FeatureType::kContrast:
      add_contrast(*this, part);
      break;
    case FeatureType::kChroma:
      add_chroma(*this, part);
      break;
    case FeatureType::kF0:
      add_f0(*this, part);
      break;
    case FeatureType::kHnr:
      add_hnr(*this, part);
      break;
    case FeatureType::kTeager:
      add_teager(*this, part);
      break;
    case FeatureType::kModulation:
      add_modulation(*this, part);
      break;
    case FeatureType::kPcen:
      add_pcen(*this, part);
      break;
    case FeatureType::kStack:
      throw ConfigError("features: a stack cannot be a part of a stack");
    case FeatureType::kExternal:
      throw ConfigError("features: external features are read, not computed");
    case FeatureType::kGender:
      throw ConfigError("features: gender is looked up, not computed");
  }
  if (part.deltas > 0) name_deltas(DeltaPlan::make(part, base_, width_));
}

// Statistics in the order of their words, each over all columns.
void PlanBuilder::close_sheet() {
  sheet().out_column = plan_.dimension;
  if (!plan_.has_statistics) {
    plan_.dimension = sheet().dimension;
    plan_.column_names = sheet().names;
    return;
  }
  for (const Statistic& statistic : sheet().statistics) {
    plan_.dimension += statistic.kind == StatisticKind::kAllMean ? 1 : sheet().dimension;
  }
}

void PlanBuilder::build() {
  std::vector<PartSettings> parts = settings_.parts;
  if (settings_.type != FeatureType::kStack) parts = {settings_};
  if (parts.empty()) throw ConfigError("features: a stack needs at least one part");
  plan_.has_statistics = !parts.front().statistics.empty();
  for (const PartSettings& part : parts) {
    if (part.statistics.empty() == plan_.has_statistics) {
      throw ConfigError("features: either every part of a stack has statistics or none has");
    }
  }
  const bool joint_deltas = settings_.type == FeatureType::kStack && settings_.deltas > 0;
  if (!plan_.has_statistics) plan_.sheets.emplace_back();
  for (PartSettings& part : parts) {
    if (plan_.has_statistics) {
      plan_.sheets.emplace_back();
      if (joint_deltas) static_cast<DeltaSettings&>(part) = settings_;
    }
    const std::size_t first = plan_.parts.size();
    add_settings(part);
    for (std::size_t i = first; i < plan_.parts.size(); ++i) {
      const FramePlan& own = frames(plan_.parts[i].framing);
      if (plan_.parts[i].n_static == 0 || own.counts_like(frames(sheet().framing))) continue;
      throw ConfigError(
          cat("features: \"", plan_.parts[i].names.front(), "\" has a hop of ", own.hop,
              " samples or a padding that gives it other frames than the parts before it, which "
              "have a hop of ",
              frames(sheet().framing).hop, "; side by side they need the same, or statistics"));
    }
    if (!plan_.has_statistics) continue;
    for (const std::string& word : part.statistics) {
      Statistic statistic;
      if (!parse_statistic(word, statistic)) throw ConfigError(cat("features: statistic \"", word, "\""));
      sheet().statistics.push_back(statistic);
      if (statistic.kind == StatisticKind::kAllMean) {
        plan_.column_names.push_back(sheet().names.front() + "_" + word);
      } else {
        for (const std::string& name : sheet().names) plan_.column_names.push_back(name + "_" + word);
      }
    }
    close_sheet();
  }
  if (plan_.has_statistics) return;
  if (joint_deltas) name_deltas(DeltaPlan::make(settings_, 0, sheet().dimension));
  close_sheet();
}

}  // namespace serval::features::detail
