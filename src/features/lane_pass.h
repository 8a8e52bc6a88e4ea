// The work that is compiled for several instruction sets, which all give the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serval/core/tensor.h"
#include "serval/features/detail/frame_plan.h"

#include "fft_tables.h"

namespace serval::features::detail {

enum class InstructionSet { kBaseline, kAvx2, kAvx512 };
std::vector<InstructionSet> instruction_sets();  // that this processor has, the best one last
int lanes_of(InstructionSet set);                // frames that it works on at a time

// Memory of one pass over frames; lanes fit the widest vector.
struct LaneScratch {
  LaneScratch(const FramePlan& plan, const FftTables& fft, int lanes)
      : frames(Device{}, Shape{plan.n_fft, lanes}),
        spare(Device{}, Shape{fft.largest_radix, 2, lanes}),
        power(Device{}, Shape{plan.bins(), lanes}),
        magnitude(Device{}, Shape{plan.bins(), lanes}),
        edge(static_cast<std::size_t>(plan.window_length) * static_cast<std::size_t>(lanes)),
        rows(static_cast<std::size_t>(plan.bins()) * static_cast<std::size_t>(lanes)) {}

  Tensor frames;            // [position, lane]
  Tensor spare;             // of the transform
  Tensor power;             // [bin, lane]
  Tensor magnitude;         // [bin, lane]
  std::vector<float> edge;  // [lane, window]: frames that reach over the clip's ends
  std::vector<float> rows;  // [lane, bin]
};

// A bank over a clip. Tiles are [tile, mel, lane]: frame f is lane f % lanes of tile f / lanes.
struct BankTiles {
  const BankPlan* bank = nullptr;
  float* tiles = nullptr;
  float peak = 0;  // of the clip
};

// Transforms every frame of a clip once, for its banks and for whoever wants the power spectra as rows.
struct LanePass {
  const FramePlan* frames = nullptr;
  const FftTables* fft = nullptr;
  std::span<const float> samples;
  std::int64_t count = 0;  // frames
  std::span<BankTiles> banks;
  bool wants_magnitude = false;
  void (*on_rows)(void* context, std::int64_t first, int count,
                  const float* power) = nullptr;  // [count, bins]
  void* rows_context = nullptr;
  LaneScratch* scratch = nullptr;
};
void lane_pass(InstructionSet set, const LanePass& pass);

void settle_bank(InstructionSet set, const BankTiles& bank, std::int64_t frames);

// The columns of a BankPart, from settled tiles.
struct BankColumns {
  const BankPlan* bank = nullptr;
  const float* tiles = nullptr;
  std::int64_t frames = 0;
  const float* cosines = nullptr;  // [n_static, n_mels]; null for the bands themselves
  int n_static = 0;
  float* out = nullptr;  // [frame, n_static], rows `stride` apart
  std::int64_t stride = 0;
  float* scratch = nullptr;  // [n_static, lane], aligned as a Tensor
};
void bank_columns(InstructionSet set, const BankColumns& job);

// Slopes (or curvatures) over time of some columns of a sheet, into others of it.
struct DeltaColumns {
  const float* from = nullptr;  // [frame, count], rows `stride` apart
  float* to = nullptr;          // the same
  std::int64_t frames = 0;
  std::int64_t stride = 0;
  int count = 0;
  DeltaMethod method = DeltaMethod::kSavgol;
  int half = 0;                 // frames that are looked at on each side
  const float* taps = nullptr;  // [half + 1], from the middle one on
  bool curved = false;  // taps left of the middle equal those on the right; else they are their negatives
};
void delta_columns(InstructionSet set, const DeltaColumns& job);

}  // namespace serval::features::detail
