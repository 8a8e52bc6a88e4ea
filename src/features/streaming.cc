#include "serval/features/streaming.h"

#include <algorithm>
#include <cmath>

#include "serval/core/error.h"
#include "serval/features/detail/plan.h"

namespace serval::features {

namespace {

using detail::DeltaPlan;
using detail::ExtractionPlan;
using detail::FramePlan;

void refuse_whole_clip(const ExtractionPlan& plan) {
  std::vector<std::string> reasons;
  for (const detail::BankPlan& bank : plan.banks) {
    if (bank.log.has_top_db) reasons.emplace_back("top_db is measured from the clip's peak; set it to null");
    if (bank.log.from_peak) reasons.emplace_back("db_reference \"peak\" is the clip's peak; take \"one\"");
  }
  for (const detail::PartPlan& part : plan.parts) {
    if (part.whole_clip() || part.builds_on >= 0) {
      reasons.push_back(cat("\"", part.names.empty() ? std::string("a hidden part") : part.names.front(),
                            "\" depends on all frames of the clip"));
    }
  }
  if (plan.has_statistics) reasons.emplace_back("statistics are taken over all frames of the clip");
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  if (!reasons.empty()) throw ConfigError("features: these cannot be streamed: " + join(reasons, "; "));
}

// How many frames on each side a frame's deltas look at.
std::int64_t context_of(const ExtractionPlan& plan) {
  std::int64_t context = 0;
  for (const DeltaPlan& deltas : plan.sheets.front().deltas) {
    const int steps = deltas.method == DeltaMethod::kSavgol ? 1 : deltas.orders;
    context = std::max<std::int64_t>(context, deltas.orders == 0 ? 0 : steps * (deltas.width / 2));
  }
  return context;
}

}  // namespace

// Frames are made by extracting a piece of the sound that starts at a frame and reaches to the newest sample, and
// keeping the rows that its ends cannot touch: a frame's bits do not depend on what lies beside it.
struct StreamingExtractor::State {
  State(const FeatureSettings& settings, int rate_hz, const Context& context)
      : plan(settings, rate_hz), extractor(settings, rate_hz, context), context_frames(context_of(plan)) {
    refuse_whole_clip(plan);
    std::int64_t margin = 0;  // frames whose windows begin before the piece does
    for (const FramePlan& frames : plan.framings) {
      hop = frames.hop;
      margin =
          std::max<std::int64_t>(margin, frames.lead < 0 ? (-frames.lead + frames.hop - 1) / frames.hop : 0);
      reach = std::max<std::int64_t>(reach, frames.lead + frames.window_length);
    }
    before = margin + 2 * context_frames + 1;
  }

  // Frames whose windows have arrived as a whole.
  std::int64_t arrived() const { return total < reach ? 0 : (total - reach) / hop + 1; }
  // The first frames of a clip take their deltas from the first whole neighbourhood.
  std::int64_t complete() const {
    const std::int64_t frames = arrived() - context_frames;
    return frames <= context_frames ? 0 : frames;
  }

  FeatureMatrix rows_until(std::int64_t end) {
    FeatureMatrix out{0, plan.dimension, {}};
    if (end <= emitted) return out;
    const std::int64_t first = std::max<std::int64_t>(0, emitted - before);
    drop_before(first * hop);
    const audio::Waveform piece{samples, plan.sample_rate_hz};
    const FeatureMatrix all = extractor.run({&piece, 1}).front();
    SERVAL_CHECK(all.frames >= end - first, all.frames, " frames of ", end - first);
    out.frames = end - emitted;
    out.values.assign(all.values.begin() + (emitted - first) * plan.dimension,
                      all.values.begin() + (end - first) * plan.dimension);
    emitted = end;
    return out;
  }

  void drop_before(std::int64_t sample) {
    if (sample <= first_sample) return;
    samples.erase(samples.begin(), samples.begin() + (sample - first_sample));
    first_sample = sample;
  }

  ExtractionPlan plan;
  Extractor extractor;
  std::int64_t context_frames;
  std::int64_t hop = 1;
  std::int64_t reach = 0;   // samples that the first frame needs
  std::int64_t before = 0;  // frames in front of the next one that a piece starts with

  std::vector<float> samples;     // from first_sample on
  std::int64_t first_sample = 0;  // a multiple of the hop
  std::int64_t total = 0;         // samples so far
  std::int64_t emitted = 0;       // frames so far
};

StreamingExtractor::StreamingExtractor(const FeatureSettings& settings, int sample_rate_hz,
                                       const Context& context)
    : state_(std::make_unique<State>(settings, sample_rate_hz, context)) {}
StreamingExtractor::~StreamingExtractor() = default;
StreamingExtractor::StreamingExtractor(StreamingExtractor&&) noexcept = default;
StreamingExtractor& StreamingExtractor::operator=(StreamingExtractor&&) noexcept = default;

FeatureMatrix StreamingExtractor::push(std::span<const float> samples) {
  State& s = *state_;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!std::isfinite(samples[i])) {
      throw DataError(cat("features: sample ", s.total + static_cast<std::int64_t>(i), " of the stream is ",
                          samples[i], ", not a finite number"));
    }
  }
  s.samples.insert(s.samples.end(), samples.begin(), samples.end());
  s.total += static_cast<std::int64_t>(samples.size());
  return s.rows_until(s.complete());
}

FeatureMatrix StreamingExtractor::finish() {
  State& s = *state_;
  const std::int64_t frames = s.plan.frames(s.total);
  const std::int64_t total = s.total;
  FeatureMatrix out = s.rows_until(frames);
  s.samples.clear();
  s.first_sample = s.total = s.emitted = 0;
  if (frames == 0) {
    throw DataError(cat("features: the stream ended after ", total, " samples; its shortest frame needs ",
                        s.plan.min_samples()));
  }
  return out;
}

std::int64_t StreamingExtractor::dimension() const { return state_->plan.dimension; }
std::vector<std::string> StreamingExtractor::names() const { return state_->plan.column_names; }
std::int64_t StreamingExtractor::delay_samples() const {
  std::int64_t half = 0;
  for (const FramePlan& frames : state_->plan.framings)
    half = std::max<std::int64_t>(half, (frames.window_length + 1) / 2);
  return half + state_->context_frames * state_->hop;
}

}  // namespace serval::features
