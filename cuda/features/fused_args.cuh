// What the fused feature kernel is told: one struct by value. Tables come from fused_tables.cuh, work from
// fused_batch.cuh.
#pragma once

#include <cstdint>

#include "serval/features/settings.h"

namespace serval::features::cuda {

// A clip has fewer than 2^30 samples: 18 hours at 16 kHz.
struct FusedClip {
  std::int64_t first_sample = 0;
  std::int64_t first_row = 0;  // of its frames in the output
  std::int32_t samples = 0;
  std::int32_t frames = 0;
  float scale = 1;  // sample = code * scale
};

// A piece of work that one block takes as a whole. The two halves of a long clip's work are spread over
// blocks: segments of its log-mel tile, then segments of its columns, which wait for all of the former.
enum class FusedWork : std::int32_t { kClip, kTileSegment, kColumnSegment };

struct FusedItem {
  FusedWork work = FusedWork::kClip;
  std::int32_t clip = 0;
  std::int32_t first_frame = 0;  // of the segment; 0 for a clip
  std::int32_t frames = 0;       // of the segment or the clip
  std::int64_t tile_at = -1;     // the clip's tile in `tiles`, in floats; -1: the block's own
  std::int32_t segment = 0;      // index of a tile segment's peak
  std::int32_t first_segment = 0;
  std::int32_t segments = 0;  // of the clip
  std::int32_t done_at = 0;   // counter of finished tile segments
};

constexpr int kFusedTaps = 9;  // of the delta width that has a fast route, the default

// Log-mel or MFCC columns of the set.
struct FusedPart {
  int columns = 0;  // before deltas; 0 where the set lacks the part
  int out_at = 0;   // first column in a row of the output
  int deltas = 0;   // orders; order o stands o * delta_step behind the columns
  int delta_step = 0;
  int delta_width = 0;
  const float* taps[2] = {nullptr, nullptr};  // of order 1 and 2, as DeltaPlan::taps
  float taps9[2][kFusedTaps] = {};            // the same for half width 4
  bool has_top_db = false;
  float top_db = 0;
  bool from_peak = false;  // the clip's peak becomes 0
};

// Places in the table block, in floats, behind those of FusedFft. It is copied to shared memory as a whole.
struct FusedTablePlaces {
  int mel_first = 0;  // [slot, lane] int: first bin
  int mel_quads = 0;  // [slot] int: weights a lane, in fours
  int mel_at = 0;     // [slot] int: where the slot's weights start in mel_weights, in fours
  int mel_weights = 0;
  int dct = 0;  // [columns up to a multiple of 8, dct_stride]
  int dct_stride = 0;
  int floats = 0;  // of the block, a multiple of 4
};

struct FusedArgs {
  const void* samples = nullptr;  // int16_t or float, of all clips
  const FusedClip* clips = nullptr;
  const FusedItem* items = nullptr;
  int item_count = 0;
  std::int32_t* counters = nullptr;  // next item, finished blocks, finished segments of each long clip; all 0
  int counter_count = 0;
  float* tiles = nullptr;  // of long clips, then one for each block
  std::int64_t block_tiles_at = 0;
  std::int64_t block_tile_floats = 0;
  float* segment_peaks = nullptr;
  float* out = nullptr;  // [frame, dimension]
  int dimension = 0;

  const float* tables = nullptr;
  FusedTablePlaces places;

  int window_length = 0;
  int window_offset = 0;
  int first_row = 0;  // rows of n_fft / 16 samples of a frame that hold a part of the window
  int last_row = 0;
  int lead = 0;  // the clip's position of frame 0's first of n_fft samples
  int hop = 0;
  Padding padding = Padding::kZero;
  bool remove_dc = false;
  float pre_emphasis = 0;  // within the frame

  int power = 2;
  int n_mels = 0;
  int mel_slots = 0;
  int mel_stride = 0;  // of the tile: n_mels up to a multiple of 4
  bool has_log = true;
  float floor = 0;
  float log_scale = 0;
  float sample_scale = 1;  // on top of the clip's

  FusedPart log_mel;
  FusedPart mfcc;

  int work_floats = 0;    // shared memory for exchanges, then for columns
  int row_stride = 0;     // of columns
  int row_count = 0;      // of columns that fit
  int shared_frames = 0;  // of a tile that fits shared memory
};

}  // namespace serval::features::cuda
