#include "serval/deploy/predictor.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "serval/audio/decode.h"
#include "serval/audio/prepare.h"
#include "serval/audio/quantise.h"
#include "serval/core/error.h"
#include "serval/deploy/bundle.h"
#include "serval/evaluate/fusion.h"
#include "serval/evaluate/probability_scores.h"
#include "serval/learners/learner.h"

#include "session.h"

namespace serval::deploy {

namespace {

using evaluate::Probabilities;

// As train::recording_scores() makes them: the mean over items, in double, in their order.
std::vector<float> mean_of(const Probabilities& items) {
  std::vector<double> sums(items.front().size(), 0.0);
  for (const std::vector<float>& item : items) {
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += static_cast<double>(item[c]);
  }
  std::vector<float> out;
  for (const double sum : sums) out.push_back(static_cast<float>(sum / static_cast<double>(items.size())));
  return out;
}

// The mean of rows of one recording; one alone stays as it is, to the bit.
std::vector<float> averaged(const Probabilities& rows) {
  if (rows.size() == 1) return rows.front();
  std::vector<Probabilities> models;
  for (const std::vector<float>& row : rows) models.push_back({row});
  return evaluate::fuse_mean(models).front();
}

using Stacking = std::vector<std::unique_ptr<learners::Learner>>;  // [group]; empty for other rules

Stacking restore_stacking(const Bundle& bundle) {
  Stacking out;
  if (bundle.rule != BundleRule::kStacking) return out;
  const std::size_t classes = bundle.classes.size(), columns = classes * bundle.models.size();
  for (const BundleGroup& group : bundle.groups) {
    try {
      out.push_back(learners::restore(learners::stacking_settings(), group.stacking->state));
    } catch (const DataError& error) {
      throw DataError(cat(group.stacking->file, ": ", error.what()));
    }
    if (out.back()->columns() != static_cast<std::int64_t>(columns) ||
        out.back()->classes() != static_cast<std::int64_t>(classes))
      throw DataError(
          cat(group.stacking->file, ": is not of ", columns, " columns and ", classes, " classes"));
  }
  return out;
}

// `stacking`: the group's; null for other rules.
std::vector<float> fused(const Bundle& bundle, const BundleGroup& group, const learners::Learner* stacking,
                         const Probabilities& models) {
  std::vector<Probabilities> rows;
  for (const std::vector<float>& model : models) rows.push_back({model});
  switch (bundle.rule) {
    case BundleRule::kNone:
      return models.front();
    case BundleRule::kMean:
      return evaluate::fuse_mean(rows).front();
    case BundleRule::kWeighted:
      return evaluate::fuse_weighted(rows, group.weights).front();
    case BundleRule::kProduct:
      return evaluate::fuse_product(rows).front();
    case BundleRule::kLogitAverage:
      return evaluate::fuse_logit_average(rows).front();
    case BundleRule::kMaximum:
      return evaluate::fuse_maximum(rows).front();
    case BundleRule::kVote:
      return evaluate::fuse_vote(rows).front();
    case BundleRule::kStacking: {
      const std::vector<float> row = evaluate::stacking_rows(rows).front();
      return stacking->scores({row.data(), 1, static_cast<std::int64_t>(row.size())}).front();
    }
  }
  throw InternalError("an unknown rule of fusion");
}

std::vector<float> combined(const Bundle& bundle, const Stacking& stacking,
                            const std::vector<ModelScores>& scores) {
  Probabilities groups;
  for (std::size_t g = 0; g < bundle.groups.size(); ++g) {
    const BundleGroup& group = bundle.groups[g];
    Probabilities models;
    for (std::size_t m = 0; m < scores.size(); ++m) {
      Probabilities members;
      for (const std::int64_t member : group.members[m])
        members.push_back(mean_of(scores[m].members[static_cast<std::size_t>(member)]));
      models.push_back(averaged(members));
    }
    groups.push_back(fused(bundle, group, stacking.empty() ? nullptr : stacking[g].get(), models));
  }
  return averaged(groups);
}

std::vector<Stretch> timeline_of(const Bundle& bundle, const std::vector<ModelScores>& scores) {
  std::vector<Stretch> out;
  for (std::size_t m = 0; m < scores.size(); ++m) {
    const ModelScores& model = scores[m];
    if (model.hop_s == 0) continue;
    for (std::size_t k = 0; k < model.items.size(); ++k) {
      const features::Segment& item = model.items[k];
      Probabilities members;
      for (const Probabilities& member : model.members) {
        if (!member.empty()) members.push_back(member[k]);
      }
      out.push_back({bundle.models[m].first, static_cast<double>(item.first_frame) * model.hop_s,
                     static_cast<double>(item.first_frame + item.real_frames) * model.hop_s,
                     averaged(members)});
    }
  }
  return out;
}

}  // namespace

struct Predictor::Impl {
  Bundle bundle;
  Stacking stacking;
  Device device;
  PredictorOptions options;
  std::mutex mutex;
  std::vector<std::unique_ptr<Session>> idle;  // sessions that no call uses

