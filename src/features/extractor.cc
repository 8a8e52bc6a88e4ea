#include "serval/features/extractor.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "serval/features/detail/extractor_body.h"
#include "serval/features/detail/plan.h"

namespace serval::features {

namespace {

// Looks at the bits first: adding one to the exponent carries into the sign bit if it had only ones, as those of
// infinities and NaNs.
bool is_finite(const std::vector<float>& samples) {
  constexpr std::uint32_t kMagnitude = 0x7FFFFFFF, kOneExponent = 0x00800000;
  std::uint32_t carried = 0;
  for (const float sample : samples)
    carried |= (std::bit_cast<std::uint32_t>(sample) & kMagnitude) + kOneExponent;
  return (carried & ~kMagnitude) == 0;
}

void check_finite(std::size_t clip, const std::vector<float>& samples) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!std::isfinite(samples[i])) {
      throw DataError(
          cat("features: clip ", clip, ": sample ", i, " is ", samples[i], ", not a finite number"));
    }
  }
}

}  // namespace

Extractor::Extractor(const FeatureSettings& settings, int sample_rate_hz, const Context& context,
                     FeatureEngine engine)
    : device_(context.device()), plan_(std::make_unique<detail::ExtractionPlan>(settings, sample_rate_hz)) {
  body_ = op_registry().find<detail::MakeExtractor>(context.device().kind)(context, *plan_, engine);
}

Extractor::~Extractor() = default;
Extractor::Extractor(Extractor&&) noexcept = default;
Extractor& Extractor::operator=(Extractor&&) noexcept = default;

std::int64_t Extractor::dimension() const { return plan_->dimension; }
std::vector<std::string> Extractor::names() const { return plan_->column_names; }
std::int64_t Extractor::frames(std::int64_t samples) const { return plan_->frames(samples); }
std::int64_t Extractor::min_samples() const { return plan_->min_samples(); }
bool Extractor::one_row() const { return plan_->has_statistics; }
std::int64_t Extractor::hop_samples() const {
  return plan_->has_statistics ? 0
                               : plan_->framings[static_cast<std::size_t>(plan_->sheets.front().framing)].hop;
}
FeatureEngine Extractor::engine() const { return body_->engine(); }

std::int64_t Extractor::checked_frames(std::size_t clip, std::int64_t samples) const {
  const std::int64_t frames = plan_->frames(samples);
  if (frames == 0) {
    throw DataError(cat("features: clip ", clip, " has ", samples, " samples; its shortest frame needs ",
                        plan_->min_samples()));
  }
  return frames;
}

std::vector<FeatureMatrix> Extractor::run(std::span<const audio::Waveform> clips) {
  std::vector<FeatureMatrix> out(clips.size());
  run(clips, out);
  return out;
}

void Extractor::run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) {
  SERVAL_CHECK(out.size() == clips.size(), out.size(), " matrices for ", clips.size(), " clips");
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const audio::Waveform& clip = clips[i];
    if (clip.sample_rate_hz != plan_->sample_rate_hz) {
      throw DataError(cat("features: clip ", i, " is sampled at ", clip.sample_rate_hz, " Hz; expected ",
                          plan_->sample_rate_hz, " Hz"));
    }
    if (clip.samples.empty()) throw DataError(cat("features: clip ", i, " has no samples"));
    const std::int64_t samples = static_cast<std::int64_t>(clip.samples.size());
    out[i].frames = checked_frames(i, samples);
    out[i].dimension = plan_->dimension;
  }
  std::vector<char> finite(clips.size());
  body_->run(clips, out, [&](std::size_t i) {
    finite[i] = is_finite(clips[i].samples);
    if (finite[i] != 0) out[i].values.resize(static_cast<std::size_t>(out[i].frames * out[i].dimension));
    return finite[i] != 0;
  });
  for (std::size_t i = 0; i < clips.size(); ++i) {
    if (finite[i] == 0) check_finite(i, clips[i].samples);
  }
}

void Extractor::run_resident(const DeviceBatch& batch, ResidentFeatures& to) {
  if (batch.sample_rate_hz() != plan_->sample_rate_hz) {
    throw DataError(cat("features: the batch is sampled at ", batch.sample_rate_hz(), " Hz; expected ",
                        plan_->sample_rate_hz, " Hz"));
  }
  if (batch.clips() > 0 && !(batch.device() == device_)) {
    throw DataError(
        cat("features: the batch lies on ", to_string(batch.device()), "; expected ", to_string(device_)));
  }
  to.first_row.assign(1, 0);
  for (std::size_t i = 0; i < batch.samples().size(); ++i)
    to.first_row.push_back(to.first_row.back() + checked_frames(i, batch.samples()[i]));
  const Shape shape{to.first_row.back(), plan_->dimension};
  if (!(to.values.shape() == shape) || !(to.values.device() == device_)) {
    to.values = Tensor();  // goes first, so that both need not fit
    to.values = Tensor(device_, shape);
  }
  if (batch.clips() > 0) body_->run_resident(batch, to.first_row, to.values.data());
}

ResidentFeatures Extractor::run_resident(const DeviceBatch& batch) {
  ResidentFeatures out;
  run_resident(batch, out);
  return out;
}

}  // namespace serval::features
