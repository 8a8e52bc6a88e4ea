#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

#include "fold_draft.h"

namespace serval::folds {

namespace {

void refuse_held_out(const Fold& fold, const corpus::Manifest& manifest) {
  if (!fold.actors_apart) return;
  const std::set<std::string> allowed(fold.train_actors.begin(), fold.train_actors.end());
  std::set<std::string> held_out(fold.validation_actors.begin(), fold.validation_actors.end());
  held_out.insert(fold.test_actors.begin(), fold.test_actors.end());
  std::set<std::string> offenders;
  for (const std::int64_t r : fold.train) {
    const std::string& actor = manifest.recordings.at(static_cast<std::size_t>(r)).actor;
    if (held_out.count(actor) > 0 || allowed.count(actor) == 0) offenders.insert(actor);
  }
  if (offenders.empty()) return;
  throw AuditError(cat("fold ", fold.index + 1, ": statistics may not be fitted on the held-out actors ",
                       join({offenders.begin(), offenders.end()}, ", ")));
}

// Calls body(frame) for every training frame, always in the same order.
template <class Body>
void for_each_frame(const RaggedFeatures& features, const std::vector<std::int64_t>& recordings, Body body) {
  for (const std::int64_t r : recordings) {
    const std::int64_t begin = features.offsets[static_cast<std::size_t>(r)];
    const std::int64_t end = features.offsets[static_cast<std::size_t>(r) + 1];
    for (std::int64_t t = begin; t < end; ++t) body(features.values + t * features.dimension);
  }
}

[[noreturn]] void name_the_bad_recording(const RaggedFeatures& features,
                                         const std::vector<std::int64_t>& recordings,
                                         const std::string& whose, const corpus::Manifest& manifest) {
  for (const std::int64_t r : recordings) {
    const auto i = static_cast<std::size_t>(r);
    const float* begin = features.values + features.offsets[i] * features.dimension;
    const float* end = features.values + features.offsets[i + 1] * features.dimension;
    if (std::all_of(begin, end, [](float value) { return std::isfinite(value); })) continue;
    throw DataError(
        cat(manifest.recordings[i].id, ": a feature is not a finite number; no statistics can be fitted"));
  }
  throw DataError(cat(whose, ": the features are too large to sum"));
}

// `whose` names the recordings in messages.
Normaliser fit(const RaggedFeatures& features, const std::vector<std::int64_t>& recordings,
               const std::string& whose, const corpus::Manifest& manifest) {
  SERVAL_CHECK(features.dimension > 0, "dimension ", features.dimension);
  SERVAL_CHECK(features.offsets.size() == manifest.recordings.size() + 1, features.offsets.size(),
               " offsets for ", manifest.recordings.size(), " recordings");
  const auto dimension = static_cast<std::size_t>(features.dimension);
  std::vector<double> mean(dimension), squares(dimension);
  std::int64_t frames = 0;
  for_each_frame(features, recordings, [&](const float* frame) {
    for (std::size_t d = 0; d < dimension; ++d) mean[d] += static_cast<double>(frame[d]);
    ++frames;
  });
  if (frames == 0) throw DataError(cat(whose, ": the recordings have no frames"));
  for (double& value : mean) value /= static_cast<double>(frames);
  for_each_frame(features, recordings, [&](const float* frame) {
    for (std::size_t d = 0; d < dimension; ++d) {
      const double distance = static_cast<double>(frame[d]) - mean[d];
      squares[d] += distance * distance;
    }
  });

  Normaliser out;
  for (std::size_t d = 0; d < dimension; ++d) {
    const double deviation = std::sqrt(squares[d] / static_cast<double>(frames));
    if (!std::isfinite(mean[d]) || !std::isfinite(deviation))
      name_the_bad_recording(features, recordings, whose, manifest);
    out.mean.push_back(static_cast<float>(mean[d]));
    const bool varies = deviation > kDeviationFloor;
    out.scale.push_back(varies ? static_cast<float>(1 / deviation) : 1.0f);
    if (!varies) out.constant.push_back(d);
  }
  out.fitted_on_actors = actors_of(manifest, recordings);
  return out;
}

}  // namespace

Normaliser fit_normaliser(const RaggedFeatures& features, const Fold& fold,
                          const corpus::Manifest& manifest) {
  refuse_held_out(fold, manifest);
  return fit(features, fold.train, cat("the training side of fold ", fold.index + 1), manifest);
}

Normaliser fit_normaliser_on_all(const RaggedFeatures& features, const corpus::Manifest& manifest) {
  std::vector<std::int64_t> all(manifest.recordings.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return fit(features, all, "all recordings", manifest);
}

void normalise_by_speaker(const RaggedFeatures& features, const corpus::Manifest& manifest,
                          std::vector<float>& values) {
  std::map<std::string, std::vector<std::int64_t>> recordings_of;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r)
    recordings_of[manifest.recordings[r].actor].push_back(static_cast<std::int64_t>(r));
  for (const auto& [actor, recordings] : recordings_of) {
    const Normaliser own = fit(features, recordings, "actor " + actor, manifest);
    for (const std::int64_t r : recordings) {
      const auto i = static_cast<std::size_t>(r);
      for (std::int64_t t = features.offsets[i]; t < features.offsets[i + 1]; ++t) {
        float* frame = values.data() + t * features.dimension;
        for (std::size_t d = 0; d < own.mean.size(); ++d) frame[d] = (frame[d] - own.mean[d]) * own.scale[d];
      }
    }
  }
}

}  // namespace serval::folds
