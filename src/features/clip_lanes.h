// One clip's spectra and mel bands with `lanes` frames at a time; see fft_lanes.h for the layout. Included by the
// one file that compiles it for each instruction set.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "serval/features/detail/log_columns.h"

#include "fft_lanes.h"
#include "lane_pass.h"
#include "transpose_lanes.h"

namespace serval::features::detail {

template <int lanes>
struct PowerSink {
  float* power;
  template <class V>
  SERVAL_INLINE void operator()(int bin, const V& re, const V& im) {
    lanes_at<lanes>(power, bin) = re * re + im * im;
  }
};

// Where the window's samples of a frame lie; frames over the clip's ends are put together in `edge` first.
SERVAL_INLINE const float* frame_samples(const FramePlan& plan, std::span<const float> samples,
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

template <int lanes>
SERVAL_INLINE void clear(float* data, int positions) {
  for (int at = 0; at < positions; ++at) lanes_at<lanes>(data, at) = Vector<lanes>{};
}

// The samples that frames look at, scaled and weighed: [window position, lane].
template <int lanes>
SERVAL_INLINE void gather_window(const float* const (&from)[lanes], int length, float scale,
                                 const float* weights, float* to) {
  int n = 0;
  for (; n + lanes <= length; n += lanes) {
    Vector<lanes> block[lanes];
    const Vector<lanes> weight =
        weights == nullptr ? Vector<lanes>{} + 1.0f : unaligned_at<lanes>(weights + n);
#pragma GCC unroll 16
    for (int lane = 0; lane < lanes; ++lane)
      block[lane] = unaligned_at<lanes>(from[lane] + n) * scale * weight;
    transpose<lanes>(block);
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) lanes_at<lanes>(to, n + i) = block[i];
  }
  for (; n < length; ++n) {
    const float weight = weights == nullptr ? 1.0f : weights[n];
    for (int lane = 0; lane < lanes; ++lane) to[n * lanes + lane] = from[lane][n] * scale * weight;
  }
}

// Mean and pre-emphasis of each lane's window, then the weights, in place.
template <int lanes>
SERVAL_INLINE void shape_window(const FramePlan& plan, float* data) {
  Vector<lanes> mean = {};
  if (plan.remove_dc) {
    for (int n = 0; n < plan.window_length; ++n) mean += lanes_at<lanes>(data, n);
    mean /= static_cast<float>(plan.window_length);
  }
  Vector<lanes> before = lanes_at<lanes>(data, 0) - mean;
  for (int n = 0; n < plan.window_length; ++n) {
    const Vector<lanes> now = lanes_at<lanes>(data, n) - mean;
    lanes_at<lanes>(data, n) = (now - before * plan.preemphasis) * plan.window[static_cast<std::size_t>(n)];
    before = now;
  }
}

// The windowed frames first ... first + lanes - 1.
template <int lanes>
SERVAL_INLINE void load_frames(const LanePass& pass, std::int64_t first, float* to) {
  const FramePlan& plan = *pass.frames;
  const float* from[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    // Lanes behind the last frame repeat it; nobody looks at them.
    from[lane] = frame_samples(plan, pass.samples, std::min(first + lane, pass.count - 1),
                               pass.scratch->edge.data() + lane * plan.window_length);
  }
  const int behind = plan.window_offset + plan.window_length;
  float* window = to + static_cast<std::ptrdiff_t>(plan.window_offset) * lanes;
  clear<lanes>(to, plan.window_offset);
  if (plan.shapes_samples()) {
    gather_window<lanes>(from, plan.window_length, plan.sample_scale, nullptr, window);
    shape_window<lanes>(plan, window);
  } else {
    gather_window<lanes>(from, plan.window_length, plan.sample_scale, plan.window.data(), window);
  }
  clear<lanes>(to + static_cast<std::ptrdiff_t>(behind) * lanes, plan.n_fft - behind);
}

// [column, lane] to the rows of the first `valid` lanes, `stride` apart.
template <int lanes>
SERVAL_INLINE void write_rows(const float* columns, int count, int valid, float* rows, std::int64_t stride) {
  int column = 0;
  for (; column + lanes <= count; column += lanes) {
    Vector<lanes> block[lanes];
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) block[i] = lanes_at<lanes>(columns, column + i);
    transpose<lanes>(block);
    if (valid == lanes) {
#pragma GCC unroll 16
      for (int lane = 0; lane < lanes; ++lane)
        unaligned_at<lanes>(rows + lane * stride + column) = block[lane];
    } else {
      for (int lane = 0; lane < valid; ++lane)
        unaligned_at<lanes>(rows + lane * stride + column) = block[lane];
    }
  }
  for (; column < count; ++column) {
    for (int lane = 0; lane < valid; ++lane) rows[lane * stride + column] = columns[column * lanes + lane];
  }
}

