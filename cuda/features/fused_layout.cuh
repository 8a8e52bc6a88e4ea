// Host side of the fused feature kernel: its block of tables, and how a block divides its shared memory.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "serval/core/error.h"

#include "cuda/features/fused_args.cuh"
#include "cuda/features/fused_fft.cuh"
#include "cuda/features/fused_spec.cuh"

namespace serval::features::cuda {

constexpr int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// The tables for the device: one block of floats, and where everything is in it.
struct FusedTables {
  explicit FusedTables(const FusedSpec& spec);

  std::vector<float> block;
  FusedTablePlaces places;
  int mel_slots = 0;
  int mel_stride = 0;

 private:
  int begin() {
    block.resize(static_cast<std::size_t>(round_up(static_cast<int>(block.size()), 4)));
    return static_cast<int>(block.size());
  }
  // exp(-2 pi i k / n)
  void append_root(std::int64_t k, std::int64_t n) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
    block.push_back(static_cast<float>(std::cos(angle)));
    block.push_back(static_cast<float>(std::sin(angle)));
  }
  void append_bits(std::int32_t value) { block.push_back(std::bit_cast<float>(value)); }
  void add_transform(const FusedSpec& spec);  // at the places that FusedFft names
  void add_mel(const FusedSpec& spec);
  void add_dct(const FusedSpec& spec);
};

inline FusedTables::FusedTables(const FusedSpec& spec) {
  add_transform(spec);
  add_mel(spec);
  add_dct(spec);
  places.floats = begin();
}

inline void FusedTables::add_transform(const FusedSpec& spec) {
  block.resize(static_cast<std::size_t>(spec.n_fft));
  for (std::size_t n = 0; n < spec.window.size(); ++n)
    block[static_cast<std::size_t>(spec.window_offset) + n] = spec.window[n] / 2;
  const int columns = spec.half_size() / 16;
  for (int q = 1; q < 16; ++q) {
    for (int column = 0; column < columns; ++column) append_root(q * column, spec.half_size());
  }
  for (int q2 = 0; q2 < 8 && columns > 16; ++q2) {
    for (int low = 0; low < columns / 8; ++low) append_root(q2 * low, columns);
  }
  for (int k = 0; k < spec.half_size() / 2; ++k) append_root(k, spec.n_fft);
}

// A slot holds as many bands as a frame has lanes. Each lane's weights are padded with zeros to the widest of
// the slot, in fours, and moved down where they would reach behind the spectrum.
inline void FusedTables::add_mel(const FusedSpec& spec) {
  const int lanes = spec.lanes();
  mel_stride = round_up(spec.n_mels, 4);
  mel_slots = round_up(mel_stride, lanes) / lanes;
  const auto count_of = [&](int m) {
    const std::size_t at = static_cast<std::size_t>(m);
    return m < spec.n_mels ? spec.mel_offset[at + 1] - spec.mel_offset[at] : 0;
  };
  std::vector<std::int32_t> first(static_cast<std::size_t>(mel_slots * lanes));
  std::vector<std::int32_t> quads, at;
  std::vector<float> weights;
  for (int slot = 0; slot < mel_slots; ++slot) {
    int widest = 0;
    for (int lane = 0; lane < lanes; ++lane) widest = std::max(widest, count_of(slot * lanes + lane));
    const int width = round_up(widest, 4);
    quads.push_back(width / 4);
    at.push_back(static_cast<std::int32_t>(weights.size() / 4));
    std::vector<float> of_slot(static_cast<std::size_t>(width * lanes));
    for (int lane = 0; lane < lanes; ++lane) {
      const int m = slot * lanes + lane;
      const int count = count_of(m);
      if (count == 0) continue;
      const std::int32_t bin = spec.mel_first_bin[static_cast<std::size_t>(m)];
      const std::int32_t moved = std::min(bin, spec.half_size() + 1 - width);
      first[static_cast<std::size_t>(m)] = moved;
      for (int i = 0; i < count; ++i) {
        const int place = i + bin - moved;
        of_slot[static_cast<std::size_t>((place / 4 * lanes + lane) * 4 + place % 4)] =
            spec.mel_weights[static_cast<std::size_t>(spec.mel_offset[static_cast<std::size_t>(m)] + i)];
      }
    }
    weights.insert(weights.end(), of_slot.begin(), of_slot.end());
  }
  places.mel_first = begin();
  for (const std::int32_t value : first) append_bits(value);
  places.mel_quads = begin();
  for (const std::int32_t value : quads) append_bits(value);
  places.mel_at = begin();
  for (const std::int32_t value : at) append_bits(value);
  places.mel_weights = begin();
  block.insert(block.end(), weights.begin(), weights.end());
}

