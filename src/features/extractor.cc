#include "serval/features/extractor.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "serval/features/detail/extractor_body.h"
#include "serval/features/detail/plan.h"

namespace serval::features {

namespace {

// Looks at the bits first: the largest magnitude of all is that of an infinity or a NaN, if there is one.
void check_finite(std::size_t clip, const std::vector<float>& samples) {
  constexpr std::int32_t kInfinity = 0x7F800000;
  std::int32_t largest = 0;
  for (const float sample : samples)
    largest = std::max(largest, std::bit_cast<std::int32_t>(sample) & 0x7FFFFFFF);
  if (largest < kInfinity) return;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!std::isfinite(samples[i])) {
      throw DataError(
          cat("features: clip ", clip, ": sample ", i, " is ", samples[i], ", not a finite number"));
    }
  }
}

}  // namespace

Extractor::Extractor(const FeatureSettings& settings, int sample_rate_hz, const Context& context)
    : plan_(std::make_unique<detail::ExtractionPlan>(settings, sample_rate_hz)) {
  body_ = op_registry().find<detail::MakeExtractor>(context.device().kind)(context, *plan_);
}

Extractor::~Extractor() = default;
Extractor::Extractor(Extractor&&) noexcept = default;
Extractor& Extractor::operator=(Extractor&&) noexcept = default;

std::int64_t Extractor::dimension() const { return plan_->dimension; }
std::vector<std::string> Extractor::names() const { return plan_->column_names; }
std::int64_t Extractor::frames(std::int64_t samples) const { return plan_->frames(samples); }
std::int64_t Extractor::min_samples() const { return plan_->min_samples(); }
bool Extractor::one_row() const { return plan_->has_statistics; }

std::vector<FeatureMatrix> Extractor::run(std::span<const audio::Waveform> clips) {
  std::vector<FeatureMatrix> out(clips.size());
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const audio::Waveform& clip = clips[i];
    if (clip.sample_rate_hz != plan_->sample_rate_hz) {
      throw DataError(cat("features: clip ", i, " is sampled at ", clip.sample_rate_hz, " Hz; expected ",
                          plan_->sample_rate_hz, " Hz"));
    }
    if (clip.samples.empty()) throw DataError(cat("features: clip ", i, " has no samples"));
    const std::int64_t samples = static_cast<std::int64_t>(clip.samples.size());
    const std::int64_t frames = plan_->frames(samples);
    if (frames == 0) {
      throw DataError(cat("features: clip ", i, " has ", samples, " samples; its shortest frame needs ",
                          plan_->min_samples()));
    }
    check_finite(i, clip.samples);
    out[i] = {frames, plan_->dimension,
              std::vector<float>(static_cast<std::size_t>(frames * plan_->dimension))};
  }
  body_->run(clips, out);
  return out;
}

}  // namespace serval::features
