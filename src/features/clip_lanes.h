// One clip's features with `lanes` frames at a time; see src/features/fft_lanes.h for the layout. Included by
// the one file that compiles it for each instruction set.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "serval/core/tensor.h"
#include "serval/features/detail/frame_math.h"
#include "serval/features/detail/plan.h"

#include "fft_lanes.h"

namespace serval::features::detail {

// Memory of one clip's work; lanes fit the widest vector.
struct ClipScratch {
  ClipScratch(const ExtractionPlan& plan, std::int64_t tiles, int lanes)
      : packed(Device{}, Shape{4, plan.n_fft / 2, lanes}),
        spectrum(Device{}, Shape{plan.n_fft / 2 + 1, lanes}),
        mel(Device{}, Shape{tiles, plan.n_mels, lanes}),
        columns(Device{}, Shape{plan.n_static, lanes}),
        edge(static_cast<std::size_t>(plan.window_length) * static_cast<std::size_t>(lanes)) {}

  Tensor packed;            // [real, imaginary and the same again as spare][position, lane]
  Tensor spectrum;          // [bin, lane]
  Tensor mel;               // [tile, mel, lane]: log-mel of the whole clip
  Tensor columns;           // [column, lane]
  std::vector<float> edge;  // [lane, window]: frames that reach over the clip's ends
};

template <int lanes>
struct SpectrumSink {
  float* spectrum;
  int power;
  template <class V>
  SERVAL_INLINE void operator()(int bin, const V& re, const V& im) {
    float* to = spectrum + static_cast<std::ptrdiff_t>(bin) * lanes;
    if (power == 2) {
      *reinterpret_cast<V*>(to) = re * re + im * im;
    } else {
      for (int lane = 0; lane < lanes; ++lane) to[lane] = spectrum_value(re[lane], im[lane], 1);
    }
  }
};

// Where the window's samples of a frame lie; frames over the clip's ends are put together in `edge` first.
SERVAL_INLINE const float* frame_samples(const ExtractionPlan& plan, std::span<const float> samples,
                                         std::int64_t frame, float* edge) {
  const std::int64_t start = plan.window_start(frame);
  const std::int64_t count = static_cast<std::int64_t>(samples.size());
  if (start >= 0 && start + plan.window_length <= count) return samples.data() + start;
  for (int n = 0; n < plan.window_length; ++n) {
    const std::int64_t at = source_sample(start + n, count, plan.padding);
    edge[n] = at < 0 ? 0.0f : samples[static_cast<std::size_t>(at)];
  }
  return edge;
}

// The windowed frames first ... first + lanes - 1, even positions into re and odd ones into im.
template <int lanes>
SERVAL_INLINE void load_frames(const ExtractionPlan& plan, std::span<const float> samples, std::int64_t first,
                               std::int64_t frames, float* edge, ComplexLanes to) {
  const float* from[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    // Lanes behind the last frame repeat it; nobody looks at them.
    from[lane] =
        frame_samples(plan, samples, std::min(first + lane, frames - 1), edge + lane * plan.window_length);
  }
  const Vector<lanes> zero = {};
  for (int at = 0; at < plan.n_fft; ++at) {
    float* side = at % 2 == 0 ? to.re : to.im;
    const int n = at - plan.window_offset;
    if (n < 0 || n >= plan.window_length) {
      lanes_at<lanes>(side, at / 2) = zero;
      continue;
    }
    Vector<lanes> value;
    for (int lane = 0; lane < lanes; ++lane) value[lane] = from[lane][n];
    lanes_at<lanes>(side, at / 2) = value * plan.window[static_cast<std::size_t>(n)];
  }
}

template <int lanes>
SERVAL_INLINE void mel_bands(const ExtractionPlan& plan, const float* spectrum, float* mel) {
  for (int m = 0; m < plan.n_mels; ++m) {
    const std::size_t at = static_cast<std::size_t>(m);
    const int bin = plan.mel_first_bin[at];
    Vector<lanes> sum = {};
    for (int i = plan.mel_offset[at]; i < plan.mel_offset[at + 1]; ++i) {
      sum += lanes_at<lanes>(spectrum, bin + i - plan.mel_offset[at]) *
             plan.mel_weights[static_cast<std::size_t>(i)];
    }
    lanes_at<lanes>(mel, m) = sum;
  }
}

template <int lanes>
SERVAL_INLINE void cosine_transform(const ExtractionPlan& plan, const float* mel, float* columns) {
  constexpr int kBlock = 4;  // rows that share one pass over the bands
  int c = 0;
  for (; c + kBlock <= plan.n_static; c += kBlock) {
    const float* row = plan.dct.data() + static_cast<std::ptrdiff_t>(c) * plan.n_mels;
    Vector<lanes> sum0 = {}, sum1 = {}, sum2 = {}, sum3 = {};
    for (int m = 0; m < plan.n_mels; ++m) {
      const Vector<lanes> x = lanes_at<lanes>(mel, m);
      sum0 += x * row[m];
      sum1 += x * row[m + plan.n_mels];
      sum2 += x * row[m + 2 * plan.n_mels];
      sum3 += x * row[m + 3 * plan.n_mels];
    }
    lanes_at<lanes>(columns, c) = sum0;
    lanes_at<lanes>(columns, c + 1) = sum1;
    lanes_at<lanes>(columns, c + 2) = sum2;
    lanes_at<lanes>(columns, c + 3) = sum3;
  }
  for (; c < plan.n_static; ++c) {
    const float* row = plan.dct.data() + static_cast<std::ptrdiff_t>(c) * plan.n_mels;
    Vector<lanes> sum = {};
    for (int m = 0; m < plan.n_mels; ++m) sum += lanes_at<lanes>(mel, m) * row[m];
    lanes_at<lanes>(columns, c) = sum;
  }
}

SERVAL_INLINE void add_deltas(const ExtractionPlan& plan, std::int64_t frames, float* out) {
  const int half = delta_half(frames, plan.delta_width);
  if (half == 0) return;  // the matrix is zero already
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    const float* first = out + (delta_centre(frame, frames, half) - half) * plan.dimension;
    for (int order = 1; order <= plan.deltas; ++order) {
      const float* taps = plan.delta_taps[order - 1].data() + delta_taps_at(half);
      float* __restrict to =
          out + frame * plan.dimension + static_cast<std::ptrdiff_t>(order) * plan.n_static;
      for (int k = 0; k < 2 * half + 1; ++k) {
        const float* __restrict from = first + static_cast<std::ptrdiff_t>(k) * plan.dimension;
        for (int column = 0; column < plan.n_static; ++column) to[column] += taps[k] * from[column];
      }
    }
  }
}