inline void FusedTables::add_dct(const FusedSpec& spec) {
  places.dct = begin();
  // Neighbouring rows start 4 banks apart.
  places.dct_stride = round_up(mel_stride, 8) + 4;
  const int rows = round_up(spec.mfcc.columns, 8);
  for (int c = 0; c < rows; ++c) {
    for (int m = 0; m < places.dct_stride; ++m) {
      const bool inside = c < spec.mfcc.columns && m < spec.n_mels;
      block.push_back(inside ? spec.dct[static_cast<std::size_t>(c * spec.n_mels + m)] : 0.0f);
    }
  }
}

// How a block divides its shared memory, and how many blocks share a multiprocessor.
struct FusedLayout {
  int warps = 0;            // of a block
  int blocks_per_unit = 0;  // on each multiprocessor
  int work_floats = 0;
  int row_stride = 0;
  int row_count = 0;
  int shared_frames = 0;  // of the tile
  std::size_t shared_bytes = 0;
};

// What there is, in bytes.
struct FusedLimits {
  std::size_t block_bytes = 227 * 1024;
  std::size_t unit_bytes = 228 * 1024;      // of a multiprocessor
  std::size_t reserved_bytes = 1024 + 256;  // that a block takes besides its own: the system's, the kernel's
};

// Exchange memory of a warp, in floats.
inline int exchange_floats(int n_fft) {
  switch (n_fft) {
    case 256:
      return 2 * FusedFft<128>::kWarpValues;
    case 512:
      return 2 * FusedFft<256>::kWarpValues;
    case 1024:
      return 2 * FusedFft<512>::kWarpValues;
    case 2048:
      return 2 * FusedFft<1024>::kWarpValues;
    default:
      return 0;
  }
}

// What remains for the tile is the tile's. `shared_frames` is below 0 where not even the rest fits.
inline FusedLayout fused_layout(const FusedSpec& spec, const FusedTables& tables, int warps,
                                int blocks_per_unit, const FusedLimits& limits = {}) {
  FusedLayout layout;
  layout.warps = warps;
  layout.blocks_per_unit = blocks_per_unit;
  const int columns = spec.log_mel.columns + spec.mfcc.columns;
  // Four rows that lanes write at once start 8 banks apart.
  layout.row_stride = spec.mfcc.columns > 0 ? round_up(columns + 24, 32) - 24 : columns;
  const int half = std::max(spec.log_mel.deltas > 0 ? spec.log_mel.delta_width / 2 : 0,
                            spec.mfcc.deltas > 0 ? spec.mfcc.delta_width / 2 : 0);
  const int fewest_rows = 2 * half + 2 * 8;
  layout.work_floats =
      std::max(warps * exchange_floats(spec.n_fft), round_up(fewest_rows * layout.row_stride, 4));
  // Whole runs of 8 new rows each time.
  layout.row_count = 2 * half + (layout.work_floats / layout.row_stride - 2 * half) / 8 * 8;
  const std::size_t per_block = limits.unit_bytes / static_cast<std::size_t>(blocks_per_unit);
  const std::size_t most =
      std::min(limits.block_bytes, per_block - std::min(per_block, limits.reserved_bytes));
  const std::size_t fixed =
      sizeof(float) * static_cast<std::size_t>(tables.places.floats + layout.work_floats);
  if (fixed > most) {
    layout.shared_frames = -1;
    return layout;
  }
  const std::size_t row_bytes = sizeof(float) * static_cast<std::size_t>(tables.mel_stride);
  layout.shared_frames = static_cast<int>((most - fixed) / row_bytes);
  layout.shared_bytes = fixed + row_bytes * static_cast<std::size_t>(layout.shared_frames);
  return layout;
}

