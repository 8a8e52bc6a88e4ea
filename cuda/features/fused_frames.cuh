// First half of the fused feature kernel: from samples to a clip's log-mel tile, [frame, mel_stride].
#pragma once

#include "serval/features/detail/frame_math.h"

#include "cuda/core/kernel.cuh"
#include "cuda/features/fused_args.cuh"
#include "cuda/features/fused_fft.cuh"

namespace serval::features::cuda {

// Two neighbouring samples, read at once.
struct alignas(4) CodePair {
  std::int16_t first, second;
};
SERVAL_DEVICE float2 sample_pair(const std::int16_t* at) {
  const CodePair pair = *reinterpret_cast<const CodePair*>(at);
  return make_float2(static_cast<float>(pair.first), static_cast<float>(pair.second));
}
SERVAL_DEVICE float2 sample_pair(const float* at) { return *reinterpret_cast<const float2*>(at); }

// A lane's share of a frame.
template <class Sample>
struct FrameOfLane {
  const Sample* clip = nullptr;
  int samples = 0;  // of the clip
  int start = 0;    // of the frame's n_fft samples in the clip; may be negative
  int lane = 0;     // of those that work on the frame
  float2* exchange = nullptr;
};

// Whether the rows that hold the window lie inside the clip, at addresses that pairs can be read from.
template <class Fft, class Sample>
SERVAL_DEVICE bool reads_pairs(const FusedArgs& a, const FrameOfLane<Sample>& frame) {
  const int first = frame.start + 2 * Fft::kColumns * a.first_row;
  const int end = frame.start + 2 * Fft::kColumns * (a.last_row + 1);
  const bool aligned = reinterpret_cast<std::uintptr_t>(frame.clip + frame.start) % (2 * sizeof(Sample)) == 0;
  return first >= 0 && end <= frame.samples && aligned;
}

// All of a lane's values, v[16 round + j] = x[column + C j], not yet windowed.
template <class Fft, class Sample>
SERVAL_DEVICE void read_pairs(const FusedArgs& a, const FrameOfLane<Sample>& frame,
                              float2 (&v)[16 * Fft::kRounds]) {
  const Sample* at = frame.clip + frame.start + 2 * frame.lane;
  SERVAL_UNROLL
  for (int j = 0; j < 16; ++j) {
    const bool used = j >= a.first_row && j <= a.last_row;  // the same for the whole grid
    SERVAL_UNROLL
    for (int round = 0; round < Fft::kRounds; ++round) {
      v[16 * round + j] =
          used ? sample_pair(at + 2 * (Fft::kColumns * j + Fft::kLanes * round)) : make_float2(0, 0);
    }
  }
}

// The same for frames over a clip's end, odd addresses and filters within the frame: through the exchange
// memory. Every lane of the warp takes part.
template <class Fft, class Sample>
SERVAL_DEVICE void read_staged(const FusedArgs& a, const FrameOfLane<Sample>& frame,
                               float2 (&v)[16 * Fft::kRounds]) {
  float* staged = reinterpret_cast<float*>(frame.exchange);
  const int end = a.window_offset + a.window_length;
  float sum = 0;
  SERVAL_NO_UNROLL
  for (int i = frame.lane; i < 2 * Fft::kSize; i += Fft::kLanes) {
    float value = 0;
    if (i >= a.window_offset && i < end) {
      const std::int64_t at = detail::source_sample(frame.start + i, frame.samples, a.padding);
      if (at >= 0) value = static_cast<float>(frame.clip[at]);
    }
    staged[i] = value;
    sum += value;
  }
  float mean = 0;
  if (a.remove_dc) {
    for (int offset = Fft::kLanes / 2; offset > 0; offset /= 2)
      sum += __shfl_xor_sync(serval::cuda::kFullMask, sum, offset);
    mean = sum / static_cast<float>(a.window_length);
  }
  __syncwarp();
  SERVAL_UNROLL
  for (int round = 0; round < Fft::kRounds; ++round) {
    SERVAL_UNROLL
    for (int j = 0; j < 16; ++j) {
      const int i = 2 * (frame.lane + Fft::kLanes * round + Fft::kColumns * j);
      const float first = staged[i] - mean;
      const float second = staged[i + 1] - mean;
      // The window's first sample has no other in front of it and takes itself.
      const float before = i <= a.window_offset ? first : staged[i - 1] - mean;
      const float between = i + 1 == a.window_offset ? second : first;
      v[16 * round + j] = make_float2(first - a.pre_emphasis * before, second - a.pre_emphasis * between);
    }
  }
  __syncwarp();
}

// Windowed values to their first-pass transform in the exchange memory.
template <class Fft>
SERVAL_DEVICE void first_pass(const float* tables, int lane, float2* exchange,
                              float2 (&all)[16 * Fft::kRounds]) {
  const float2* window = reinterpret_cast<const float2*>(tables + Fft::kWindowAt);
  const float2* roots = reinterpret_cast<const float2*>(tables + Fft::kFirstPassAt);
  SERVAL_UNROLL
  for (int round = 0; round < Fft::kRounds; ++round) {
    const int column = lane + Fft::kLanes * round;
    float2 v[16];
    SERVAL_UNROLL
    for (int j = 0; j < 16; ++j) {
      const float2 w = window[column + Fft::kColumns * j];
      v[j] = make_float2(all[16 * round + j].x * w.x, all[16 * round + j].y * w.y);
    }
    radix16(v);
    exchange[column] = v[0];
    SERVAL_UNROLL
    for (int q = 1; q < 16; ++q)
      exchange[q * Fft::kStride + column] = times(v[q], roots[(q - 1) * Fft::kColumns + column]);
  }
}

SERVAL_DEVICE float square(float2 z) { return z.x * z.x + z.y * z.y; }

// |X[k]|^2 and |X[M - k]|^2 from Z[k], Z[M - k] of the transform of pairs and exp(-2 pi i k / n_fft). The window
// is halved, which takes the halves out of the split.
SERVAL_DEVICE float2 split_pair(float2 z, float2 mirrored, float2 root) {
  const float2 even = make_float2(z.x + mirrored.x, z.y - mirrored.y);
  const float2 odd = times(make_float2(z.y + mirrored.y, mirrored.x - z.x), root);
  return make_float2(square(add(even, odd)), square(subtract(even, odd)));
}

// [M + 1] floats, from pairs that lanes hold at k = lane + lanes j and the middle, which lane 0 has.
template <class Fft>
SERVAL_DEVICE void store_spectrum(int power, int lane, float2 (&pairs)[Fft::kSize / 2 / Fft::kLanes],
                                  float middle, float* out) {
  if (power == 1) {
    SERVAL_UNROLL
    for (int j = 0; j < Fft::kSize / 2 / Fft::kLanes; ++j)
      pairs[j] = make_float2(sqrtf(pairs[j].x), sqrtf(pairs[j].y));
    middle = sqrtf(middle);
  }
  SERVAL_UNROLL
  for (int j = 0; j < Fft::kSize / 2 / Fft::kLanes; ++j) {
    const int k = lane + Fft::kLanes * j;
    out[k] = pairs[j].x;
    out[Fft::kSize - k] = pairs[j].y;
  }
  if (lane == 0) out[Fft::kSize / 2] = middle;
}

// From the first pass to the spectrum, [M + 1] floats at the start of the frame's exchange memory.
template <class Fft>
SERVAL_DEVICE void spectrum(const FusedArgs& a, const float* tables, int lane, float2* exchange) {
  constexpr int kHalf = Fft::kSize / 2;
  const float2* split = reinterpret_cast<const float2*>(tables + Fft::kSplitAt);
  const float2* second = reinterpret_cast<const float2*>(tables + Fft::kSecondPassAt);
  float* out = reinterpret_cast<float*>(exchange);
  if constexpr (Fft::kThreePasses) {
    second_pass_long<Fft>(exchange, second, lane);
    __syncwarp();
  }
  if constexpr (Fft::kRounds == 1) {
    float2 v[16];
    if constexpr (Fft::kThreePasses) {
      third_pass_short<Fft>(exchange, lane, v);
    } else {
      second_pass_short<Fft>(exchange, lane, v);
    }
    __syncwarp();
    // Lanes hand the upper half of the values to those that have the mirrored ones.
    SERVAL_UNROLL
    for (int j = 8; j < 16; ++j) exchange[lane + Fft::kLanes * (j - 8)] = v[j];
    __syncwarp();
    float2 pairs[8];
    SERVAL_UNROLL
    for (int j = 0; j < 8; ++j) {
      const int k = lane + Fft::kLanes * j;
      const float2 mirrored = k == 0 ? v[0] : exchange[kHalf - k];
      pairs[j] = split_pair(v[j], mirrored, split[k]);
    }
    __syncwarp();
    store_spectrum<Fft>(a.power, lane, pairs, 4 * square(v[8]), out);
  } else {
    third_pass_long<Fft>(exchange, lane);
    __syncwarp();
    float2 pairs[kHalf / Fft::kLanes];
    SERVAL_UNROLL
    for (int j = 0; j < kHalf / Fft::kLanes; ++j) {
      const int k = lane + Fft::kLanes * j;
      const float2 z = exchange[third_pass_place<Fft>(k)];
      const float2 mirrored = k == 0 ? z : exchange[third_pass_place<Fft>(Fft::kSize - k)];
      pairs[j] = split_pair(z, mirrored, split[k]);
    }
    const float middle = 4 * square(exchange[third_pass_place<Fft>(kHalf)]);
    __syncwarp();
    store_spectrum<Fft>(a.power, lane, pairs, middle, out);
  }
  __syncwarp();
}

// The bands of a frame, a slot of kLanes bands at a time. Weights come in fours, padded with zeros. Returns
// the largest value; `to` is the frame's row of the tile, null for a frame that another lane group works on.
template <class Fft>
SERVAL_DEVICE float mel_bands(const FusedArgs& a, const float* tables, const float* spectrum, int lane,
                              float unit, float* to) {
  const int* first = reinterpret_cast<const int*>(tables + a.places.mel_first);
  const int* quads = reinterpret_cast<const int*>(tables + a.places.mel_quads);
  const int* slot_at = reinterpret_cast<const int*>(tables + a.places.mel_at);
  const float4* all_weights = reinterpret_cast<const float4*>(tables + a.places.mel_weights);
  float peak = -INFINITY;
  SERVAL_NO_UNROLL
  for (int slot = 0; slot < a.mel_slots; ++slot) {
    const float* bin = spectrum + first[slot * Fft::kLanes + lane];
    const float4* weights = all_weights + slot_at[slot] + lane;
    const int count = quads[slot];
    float sum = 0;
    SERVAL_NO_UNROLL
    for (int i = 0; i < count; ++i) {
      const float4 w = *weights;
      sum += w.x * bin[0];
      sum += w.y * bin[1];
      sum += w.z * bin[2];
      sum += w.w * bin[3];
      weights += Fft::kLanes;
      bin += 4;
    }
    const int m = slot * Fft::kLanes + lane;
    sum *= unit;
    const float value = a.has_log ? detail::log_value(sum, a.floor, a.log_scale) : sum;
    if (m < a.n_mels) peak = value > peak ? value : peak;
    if (to != nullptr && m < a.mel_stride) to[m] = m < a.n_mels ? value : 0.0f;
  }
  return peak;
}

// Frames [first, first + count) of the clip into their rows of `tile`, which holds the clip from frame 0 on.
// Returns this thread's largest value; every thread of the block must call.
template <class Fft, class Sample>
SERVAL_DEVICE float tile_rows(const FusedArgs& a, const float* tables, float2* exchanges,
                              const FusedClip& clip, int first, int count, float* tile) {
  const int warp = static_cast<int>(threadIdx.x) / serval::cuda::kWarpSize;
  const int warps = static_cast<int>(blockDim.x) / serval::cuda::kWarpSize;
  const int in_warp = static_cast<int>(threadIdx.x) % serval::cuda::kWarpSize;
  const int group = in_warp / Fft::kLanes;
  const bool filtered = a.remove_dc || a.pre_emphasis != 0;
  // Samples are code * scale; the scale is made up for behind the mel filters.
  const float scale = clip.scale * a.sample_scale;
  const float unit = a.power == 2 ? scale * scale : scale;

  FrameOfLane<Sample> frame;
  frame.clip = static_cast<const Sample*>(a.samples) + clip.first_sample;
  frame.samples = clip.samples;
  frame.lane = in_warp % Fft::kLanes;
  frame.exchange = exchanges + warp * Fft::kWarpValues + Fft::frame_at(group);
  float peak = -INFINITY;
  for (int base = warp * Fft::kFrames; base < count; base += warps * Fft::kFrames) {
    // Lanes without a frame of their own repeat the last one and keep it to themselves.
    const bool own = base + group < count;
    const int index = first + (own ? base + group : count - 1);
    frame.start = index * a.hop + a.lead;
    float2 v[16 * Fft::kRounds];
    const bool pairs = !filtered && reads_pairs<Fft>(a, frame);
    if (__all_sync(serval::cuda::kFullMask, pairs)) {
      read_pairs<Fft>(a, frame, v);
    } else {
      read_staged<Fft>(a, frame, v);
    }
    first_pass<Fft>(tables, frame.lane, frame.exchange, v);
    __syncwarp();
    spectrum<Fft>(a, tables, frame.lane, frame.exchange);
    const float value =
        mel_bands<Fft>(a, tables, reinterpret_cast<const float*>(frame.exchange), frame.lane, unit,
                       own ? tile + static_cast<std::int64_t>(index) * a.mel_stride : nullptr);
    peak = value > peak ? value : peak;
    __syncwarp();
  }
  return peak;
}

}  // namespace serval::features::cuda
