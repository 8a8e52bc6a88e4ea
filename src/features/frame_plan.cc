#include "serval/features/detail/frame_plan.h"

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

// "2, 5, 7 and 12 more"
std::string first_numbers(const std::vector<int>& numbers, std::size_t most) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(most, numbers.size()); ++i) words.push_back(cat(numbers[i]));
  const std::size_t more = numbers.size() - words.size();
  return join(words, ", ") + (more > 0 ? cat(" and ", more, " more") : "");
}

bool centred(Padding padding) { return padding != Padding::kNone && padding != Padding::kMirror; }

}  // namespace

FramePlan FramePlan::make(const FrameSettings& s, int sample_rate_hz) {
  FramePlan plan;
  plan.padding = s.padding;
  plan.window_length = whole_samples(s.window_samples, s.window_ms, sample_rate_hz);
  plan.hop = whole_samples(s.hop_samples, s.hop_ms, sample_rate_hz);
  if (plan.window_length < 2 || plan.hop < 1) {
    throw ConfigError(cat("features: at ", sample_rate_hz, " Hz the window has ", plan.window_length,
                          " samples and the hop ", plan.hop, "; at least 2 and 1 are needed"));
  }
  if (plan.window_length > kMaxFft) {
    throw ConfigError(cat("features: the window has ", plan.window_length, " samples at ", sample_rate_hz,
                          " Hz; at most ", kMaxFft, " are possible"));
  }
  plan.n_fft =
      s.n_fft > 0 ? s.n_fft : static_cast<int>(std::bit_ceil(static_cast<unsigned>(plan.window_length)));
  if (plan.window_length > plan.n_fft) {
    throw ConfigError(cat("features: n_fft ", plan.n_fft, " does not hold the window, which has ",
                          plan.window_length, " samples at ", sample_rate_hz, " Hz"));
  }
  if (plan.n_fft % 2 != 0) throw ConfigError(cat("features: n_fft must be even, not ", plan.n_fft));
  const bool at_start = s.window_place == WindowPlace::kStart;
  plan.window_offset = at_start ? 0 : (plan.n_fft - plan.window_length) / 2;
  plan.needed = at_start ? plan.window_length : plan.n_fft;
  if (s.padding == Padding::kMirror) {
    plan.lead = plan.hop / 2 - plan.window_length / 2;
  } else {
    plan.lead = plan.window_offset - (centred(s.padding) ? plan.n_fft / 2 : 0);
  }
  plan.sample_scale = static_cast<float>(s.sample_scale);
  plan.remove_dc = s.remove_dc;
  plan.preemphasis = static_cast<float>(s.frame_preemphasis);
  plan.window = rounded(make_window(s.window, plan.window_length, s.window_periodic));
  return plan;
}

FramePlan FramePlan::every_sample() {
  FramePlan plan;
  plan.padding = Padding::kNone;
  plan.needed = 1;
  plan.window = {1.0f};
  return plan;
}

std::int64_t FramePlan::frames(std::int64_t samples) const {
  if (samples <= 0) return 0;
  if (padding == Padding::kNone) return samples < needed ? 0 : 1 + (samples - needed) / hop;
  if (padding == Padding::kMirror) return (samples + hop / 2) / hop;
  return 1 + samples / hop;
}

bool FramePlan::counts_like(const FramePlan& other) const {
  if (hop != other.hop) return false;
  if (centred(padding) && centred(other.padding)) return true;
  return padding == other.padding && (padding == Padding::kMirror || needed == other.needed);
}

LogRule LogRule::make(const LogSettings& s) {
  LogRule rule;
  rule.kind = s.log;
  if (s.log == LogScale::kNone) return rule;
  rule.floor = static_cast<float>(s.floor);
  if (s.log == LogScale::kNatural) return rule;
  rule.scale = static_cast<float>(10 / std::numbers::ln10);
  rule.has_top_db = s.top_db.has_value();
  if (rule.has_top_db) rule.top_db = static_cast<float>(*s.top_db);
  rule.from_peak = s.db_reference == DbReference::kPeak;
  return rule;
}

BankPlan BankPlan::make(const MelSettings& mel, const LogSettings& log, const FramePlan& frames,
                        int sample_rate_hz) {
  const double nyquist_hz = sample_rate_hz / 2.0;
  const double f_max_hz = mel.f_max_hz.value_or(nyquist_hz);
  if (f_max_hz > nyquist_hz || mel.f_min_hz >= f_max_hz) {
    throw ConfigError(cat("features: mel filters from ", mel.f_min_hz, " to ", f_max_hz,
                          " Hz do not fit a sample rate of ", sample_rate_hz, " Hz, which has 0 to ",
                          nyquist_hz));
  }
  const MelFilters filters = make_mel_filters(mel.n_mels, frames.n_fft, sample_rate_hz, mel.f_min_hz,
                                              f_max_hz, mel.mel_scale, mel.mel_norm, mel.mel_sides);
  if (const std::vector<int> empty = filters.empty_filters(); !empty.empty()) {
    log_warning(cat("features: ", empty.size(), " of ", mel.n_mels,
                    " mel filters lie between two bins of the ", frames.n_fft,
                    "-point transform and stay empty (", first_numbers(empty, 10),
                    ", counted from 0); use fewer n_mels or a larger n_fft"));
  }
  BankPlan plan;
  plan.power = mel.power;
  plan.n_mels = mel.n_mels;
  plan.log = LogRule::make(log);
  plan.first_bin = filters.first_bin;
  plan.offset = filters.offset;
  plan.weights = rounded(filters.weights);
  return plan;
}

}  // namespace serval::features::detail
