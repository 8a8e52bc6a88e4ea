// Fundamental frequency and harmonicity.
#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "pitch_tables.h"
#include "plan_builder.h"

namespace serval::features::detail {

namespace {

PeriodRange period_range(const F0Settings& s, int rate_hz, int window_length) {
  if (s.f0_max_hz > rate_hz / 2.0) {
    throw ConfigError(
        cat("features: f0_max_hz ", s.f0_max_hz, " is above ", rate_hz / 2.0, " Hz, half the sample rate"));
  }
  if (s.f0_min_hz >= s.f0_max_hz) {
    throw ConfigError(
        cat("features: f0_min_hz ", s.f0_min_hz, " must be below f0_max_hz, which is ", s.f0_max_hz, " Hz"));
  }
  const double longest = rate_hz / s.f0_min_hz;
  if (2 * longest > window_length) {
    throw ConfigError(cat("features: two periods of f0_min_hz ", s.f0_min_hz, " do not fit the window of ",
                          window_length, " samples (", 1000.0 * window_length / rate_hz, " ms at ", rate_hz,
                          " Hz); it needs window_ms ", std::ceil(20000 * longest / rate_hz) / 10, " or ",
                          std::ceil(2 * longest), " samples, or f0_min_hz ",
                          std::ceil(20.0 * rate_hz / window_length) / 10));
  }
  PeriodRange range;
  range.min_period = static_cast<int>(std::floor(rate_hz / s.f0_max_hz));
  range.max_period = std::min(static_cast<int>(std::ceil(longest)), window_length - 1);
  return range;
}

void append(std::vector<float>& to, const std::vector<double>& values) {
  to.insert(to.end(), values.begin(), values.end());
}

void add_shares(const F0Settings& s, int most_troughs, std::vector<float>& tables) {
  std::vector<double> threshold, probability, sums{0}, decay, norm{0};
  for (int t = 1; t <= s.n_thresholds; ++t) {
    const double below = (t - 1.0) / s.n_thresholds, here = static_cast<double>(t) / s.n_thresholds;
    threshold.push_back(here);
    probability.push_back(
        std::max(0.0, beta_cdf(here, s.beta_a, s.beta_b) - beta_cdf(below, s.beta_a, s.beta_b)));
    sums.push_back(sums.back() + probability.back());
  }
  for (int n = 0; n < most_troughs; ++n) {
    decay.push_back(std::exp(-s.boltzmann * n));
    norm.push_back(std::expm1(-s.boltzmann) / std::expm1(-s.boltzmann * (n + 1)));
  }
  for (const std::vector<double>* part : {&threshold, &probability, &sums, &decay, &norm}) {
    append(tables, *part);
  }
}

void add_states(const F0Settings& s, int rate_hz, int hop, F0Part& f0, std::vector<float>& tables) {
  const int per_semitone = static_cast<int>(std::ceil(1 / s.resolution_semitones));
  f0.bins_per_octave = 12 * per_semitone;
  f0.bins = static_cast<int>(std::floor(f0.bins_per_octave * std::log2(s.f0_max_hz / s.f0_min_hz))) + 1;
  const double semitones = std::nearbyint(s.max_octaves_per_s * 12 * hop / rate_hz);
  const int width = static_cast<int>(std::min(semitones, 2.0 * f0.bins)) * per_semitone + 1;
  const LocalTransitions local = LocalTransitions::make(f0.bins, width);
  f0.half_left = local.half_left;
  f0.half_right = local.half_right;
  f0.log_stay = static_cast<float>(std::log1p(-s.switch_probability));
  f0.log_switch = static_cast<float>(std::log(s.switch_probability));
  for (int bin = 0; bin < f0.bins; ++bin) {
    tables.push_back(
        static_cast<float>(s.f0_min_hz * std::exp2(static_cast<double>(bin) / f0.bins_per_octave)));
  }
  for (const double divisor : local.divisors) tables.push_back(static_cast<float>(std::log(divisor)));
  for (auto weight = local.weights.rbegin(); weight != local.weights.rend(); ++weight) {
    tables.push_back(static_cast<float>(std::log(*weight)));
  }
}

}  // namespace

void add_f0(PlanBuilder& builder, const PartSettings& s) {
  const int rate_hz = builder.sample_rate_hz();
  PartPlan part;
  part.framing = builder.framing(untransformed_frames(s, rate_hz));
  const FramePlan& frames = builder.frames(part.framing);
  F0Part f0;
  f0.method = s.f0_method;
  f0.unvoiced = s.unvoiced;
  f0.rate_hz = static_cast<float>(rate_hz);
  f0.range = period_range(s, rate_hz, frames.window_length);
  f0.trough_threshold = static_cast<float>(s.trough_threshold);
  if (s.f0_method == F0Method::kPyin) {
    f0.thresholds = s.n_thresholds;
    f0.no_trough = static_cast<float>(s.no_trough_probability);
    f0.min_hz = s.f0_min_hz;
    add_shares(s, f0.most_troughs(), part.tables);
    add_states(s, rate_hz, frames.hop, f0, part.tables);
  }
  part.body = f0;
  part.work = f0.work_size(frames.window_length);
  part.frame_scratch = f0.frame_scratch_size();
  part.clip_scratch = f0.clip_scratch_size();
  part.n_static = 3;
  part.names = {"f0_hz", "voiced", "voicing"};
  builder.add(std::move(part));
}

namespace {

std::vector<double> gaussian(int length) {
  std::vector<double> window;
  const double edge = std::exp(-12.0);
  for (int n = 0; n < length; ++n) {
    const double from_middle = (n - 0.5 * (length - 1)) / (length + 1);
    window.push_back((std::exp(-48 * from_middle * from_middle) - edge) / (1 - edge));
  }
  return window;
}

}  // namespace

void add_hnr(PlanBuilder& builder, const PartSettings& s) {
  const int rate_hz = builder.sample_rate_hz();
  if (s.hnr_min_hz > rate_hz / 8.0) {
    throw ConfigError(cat("features: hnr_min_hz ", s.hnr_min_hz, " is above ", rate_hz / 8.0,
                          " Hz, an eighth of the sample rate"));
  }
  const double periods = 2 * s.hnr_periods;
  const int half = static_cast<int>(std::floor(periods / s.hnr_min_hz * rate_hz)) / 2 - 1;
  FrameSettings frames = s;
  frames.window_samples = 2 * half;
  if (frames.window_samples > kMaxFft) {
    throw ConfigError(cat("features: hnr_periods ", s.hnr_periods, " of hnr_min_hz ", s.hnr_min_hz, " take ",
                          frames.window_samples, " samples at ", rate_hz, " Hz; at most ", kMaxFft,
                          " are possible"));
  }
  PartPlan part;
  part.framing = builder.framing(untransformed_frames(frames, rate_hz));
  const FramePlan& plan = builder.frames(part.framing);
  HnrPart hnr;
  hnr.hop = plan.hop;
  hnr.lead = plan.lead;
  hnr.whole = s.padding != Padding::kNone;
  // Interpolation asks for lags behind the longest period, as far as a quarter of the window.
  const int quarter = plan.window_length / 4;
  hnr.longest_lag = std::min(static_cast<int>(std::floor(plan.window_length / periods)) + 2, quarter);
  hnr.lags = quarter;
  hnr.period = static_cast<int>(std::floor(rate_hz / s.hnr_min_hz));
  hnr.silence = static_cast<float>(s.hnr_silence);
  hnr.lowest_db = static_cast<float>(s.hnr_lowest_db);
  const std::vector<double> window = gaussian(plan.window_length);
  append(part.tables, window);
  double energy = 0;
  for (const double w : window) energy += w * w;
  for (int lag = 1; lag <= hnr.lags; ++lag) {
    double sum = 0;
    for (std::size_t n = 0; n + static_cast<std::size_t>(lag) < window.size(); ++n) {
      sum += window[n] * window[n + static_cast<std::size_t>(lag)];
    }
    part.tables.push_back(static_cast<float>(energy / sum));
  }
  part.body = hnr;
  part.work = hnr.work_size(plan.window_length);
  part.frame_scratch = HnrPart::kScratch;
  part.n_static = 1;
  part.names = {"hnr_db"};
  builder.add(std::move(part));
}

}  // namespace serval::features::detail
