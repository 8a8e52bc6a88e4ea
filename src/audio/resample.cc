#include "serval/audio/resample.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include <soxr.h>

#include "serval/core/error.h"

namespace serval::audio {

namespace {

std::vector<float> resample_soxr(const std::vector<float>& input, double from_hz, double to_hz,
                                 unsigned long recipe, std::size_t length) {
  const soxr_quality_spec_t quality = soxr_quality_spec(recipe, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  std::vector<float> output(length + 16, 0.0f);
  std::size_t done = 0;
  const soxr_error_t error = soxr_oneshot(from_hz, to_hz, 1, input.data(), input.size(), nullptr,
                                          output.data(), output.size(), &done, nullptr, &quality, &runtime);
  if (error != nullptr) throw InternalError(cat("resampling from ", from_hz, " to ", to_hz, " Hz: ", error));
  std::fill(output.begin() + static_cast<std::ptrdiff_t>(std::min(done, length)), output.end(), 0.0f);
  output.resize(length);
  return output;
}

// Modified Bessel function of the first kind, order 0, by its power series.
double bessel_i0(double x) {
  double term = 1;
  double sum = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

constexpr double kZeroCrossings = 16;
constexpr double kRolloff = 0.85;
constexpr double kBeta = 8.555504641634386;

// h(t) of the header.
double kaiser_kernel(double t, double scale) {
  const double u = scale * t / kZeroCrossings;
  if (std::abs(u) >= 1) return 0;
  const double x = std::numbers::pi * kRolloff * scale * t;
  const double sinc = std::abs(x) < 1e-12 ? 1 : std::sin(x) / x;
  return kRolloff * scale * sinc * bessel_i0(kBeta * std::sqrt(1 - u * u)) / bessel_i0(kBeta);
}

// Output k stands at input time k * from / to, whose fraction repeats every to / gcd outputs: one row of
// filter coefficients for each fraction that occurs.
class KaiserFilter {
 public:
  KaiserFilter(int from_hz, int to_hz, std::size_t outputs) {
    const int divisor = std::gcd(from_hz, to_hz);
    from_ = from_hz / divisor;
    to_ = to_hz / divisor;
    const double scale = std::min(1.0, static_cast<double>(to_) / static_cast<double>(from_));
    reach_ = static_cast<std::int64_t>(std::ceil(kZeroCrossings / scale));
    const auto rows =
        static_cast<std::int64_t>(std::min<std::size_t>(outputs, static_cast<std::size_t>(to_)));
    rows_.resize(static_cast<std::size_t>(rows * taps()));
    for (std::int64_t row = 0; row < rows; ++row) {
      const double fraction = static_cast<double>(row * from_ % to_) / static_cast<double>(to_);
      for (std::int64_t tap = 0; tap < taps(); ++tap) {
        rows_[static_cast<std::size_t>(row * taps() + tap)] =
            kaiser_kernel(fraction - static_cast<double>(tap - reach_), scale);
      }
    }
  }

  float at(const std::vector<float>& input, std::int64_t output) const {
    const double* row = &rows_[static_cast<std::size_t>(output % to_ * taps())];
    const std::int64_t first = output * from_ / to_ - reach_;  // input sample of tap 0
    const std::int64_t begin = std::max<std::int64_t>(0, -first);
    const std::int64_t end = std::min(taps(), static_cast<std::int64_t>(input.size()) - first);
    double sum = 0;
    for (std::int64_t tap = begin; tap < end; ++tap)
      sum += row[tap] * input[static_cast<std::size_t>(first + tap)];
    return static_cast<float>(sum);
  }

 private:
  std::int64_t taps() const { return 2 * reach_ + 2; }

  std::int64_t from_ = 1;
  std::int64_t to_ = 1;
  std::int64_t reach_ = 0;    // input samples on each side
  std::vector<double> rows_;  // [fraction, tap]
};

std::vector<float> resample_kaiser(const std::vector<float>& input, int from_hz, int to_hz,
                                   std::size_t length) {
  const KaiserFilter filter(from_hz, to_hz, length);
  std::vector<float> output(length);
  for (std::size_t k = 0; k < length; ++k) output[k] = filter.at(input, static_cast<std::int64_t>(k));
  return output;
}

}  // namespace

Waveform resample(const Waveform& input, int rate_hz, Resampler resampler) {
  SERVAL_CHECK(input.sample_rate_hz > 0 && rate_hz > 0, "rates ", input.sample_rate_hz, " and ", rate_hz);
  if (input.sample_rate_hz == rate_hz || input.samples.empty()) return {input.samples, rate_hz};
  const auto from = static_cast<std::uint64_t>(input.sample_rate_hz);
  const auto to = static_cast<std::uint64_t>(rate_hz);
  const std::size_t length = (input.samples.size() * to + from - 1) / from;
  switch (resampler) {
    case Resampler::kSoxrHq:
      return {resample_soxr(input.samples, input.sample_rate_hz, rate_hz, SOXR_HQ, length), rate_hz};
    case Resampler::kSoxrVhq:
      return {resample_soxr(input.samples, input.sample_rate_hz, rate_hz, SOXR_VHQ, length), rate_hz};
    case Resampler::kKaiserFast:
      return {resample_kaiser(input.samples, input.sample_rate_hz, rate_hz, length), rate_hz};
  }
  throw InternalError("unknown resampler");
}

std::vector<float> resample_between(const std::vector<float>& input, double from_hz, double to_hz) {
  SERVAL_CHECK(from_hz > 0 && to_hz > 0, "rates ", from_hz, " and ", to_hz);
  if (from_hz == to_hz || input.empty()) return input;
  const double length = std::ceil(static_cast<double>(input.size()) * (to_hz / from_hz));
  return resample_soxr(input, from_hz, to_hz, SOXR_HQ, static_cast<std::size_t>(length));
}

}  // namespace serval::audio
