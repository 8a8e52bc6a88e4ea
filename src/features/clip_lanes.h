// One clip's spectra and mel bands with `lanes` frames at a time; see fft_lanes.h for the layout. Included by the
// one file that compiles it for each instruction set.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "serval/features/detail/log_columns.h"

#include "fft_lanes.h"
#include "lane_pass.h"

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

// Sample n of every lane.
template <int lanes>
SERVAL_INLINE void gather_lanes(const float* const (&from)[lanes], int n, Vector<lanes>& value) {
  for (int lane = 0; lane < lanes; ++lane) value[lane] = from[lane][n];
}

// The windowed frames first ... first + lanes - 1, even positions into re and odd ones into im.
template <int lanes>
SERVAL_INLINE void load_frames(const LanePass& pass, std::int64_t first, ComplexLanes to) {
  const FramePlan& plan = *pass.frames;
  const float* from[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    // Lanes behind the last frame repeat it; nobody looks at them.
    from[lane] = frame_samples(plan, pass.samples, std::min(first + lane, pass.count - 1),
                               pass.scratch->edge.data() + lane * plan.window_length);
  }
  const Vector<lanes> zero = {};
  Vector<lanes> value = {}, mean = {}, before = {};
  if (plan.remove_dc) {
    for (int n = 0; n < plan.window_length; ++n) {
      gather_lanes<lanes>(from, n, value);
      mean += value * plan.sample_scale;
    }
    mean /= static_cast<float>(plan.window_length);
  }
  gather_lanes<lanes>(from, 0, before);
  before = before * plan.sample_scale - mean;
  for (int at = 0; at < plan.n_fft; ++at) {
    float* side = at % 2 == 0 ? to.re : to.im;
    const int n = at - plan.window_offset;
    if (n < 0 || n >= plan.window_length) {
      lanes_at<lanes>(side, at / 2) = zero;
      continue;
    }
    gather_lanes<lanes>(from, n, value);
    value *= plan.sample_scale;
    if (plan.shapes_samples()) {
      const Vector<lanes> now = value - mean;
      value = now - before * plan.preemphasis;
      before = now;
    }
    lanes_at<lanes>(side, at / 2) = value * plan.window[static_cast<std::size_t>(n)];
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
  for (int k = 0; k < bins; ++k) {
    for (int lane = 0; lane < lanes; ++lane) rows[lane * bins + k] = spectrum[k * lanes + lane];
  }
  pass.on_rows(pass.rows_context, first, static_cast<int>(std::min<std::int64_t>(lanes, pass.count - first)),
               rows);
}

template <int lanes>
SERVAL_INLINE void lane_pass(const LanePass& pass) {
  LaneScratch& scratch = *pass.scratch;
  const std::ptrdiff_t part = static_cast<std::ptrdiff_t>(pass.frames->n_fft / 2) * lanes;
  float* packed = scratch.packed.data();
  float* power = scratch.power.data();
  const int values = pass.frames->bins() * lanes;
  for (BankTiles& bank : pass.banks) bank.peak = -INFINITY;
  for (std::int64_t first = 0; first < pass.count; first += lanes) {
    const ComplexLanes data{packed, packed + part};
    load_frames<lanes>(pass, first, data);
    PowerSink<lanes> sink{power};
    real_transform<lanes>(*pass.fft, data, ComplexLanes{packed + 2 * part, packed + 3 * part}, sink);
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
    for (int lane = 0; lane < valid; ++lane) {
      float* row = job.out + (first + lane) * job.stride;
      for (int column = 0; column < job.n_static; ++column) row[column] = columns[column * lanes + lane];
    }
  }
}

}  // namespace serval::features::detail
