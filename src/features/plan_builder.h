// Puts a plan together part by part. Each type of feature has one function that adds its parts (part_*.cc).
#pragma once

#include <string>
#include <vector>

#include "serval/features/detail/plan.h"

namespace serval::features::detail {

class PlanBuilder {
 public:
  PlanBuilder(ExtractionPlan& plan, const FeatureSettings& settings) : plan_(plan), settings_(settings) {}
  void build();

  int sample_rate_hz() const { return plan_.sample_rate_hz; }
  // The number of these frames, new or as before.
  int framing(FramePlan frames);
  int bank(int framing, const PartSettings& settings);
  const FramePlan& frames(int framing) const { return plan_.framings[static_cast<std::size_t>(framing)]; }
  const BankPlan& bank_plan(int bank) const { return plan_.banks[static_cast<std::size_t>(bank)]; }
  // `part.column` counts from the first column of the settings that are being added. Returns its number.
  int add(PartPlan part);

 private:
  void add_settings(const PartSettings& part);
  SheetPlan& sheet() { return plan_.sheets.back(); }
  void close_sheet();
  void name_deltas(const DeltaPlan& deltas);

  ExtractionPlan& plan_;
  const FeatureSettings& settings_;
  int base_ = 0;   // first column of the settings that are being added, in their sheet
  int width_ = 0;  // columns that they have so far, deltas not counted
};

void add_mel(PlanBuilder& builder, const PartSettings& settings);  // log_mel, mel, mfcc
void add_spectrum(PlanBuilder& builder, const PartSettings& settings);
void add_energy(PlanBuilder& builder, const PartSettings& settings);
void add_waveform(PlanBuilder& builder);
void add_zcr(PlanBuilder& builder, const PartSettings& settings);
void add_rms(PlanBuilder& builder, const PartSettings& settings);
void add_centroid(PlanBuilder& builder, const PartSettings& settings);
void add_bandwidth(PlanBuilder& builder, const PartSettings& settings);
void add_rolloff(PlanBuilder& builder, const PartSettings& settings);
void add_flatness(PlanBuilder& builder, const PartSettings& settings);
void add_contrast(PlanBuilder& builder, const PartSettings& settings);
void add_chroma(PlanBuilder& builder, const PartSettings& settings);
void add_f0(PlanBuilder& builder, const PartSettings& settings);
void add_hnr(PlanBuilder& builder, const PartSettings& settings);
void add_teager(PlanBuilder& builder, const PartSettings& settings);
void add_modulation(PlanBuilder& builder, const PartSettings& settings);
void add_pcen(PlanBuilder& builder, const PartSettings& settings);
// An energy column for other features that have one, at `column`.
void add_energy_column(PlanBuilder& builder, const PartSettings& settings, int framing, int column);

// Frames of samples that no transform looks at: centred ones start length / 2 samples before their centre.
FramePlan untransformed_frames(const FrameSettings& settings, int sample_rate_hz);

// "mel_0", "mel_1", ...
std::vector<std::string> numbered(const std::string& stem, int first, int count);

}  // namespace serval::features::detail
