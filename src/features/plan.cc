#include "serval/features/detail/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/features/mel.h"
#include "serval/features/window.h"

namespace serval::features::detail {

namespace {

int whole_samples(int samples, double ms, int sample_rate_hz) {
  return samples > 0 ? samples : static_cast<int>(std::floor(ms * sample_rate_hz / 1000 + 0.5));
}

std::vector<float> rounded(const std::vector<double>& values) { return {values.begin(), values.end()}; }

// Row c of the orthonormal DCT-II, times its lifter weight.
std::vector<float> make_dct(int n_mfcc, int n_mels, int lifter) {
  std::vector<float> dct;
  dct.reserve(static_cast<std::size_t>(n_mfcc) * static_cast<std::size_t>(n_mels));
  for (int c = 0; c < n_mfcc; ++c) {
    const double norm = std::sqrt((c == 0 ? 1.0 : 2.0) / n_mels);
    const double weight = lifter > 0 ? 1 + 0.5 * lifter * std::sin(std::numbers::pi * (c + 1) / lifter) : 1;
    for (int m = 0; m < n_mels; ++m) {
      dct.push_back(static_cast<float>(weight * norm * std::cos(std::numbers::pi * c * (m + 0.5) / n_mels)));
    }
  }
  return dct;
}

// Least-squares line (order 1: its slope) or parabola (order 2: its second derivative) through 2 half + 1
// frames, for every half width up to `largest`.
std::vector<float> make_delta_taps(int order, int largest) {
  std::vector<float> taps;
  for (int half = 1; half <= largest; ++half) {
    const double count = 2 * half + 1;
    double sum2 = 0;
    double sum4 = 0;
    for (int k = 1; k <= half; ++k) {
      sum2 += 2.0 * k * k;
      sum4 += 2.0 * k * k * k * k;
    }
    for (int k = -half; k <= half; ++k) {
      const double slope = k / sum2;
      const double curvature = 2 * (k * k - sum2 / count) / (sum4 - sum2 * sum2 / count);
      taps.push_back(static_cast<float>(order == 1 ? slope : curvature));
    }
  }
  return taps;
}

}  // namespace

ExtractionPlan::ExtractionPlan(const FeatureSettings& settings, int rate_hz)
    : type(settings.type), padding(settings.padding), sample_rate_hz(rate_hz) {
  if (rate_hz <= 0) throw ConfigError(cat("features: a sample rate of ", rate_hz, " Hz"));
  resolve_frames(settings);
  make_tables(settings);
}

void ExtractionPlan::resolve_frames(const FeatureSettings& settings) {
  window_length = whole_samples(settings.window_samples, settings.window_ms, sample_rate_hz);
  hop = whole_samples(settings.hop_samples, settings.hop_ms, sample_rate_hz);
  if (window_length < 2 || hop < 1) {
    throw ConfigError(cat("features: at ", sample_rate_hz, " Hz the window has ", window_length,
                          " samples and the hop ", hop, "; at least 2 and 1 are needed"));
  }
  n_fft = settings.n_fft > 0 ? settings.n_fft
                             : static_cast<int>(std::bit_ceil(static_cast<unsigned>(window_length)));
  if (window_length > kMaxFft) {
    throw ConfigError(cat("features: the window has ", window_length, " samples at ", sample_rate_hz,
                          " Hz; at most ", kMaxFft, " are possible"));
  }
  if (window_length > n_fft) {
    throw ConfigError(cat("features: n_fft ", n_fft, " does not hold the window, which has ", window_length,
                          " samples at ", sample_rate_hz, " Hz"));
  }
  if (n_fft % 2 != 0) throw ConfigError(cat("features: n_fft must be even, not ", n_fft));
  centre = padding == Padding::kNone ? 0 : n_fft / 2;
  window_offset = (n_fft - window_length) / 2;
}

void ExtractionPlan::make_tables(const FeatureSettings& settings) {
  power = settings.power;
  n_mels = settings.n_mels;
  n_static = type == FeatureType::kMfcc ? settings.n_mfcc : n_mels;
  deltas = settings.deltas;
  dimension = n_static * (1 + deltas);
  delta_width = settings.delta_width;
  log_floor = static_cast<float>(settings.floor);
  log_scale = settings.log == LogScale::kDb ? static_cast<float>(10 / std::numbers::ln10) : 1.0f;
  has_top_db = settings.log == LogScale::kDb && settings.top_db.has_value();
  if (has_top_db) top_db = static_cast<float>(*settings.top_db);
  if (n_static > n_mels)
    throw ConfigError(cat("features: n_mfcc ", n_static, " is more than n_mels ", n_mels));

  const double nyquist_hz = sample_rate_hz / 2.0;
  const double f_max_hz = settings.f_max_hz.value_or(nyquist_hz);
  if (f_max_hz > nyquist_hz || settings.f_min_hz >= f_max_hz) {
    throw ConfigError(cat("features: mel filters from ", settings.f_min_hz, " to ", f_max_hz,
                          " Hz do not fit a sample rate of ", sample_rate_hz, " Hz, which has 0 to ",
                          nyquist_hz));
  }
  const MelFilters filters = make_mel_filters(n_mels, n_fft, sample_rate_hz, settings.f_min_hz, f_max_hz,
                                              settings.mel_scale, settings.mel_norm);
  if (const int empty = filters.empty_filters(); empty > 0) {
    log_warning(cat("features: ", empty, " of ", n_mels, " mel filters lie between two bins of the ", n_fft,
                    "-point transform and stay empty; use fewer n_mels or a larger n_fft"));
  }
  mel_first_bin = filters.first_bin;
  mel_offset = filters.offset;
  mel_weights = rounded(filters.weights);
  window = rounded(make_window(settings.window, window_length, settings.window_periodic));
  if (type == FeatureType::kMfcc) dct = make_dct(n_static, n_mels, settings.lifter);
  for (int order = 1; order <= deltas; ++order)
    delta_taps[order - 1] = make_delta_taps(order, delta_width / 2);
}

std::int64_t ExtractionPlan::frames(std::int64_t samples) const {
  const std::int64_t padded = samples + 2 * centre;
  if (samples <= 0 || padded < n_fft) return 0;
  return 1 + (padded - n_fft) / hop;
}

std::vector<std::string> ExtractionPlan::column_names() const {
  const std::string stem = type == FeatureType::kMfcc ? "mfcc" : "mel";
  std::vector<std::string> names;
  for (const char* suffix : {"", "_delta", "_delta2"}) {
    if (static_cast<int>(names.size()) == dimension) break;
    for (int i = 0; i < n_static; ++i) names.push_back(cat(stem, "_", i, suffix));
  }
  return names;
}

}  // namespace serval::features::detail
