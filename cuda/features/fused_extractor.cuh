// The fused feature kernel with its tables and its memory on one GPU.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/tensor.h"
#include "serval/features/resident.h"

#include "cuda/features/fused_args.cuh"
#include "cuda/features/fused_layout.cuh"
#include "cuda/features/fused_spec.cuh"

namespace serval::features::cuda {

// Shared memory of the context's GPU.
FusedLimits fused_limits(const Context& context);

// The clips of a resident batch whose rows start at first_row, [clip + 1].
inline std::vector<FusedClip> fused_clips(const DeviceBatch& batch, std::span<const std::int64_t> first_row) {
  std::vector<FusedClip> clips(batch.samples().size());
  for (std::size_t i = 0; i < clips.size(); ++i) {
    clips[i].first_sample = batch.first()[i];
    clips[i].first_row = first_row[i];
    clips[i].samples = static_cast<std::int32_t>(batch.samples()[i]);
    clips[i].frames = static_cast<std::int32_t>(first_row[i + 1] - first_row[i]);
    clips[i].scale = batch.scales()[i];
  }
  return clips;
}

class FusedExtractor {
 public:
  // What a launch of a ragged batch needs besides samples and output. Made once for a batch, and again for
  // another: it grows and is kept. Running it allocates nothing.
  struct Work {
    Array<FusedClip> clips;
    Array<FusedItem> items;
    Array<std::int32_t> counters;  // all 0 between launches
    Tensor tiles;
    Tensor segment_peaks;
    int item_count = 0;
    int counter_count = 0;
    std::int64_t block_tiles_at = 0;
    std::int64_t block_tile_floats = 0;
    int blocks = 0;
  };

  // The set must be one that fused_refusal() accepts with the GPU's limits. `layout`: other than the default.
  FusedExtractor(const Context& context, FusedSpec spec, std::optional<FusedLayout> layout = std::nullopt);

  void prepare(const std::vector<FusedClip>& clips, Work& work) const;
  // Launches on the context's stream and returns. `samples` and `out`, [frame, dimension], lie on the device.
  void run(const std::int16_t* samples, Work& work, float* out) const;
  void run(const float* samples, Work& work, float* out) const;

  const FusedTables& tables() const { return tables_; }
  const FusedLayout& layout() const { return layout_; }

 private:
  FusedArgs args(const void* samples, Work& work, float* out) const;

  const Context& context_;
  FusedSpec spec_;
  FusedTables tables_;
  FusedLayout layout_;
  Tensor block_;
  Tensor taps_[2][2];  // [log-mel, MFCC][order]
  int units_ = 0;      // multiprocessors
};

}  // namespace serval::features::cuda