// `out` is [frames, dimension] and zero.
template <int lanes>
SERVAL_INLINE void clip_features(const ExtractionPlan& plan, const FftTables& tables,
                                 std::span<const float> samples, std::int64_t frames, ClipScratch& scratch,
                                 float* out) {
  const std::ptrdiff_t tile_size = static_cast<std::ptrdiff_t>(plan.n_mels) * lanes;
  const std::ptrdiff_t part = static_cast<std::ptrdiff_t>(plan.n_fft / 2) * lanes;
  float* packed = scratch.packed.data();
  float* spectrum = scratch.spectrum.data();
  Vector<lanes> peaks = Vector<lanes>{} - INFINITY;
  for (std::int64_t first = 0; first < frames; first += lanes) {
    const ComplexLanes data{packed, packed + part};
    load_frames<lanes>(plan, samples, first, frames, scratch.edge.data(), data);
    SpectrumSink<lanes> sink{spectrum, plan.power};
    real_transform<lanes>(tables, data, ComplexLanes{packed + 2 * part, packed + 3 * part}, sink);
    float* mel = scratch.mel.data() + first / lanes * tile_size;
    mel_bands<lanes>(plan, spectrum, mel);
    for (std::ptrdiff_t i = 0; i < tile_size; ++i) mel[i] = log_value(mel[i], plan.log_floor, plan.log_scale);
    // Lanes behind the last frame repeat it, so they do not raise the peak.
    for (int m = 0; m < plan.n_mels; ++m) {
      const Vector<lanes> value = lanes_at<lanes>(mel, m);
      peaks = value > peaks ? value : peaks;
    }
  }
  float peak = peaks[0];
  for (int lane = 1; lane < lanes; ++lane) peak = std::max(peak, peaks[lane]);
  const float lowest = plan.has_top_db ? peak - plan.top_db : -INFINITY;
  for (std::int64_t first = 0; first < frames; first += lanes) {
    float* mel = scratch.mel.data() + first / lanes * tile_size;
    for (std::ptrdiff_t i = 0; i < tile_size; ++i) mel[i] = mel[i] > lowest ? mel[i] : lowest;
    const float* columns = mel;
    if (plan.type == FeatureType::kMfcc) {
      cosine_transform<lanes>(plan, mel, scratch.columns.data());
      columns = scratch.columns.data();
    }
    const int valid = static_cast<int>(std::min<std::int64_t>(lanes, frames - first));
    for (int lane = 0; lane < valid; ++lane) {
      float* row = out + (first + lane) * plan.dimension;
      for (int column = 0; column < plan.n_static; ++column) row[column] = columns[column * lanes + lane];
    }
  }
  add_deltas(plan, frames, out);
}

}  // namespace serval::features::detail