// The layout that launches use unless told otherwise: small blocks, as many on a multiprocessor as its registers
// allow, so that one computes while another waits at a barrier. Clips longer than what remains of shared memory
// keep their tile in global memory. That costs little: a tile is written and read once, some hundred bytes a
// frame that mostly stay in the second-level cache, and the kernel's limit is the instructions that it issues.
inline FusedLayout default_fused_layout(const FusedSpec& spec, const FusedTables& tables,
                                        const FusedLimits& limits = {}) {
  constexpr int kWarps = 8;
  int blocks = spec.n_fft == 512 ? 4 : spec.n_fft == 2048 ? 2 : 3;  // see fused_threads()
  FusedLayout layout = fused_layout(spec, tables, kWarps, blocks, limits);
  while (layout.shared_frames < 0 && blocks > 1)
    layout = fused_layout(spec, tables, kWarps, --blocks, limits);
  return layout;
}

// Leaves shared memory out of the layout that clips of at most `frames` do not need.
inline void limit_shared_frames(FusedLayout& layout, const FusedTables& tables, std::int64_t frames) {
  if (frames >= layout.shared_frames) return;
  layout.shared_bytes -= sizeof(float) * static_cast<std::size_t>(tables.mel_stride) *
                         static_cast<std::size_t>(layout.shared_frames - frames);
  layout.shared_frames = static_cast<int>(frames);
}

// Why the kernel cannot take this set, or "" when it can.
inline std::string fused_refusal(const FusedSpec& spec, const FusedLimits& limits = {}) {
  if (exchange_floats(spec.n_fft) == 0) return cat("n_fft is ", spec.n_fft, ", not 256, 512, 1024 or 2048");
  if (spec.log_mel.columns + spec.mfcc.columns == 0) return "neither log-mel nor MFCC columns";
  const FusedTables tables(spec);
  const FusedLayout layout = default_fused_layout(spec, tables, limits);
  if (layout.shared_frames < 0) {
    return cat("tables and columns take ",
               sizeof(float) * static_cast<std::size_t>(tables.places.floats + layout.work_floats),
               " bytes of shared memory, of which a block has ", limits.block_bytes);
  }
  return "";
}

// The arguments that follow from the settings and the layout; those of the batch and the places of the tables
// are left open.
inline FusedArgs fused_args(const FusedSpec& spec, const FusedTables& tables, const FusedLayout& layout) {
  FusedArgs a;
  a.dimension = spec.dimension;
  a.places = tables.places;
  a.window_length = static_cast<int>(spec.window.size());
  a.window_offset = spec.window_offset;
  const int row = spec.n_fft / 16;
  a.first_row = spec.window_offset / row;
  a.last_row = (spec.window_offset + a.window_length - 1) / row;
  a.lead = spec.lead;
  a.hop = spec.hop;
  a.padding = spec.padding;
  a.remove_dc = spec.remove_dc;
  a.pre_emphasis = spec.pre_emphasis;
  a.power = spec.power;
  a.n_mels = spec.n_mels;
  a.mel_slots = tables.mel_slots;
  a.mel_stride = tables.mel_stride;
  a.has_log = spec.has_log;
  a.floor = spec.floor;
  a.log_scale = spec.log_scale;
  a.sample_scale = spec.sample_scale;
  const auto part = [](const FusedPartSpec& from, FusedPart& to) {
    to.columns = from.columns;
    to.out_at = from.out_at;
    to.deltas = from.deltas;
    to.delta_step = from.delta_step;
    to.delta_width = from.delta_width;
    to.has_top_db = from.has_top_db;
    to.top_db = from.top_db;
    to.from_peak = from.from_peak;
    if (from.delta_width / 2 != kFusedTaps / 2) return;
    for (int order = 0; order < from.deltas; ++order) {
      const float* taps = from.taps[order].data() + detail::delta_taps_at(kFusedTaps / 2);
      std::copy(taps, taps + kFusedTaps, to.taps9[order]);
    }
  };
  part(spec.log_mel, a.log_mel);
  part(spec.mfcc, a.mfcc);
  a.work_floats = layout.work_floats;
  a.row_stride = layout.row_stride;
  a.row_count = layout.row_count;
  a.shared_frames = layout.shared_frames;
  return a;
}

}  // namespace serval::features::cuda
