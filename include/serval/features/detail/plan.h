// Settings at a sample rate, worked out: whole numbers and float tables, the same for every device.
//
// An extraction goes in rounds of two passes: over all frames (transform, mel banks, every part's frame()), then
// over clips (every part's clip()). Parts with equal frames share their transforms, and parts with equal filters
// share a mel bank. A part that needs what another knows of the whole clip comes one round later. Behind the
// last round stand the columns of BankParts, deltas, and statistics.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "serval/features/detail/frame_plan.h"
#include "serval/features/detail/parts/bank_part.h"
#include "serval/features/detail/parts/centroid_part.h"
#include "serval/features/detail/parts/chroma_part.h"
#include "serval/features/detail/parts/contrast_part.h"
#include "serval/features/detail/parts/energy_part.h"
#include "serval/features/detail/parts/f0_part.h"
#include "serval/features/detail/parts/flatness_part.h"
#include "serval/features/detail/parts/hnr_part.h"
#include "serval/features/detail/parts/modulation_part.h"
#include "serval/features/detail/parts/pcen_part.h"
#include "serval/features/detail/parts/rms_part.h"
#include "serval/features/detail/parts/rolloff_part.h"
#include "serval/features/detail/parts/spectrum_part.h"
#include "serval/features/detail/parts/teager_part.h"
#include "serval/features/detail/parts/tuning_part.h"
#include "serval/features/detail/parts/waveform_part.h"
#include "serval/features/detail/parts/zcr_part.h"
#include "serval/features/settings.h"
#include "serval/features/statistics.h"

namespace serval::features::detail {

// Everything a device must know of a part is plain data: a kernel takes it by value.
// A part that names kFrame has frame(team, FrameView, PartMemory), one that names kClip has
// clip(team, ClipView, PartMemory).
// clang-format off
using AnyPart = std::variant<
    BankPart,
    EnergyPart,
    SpectrumPart,
    WaveformPart,
    ZcrPart,
    RmsPart,
    CentroidPart,
    BandwidthPart,
    RolloffPart,
    FlatnessPart,
    ContrastPart,
    TuningPart,
    ChromaPart,
    F0Part,
    HnrPart,
    TeagerPart,
    ModulationPart,
    PcenPart>;
// clang-format on

struct PartPlan {
  AnyPart body;
  std::vector<float> tables;
  int framing = 0;
  int bank = -1;            // -1: none. Mel bands in clip(), rows [frame, n_mels]
  bool transforms = false;  // frame() reads the spectrum
  int round = 0;
  int builds_on = -1;  // the part whose clip_scratch it reads, of an earlier round
  int sheet = 0;
  int column = 0;  // of its sheet
  int n_static = 0;
  int work = 0;  // floats, see PartMemory
  int frame_scratch = 0;
  int clip_scratch = 0;
  std::vector<std::string> names;  // [n_static]

  bool has_frame() const {
    return std::visit([](const auto& part) { return part.kFrame; }, body);
  }
  bool has_clip() const {
    return std::visit([](const auto& part) { return part.kClip; }, body);
  }
  // Whether a frame's values depend on frames far from it. A part with clip() may say no by a whole_clip() of its
  // own.
  bool whole_clip() const {
    return std::visit(
        [](const auto& part) {
          if constexpr (requires { part.whole_clip(); }) return part.whole_clip();
          return part.kClip;
        },
        body);
  }
  const BankPart* bank_part() const { return std::get_if<BankPart>(&body); }
};

// Columns over time. Without statistics there is one sheet, the result itself; with them, one for every part.
struct SheetPlan {
  int framing = 0;  // which says how many frames it has
  int dimension = 0;
  std::vector<DeltaPlan> deltas;
  std::vector<std::string> names;  // [dimension]
  std::vector<Statistic> statistics;
  int out_column = 0;  // of its statistics in the result
};

struct ExtractionPlan {
  // Throws ConfigError when the settings do not fit the sample rate.
  ExtractionPlan(const FeatureSettings& settings, int sample_rate_hz);

  // Rows of the result; 0 when the clip is too short for one frame of some part.
  std::int64_t frames(std::int64_t samples) const;
  std::int64_t min_samples() const;  // of the shortest clip that has a frame of every part

  int sample_rate_hz = 0;
  std::vector<FramePlan> framings;
  std::vector<BankPlan> banks;
  std::vector<PartPlan> parts;
  std::vector<SheetPlan> sheets;
  int rounds = 1;
  int dimension = 0;
  bool has_statistics = false;
  std::vector<std::string> column_names;  // [dimension]

  // Whether the frames of a framing are transformed in a round, and whether their spectra are wanted as rows.
  bool wants_transform(int framing, int round) const;
  bool wants_rows(int framing, int round) const;
  bool wants_frames(int framing, int round) const;  // any part's frame() or any bank

 private:
  friend class PlanBuilder;
};

}  // namespace serval::features::detail