  std::unique_ptr<Session> take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        std::unique_ptr<Session> out = std::move(idle.back());
        idle.pop_back();
        return out;
      }
    }
    return std::make_unique<Session>(bundle, device, options.batch);
  }

  void give_back(std::unique_ptr<Session> session) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(session));
  }

  // `name` is put before what is wrong with the recording.
  Prediction predict(const audio::Waveform& prepared, const std::string& name) {
    // What training heard went through 16 bits.
    const audio::Waveform heard{audio::samples(audio::quantise(prepared.samples, name)),
                                prepared.sample_rate_hz};
    std::unique_ptr<Session> session = take();
    std::vector<ModelScores> scores;
    try {
      scores = session->score(heard);
    } catch (const DataError& error) {
      give_back(std::move(session));
      throw DataError(cat(name, ": ", error.what()));
    }
    give_back(std::move(session));
    Prediction out;
    out.probabilities = combined(bundle, stacking, scores);
    out.best = static_cast<std::size_t>(evaluate::most_probable(out.probabilities));
    out.seconds = heard.seconds();
    if (options.timeline) out.timeline = timeline_of(bundle, scores);
    return out;
  }
};

Predictor::Predictor(const std::string& bundle, const PredictorOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->bundle = read_bundle(bundle);
  impl_->stacking = restore_stacking(impl_->bundle);
  impl_->device = choose_device(options.device);
  impl_->options = options;
  impl_->idle.push_back(impl_->take());
}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

const std::string& Predictor::name() const { return impl_->bundle.name; }
const std::vector<std::string>& Predictor::classes() const { return impl_->bundle.classes; }
const std::vector<std::string>& Predictor::stamps() const { return impl_->bundle.stamps; }
int Predictor::sample_rate_hz() const { return impl_->bundle.audio.sample_rate_hz; }

Prediction Predictor::predict_file(const std::string& path) const {
  return impl_->predict(audio::load(path, impl_->bundle.audio), path);
}

Prediction Predictor::predict(const float* samples, std::size_t count, int rate_hz) const {
  const std::string name = cat(count, " samples");
  const audio::AudioSettings& settings = impl_->bundle.audio;
  if (rate_hz < audio::kSlowestHz || rate_hz > audio::kFastestHz || count == 0)
    throw DataError(cat(name, " at ", rate_hz, " Hz are no sound"));
  const auto begin = std::min(count, static_cast<std::size_t>(std::floor(settings.offset_s * rate_hz)));
  std::size_t end = count;
  if (settings.duration_s)
    end = std::min(end, begin + static_cast<std::size_t>(std::floor(*settings.duration_s * rate_hz)));
  for (std::size_t i = begin; i < end; ++i) {
    if (!(std::abs(samples[i]) <= audio::kLoudest))
      throw DataError(cat(name, ": sample ", i, " is ", samples[i], "; full scale is 1"));
  }
  audio::Waveform prepared;
  try {
    prepared = audio::prepare({{samples + begin, samples + end}, rate_hz}, settings);
  } catch (const DataError& error) {
    throw DataError(cat(name, ": ", error.what()));
  }
  return impl_->predict(prepared, name);
}

}  // namespace serval::deploy
