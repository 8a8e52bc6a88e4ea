// What the fused feature kernel computes, in plain host types.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/features/detail/plan.h"

#include "cuda/features/fused_args.cuh"

namespace serval::features::cuda {

struct FusedPartSpec {
  int columns = 0;  // before deltas; 0: the set lacks the part
  int out_at = 0;
  int deltas = 0;
  int delta_step = 0;  // from the columns to their deltas, and on to those of the next order
  int delta_width = 0;
  std::vector<float> taps[2];  // as DeltaPlan::taps
  bool has_top_db = false;
  float top_db = 0;
  bool from_peak = false;
};

struct FusedSpec {
  int n_fft = 0;
  int hop = 0;
  int lead = 0;  // the clip's position of frame 0's first of n_fft samples
  int window_offset = 0;
  std::vector<float> window;
  Padding padding = Padding::kZero;
  bool remove_dc = false;  // of every frame
  float pre_emphasis = 0;  // within every frame; its first sample takes itself for the one before
  int power = 2;
  int n_mels = 0;
  std::vector<std::int32_t> mel_first_bin;
  std::vector<std::int32_t> mel_offset;
  std::vector<float> mel_weights;  // see MelFilters
  bool has_log = true;
  float floor = 0;
  float log_scale = 0;
  float sample_scale = 1;
  FusedPartSpec log_mel;
  FusedPartSpec mfcc;
  std::vector<float> dct;  // [mfcc.columns, n_mels]
  int dimension = 0;       // of a row of the output, which may hold other columns too

  int half_size() const { return n_fft / 2; }
  int lanes() const { return n_fft == 256 ? 8 : n_fft == 512 ? 16 : 32; }
};

// What the kernel would compute for a plan, or why it cannot. One framing, one mel transform, bands or their
// cosine transform or both, and Savitzky-Golay deltas of whole parts: that is what fits one launch.
struct FusedMatch {
  FusedSpec spec;
  std::string refusal;  // "": it can
};

namespace fused_match {

using features::detail::BankPlan;
using features::detail::DeltaPlan;
using features::detail::ExtractionPlan;
using features::detail::FramePlan;
using features::detail::PartPlan;

// Banks that differ in nothing but what they do with the clip's peak share a tile.
inline bool same_tile(const BankPlan& a, const BankPlan& b) {
  return a.framing == b.framing && a.power == b.power && a.n_mels == b.n_mels && a.log.kind == b.log.kind &&
         a.log.floor == b.log.floor && a.log.scale == b.log.scale && a.first_bin == b.first_bin &&
         a.offset == b.offset && a.weights == b.weights;
}

inline void set_frames(const FramePlan& frames, FusedSpec& spec) {
  spec.n_fft = frames.n_fft;
  spec.hop = frames.hop;
  spec.lead = frames.lead - frames.window_offset;
  spec.window_offset = frames.window_offset;
  spec.window = frames.window;
  spec.padding = frames.padding;
  spec.remove_dc = frames.remove_dc;
  spec.pre_emphasis = frames.preemphasis;
  spec.sample_scale = frames.sample_scale;
}

inline void set_bank(const BankPlan& bank, FusedSpec& spec) {
  spec.power = bank.power;
  spec.n_mels = bank.n_mels;
  spec.mel_first_bin = bank.first_bin;
  spec.mel_offset = bank.offset;
  spec.mel_weights = bank.weights;
  spec.has_log = bank.log.kind != LogScale::kNone;
  spec.floor = bank.log.floor;
  spec.log_scale = bank.log.scale;
}

// The deltas of a part: those that are taken of all its columns.
inline std::string set_deltas(const std::vector<DeltaPlan>& all, FusedPartSpec& part) {
  for (const DeltaPlan& deltas : all) {
    if (deltas.first_column > part.out_at ||
        deltas.first_column + deltas.n_static < part.out_at + part.columns)
      continue;
    if (part.deltas > 0) return "deltas are taken of deltas";
    if (deltas.method != DeltaMethod::kSavgol) return "deltas are not Savitzky-Golay's";
    part.deltas = deltas.orders;
    part.delta_step = deltas.n_static;
    part.delta_width = deltas.width;
    for (int order = 0; order < deltas.orders; ++order) part.taps[order] = deltas.taps[order];
  }
  return "";
}

inline std::string match(const ExtractionPlan& plan, FusedSpec& spec) {
  if (plan.has_statistics) return "statistics over time follow";
  if (plan.framings.size() != 1) return "its parts have different frames";
  const FramePlan& frames = plan.framings.front();
  set_frames(frames, spec);
  spec.dimension = plan.dimension;
  const BankPlan* tile = nullptr;
  const std::vector<DeltaPlan>& deltas = plan.sheets.front().deltas;
  int covered = 0;  // columns of parts, and their deltas
  for (const PartPlan& part : plan.parts) {
    if (part.bank_part() == nullptr) {
      return part.names.empty()
                 ? "it looks at the whole clip first"
                 : cat("\"", part.names.front(), "\" is neither a mel band nor a cepstral coefficient");
    }
    const BankPlan& bank = plan.banks[static_cast<std::size_t>(part.bank)];
    if (tile != nullptr && !same_tile(*tile, bank)) return "its parts have different mel bands";
    tile = &bank;
    FusedPartSpec& to = part.bank_part()->cosine ? spec.mfcc : spec.log_mel;
    if (to.columns > 0) return "the same part stands in it twice";
    to.columns = part.n_static;
    to.out_at = part.column;
    to.has_top_db = bank.log.has_top_db;
    to.top_db = bank.log.top_db;
    to.from_peak = bank.log.from_peak;
    if (part.bank_part()->cosine) spec.dct = part.tables;
    if (std::string why = set_deltas(deltas, to); !why.empty()) return why;
    covered += to.columns * (1 + to.deltas);
  }
  if (tile == nullptr) return "it has no mel bands";
  if (covered != plan.dimension) return "deltas are taken of deltas";
  set_bank(*tile, spec);
  return "";
}

}  // namespace fused_match

inline FusedMatch match_fused(const detail::ExtractionPlan& plan) {
  FusedMatch result;
  result.refusal = fused_match::match(plan, result.spec);
  return result;
}

}  // namespace serval::features::cuda