// One tile of a bank: the mel bands of `lanes` frames on the bank's scale, and the lanes' largest values.
template <int lanes>
SERVAL_INLINE void fill_bank(const BankPlan& bank, const float* spectrum, float* tile, Vector<lanes>& peaks) {
  for (int m = 0; m < bank.n_mels; ++m) {
    const std::size_t at = static_cast<std::size_t>(m);
    const int bin = bank.first_bin[at];
    Vector<lanes> sum = {};
    for (int i = bank.offset[at]; i < bank.offset[at + 1]; ++i) {
      sum += lanes_at<lanes>(spectrum, bin + i - bank.offset[at]) * bank.weights[static_cast<std::size_t>(i)];
    }
    lanes_at<lanes>(tile, m) = sum;
  }
  if (bank.log.kind != LogScale::kNone) {
    const int count = bank.n_mels * lanes;
    for (int i = 0; i < count; ++i) tile[i] = log_value(tile[i], bank.log.floor, bank.log.scale);
  }
  peaks = Vector<lanes>{} - INFINITY;
  for (int m = 0; m < bank.n_mels; ++m) {
    const Vector<lanes> value = lanes_at<lanes>(tile, m);
    peaks = value > peaks ? value : peaks;
  }
}

template <int lanes>
SERVAL_INLINE void rows_of_tile(const LanePass& pass, std::int64_t first, const float* spectrum) {
  const int bins = pass.frames->bins();
  float* rows = pass.scratch->rows.data();
  write_rows<lanes>(spectrum, bins, lanes, rows, bins);
  pass.on_rows(pass.rows_context, first, static_cast<int>(std::min<std::int64_t>(lanes, pass.count - first)),
               rows);
}

template <int lanes>
SERVAL_INLINE void lane_pass(const LanePass& pass) {
  LaneScratch& scratch = *pass.scratch;
  float* power = scratch.power.data();
  const int values = pass.frames->bins() * lanes;
  for (BankTiles& bank : pass.banks) bank.peak = -INFINITY;
  for (std::int64_t first = 0; first < pass.count; first += lanes) {
    load_frames<lanes>(pass, first, scratch.frames.data());
    PowerSink<lanes> sink{power};
    real_transform<lanes>(*pass.fft, scratch.frames.data(), scratch.spare.data(), sink);
    if (pass.wants_magnitude) {
      for (int i = 0; i < values; ++i) scratch.magnitude.data()[i] = sqrtf(power[i]);
    }
    for (BankTiles& bank : pass.banks) {
      const float* spectrum = bank.bank->power == 2 ? power : scratch.magnitude.data();
      float* tile = bank.tiles + first / lanes * bank.bank->n_mels * lanes;
      // Lanes behind the last frame repeat it, so they do not raise the peak.
      Vector<lanes> peaks;
      fill_bank<lanes>(*bank.bank, spectrum, tile, peaks);
      for (int lane = 0; lane < lanes; ++lane) bank.peak = std::max(bank.peak, peaks[lane]);
    }
    if (pass.on_rows != nullptr) rows_of_tile<lanes>(pass, first, power);
  }
}

template <int lanes>
SERVAL_INLINE void cosine_transform(const BankColumns& job, const float* tile, float* columns) {
  constexpr int kBlock = 4;  // rows that share one pass over the bands
  const int n_mels = job.bank->n_mels;
  int c = 0;
  for (; c + kBlock <= job.n_static; c += kBlock) {
    const float* row = job.cosines + static_cast<std::ptrdiff_t>(c) * n_mels;
    Vector<lanes> sum0 = {}, sum1 = {}, sum2 = {}, sum3 = {};
    for (int m = 0; m < n_mels; ++m) {
      const Vector<lanes> x = lanes_at<lanes>(tile, m);
      sum0 += x * row[m];
      sum1 += x * row[m + n_mels];
      sum2 += x * row[m + 2 * n_mels];
      sum3 += x * row[m + 3 * n_mels];
    }
    lanes_at<lanes>(columns, c) = sum0;
    lanes_at<lanes>(columns, c + 1) = sum1;
    lanes_at<lanes>(columns, c + 2) = sum2;
    lanes_at<lanes>(columns, c + 3) = sum3;
  }
  for (; c < job.n_static; ++c) {
    const float* row = job.cosines + static_cast<std::ptrdiff_t>(c) * n_mels;
    Vector<lanes> sum = {};
    for (int m = 0; m < n_mels; ++m) sum += lanes_at<lanes>(tile, m) * row[m];
    lanes_at<lanes>(columns, c) = sum;
  }
}

// A bank's tiles against its peak, once the peak is known.
template <int lanes>
SERVAL_INLINE void settle_bank(const BankTiles& bank, std::int64_t frames) {
  const LogRule& rule = bank.bank->log;
  if (!rule.needs_peak()) return;
  const std::int64_t values = (frames + lanes - 1) / lanes * bank.bank->n_mels * lanes;
  for (std::int64_t i = 0; i < values; ++i) bank.tiles[i] = against_peak(bank.tiles[i], bank.peak, rule);
}

template <int lanes>
SERVAL_INLINE void bank_columns(const BankColumns& job) {
  for (std::int64_t first = 0; first < job.frames; first += lanes) {
    const float* columns = job.tiles + first / lanes * job.bank->n_mels * lanes;
    if (job.cosines != nullptr) {
      cosine_transform<lanes>(job, columns, job.scratch);
      columns = job.scratch;
    }
    const int valid = static_cast<int>(std::min<std::int64_t>(lanes, job.frames - first));
    write_rows<lanes>(columns, job.n_static, valid, job.out + first * job.stride, job.stride);
  }
}

}  // namespace serval::features::detail
