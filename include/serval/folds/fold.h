// Who trains, who validates and who is tested. No actor is ever on two sides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/core/text.h"
#include "serval/corpus/manifest.h"

namespace serval::folds {

enum class Scheme { kActors, kLeaveOneActorOut };

// The actors that one fold tests, named as in the manifest.
struct TestGroup {
  std::vector<std::string> test;
};
void describe(SettingsVisitor& v, TestGroup& group);

struct FoldSettings {
  Scheme scheme = Scheme::kActors;
  // A published list, see preset_names(), or "" for consecutive groups of actors in natural order (2 before
  // 10), as equal as they can be. A preset names RAVDESS's actors by number; it holds for the corpus
  // "ravdess", or for the manifest's only corpus where that one has the same numbers.
  std::string preset = "";
  int count = 5;              // folds, for consecutive groups
  int validation_actors = 2;  // taken out of each fold's training actors
  // Explicit folds; override scheme and preset when not empty. Actors in no group train in every fold.
  std::vector<TestGroup> groups = {};
};
void describe(SettingsVisitor& v, FoldSettings& settings);

std::vector<std::string> preset_names();

struct Fold {
  int index = 0;                                                          // from 0; shown to people from 1
  std::vector<std::string> train_actors, validation_actors, test_actors;  // in natural order
  std::vector<std::int64_t> train, validation, test;  // recording numbers in the manifest, ascending
};

// Every actor of the manifest is on exactly one side of every fold, and in at most one fold's test side.
// Throws ConfigError naming all offenders: fewer actors than folds, actors tested twice or unknown, a
// preset's actors that the corpus lacks or has besides, too many validation actors, a class of the manifest
// absent from a fold's training side.
// Validation actors of fold k come from the test groups of the folds after it (k + 1, k + 2, ...) in turn, so
// that all actors serve about equally often; genders alternate where both are present, female first in even
// folds. Nothing random: every seed of a fold has the same sides.
std::vector<Fold> make_folds(const FoldSettings& settings, const corpus::Manifest& manifest);

// The guard itself, callable on folds from anywhere. Looks at the actors' lists and at the recordings' own
// actors. Throws AuditError naming the actors on two sides.
void check_disjoint(const std::vector<Fold>& folds, const corpus::Manifest& manifest);

using serval::natural_less;

// Per-dimension mean and 1/standard deviation over all frames of the given recordings.
// A normalised value is (value - mean) * scale.
struct Normaliser {
  std::vector<float> mean;   // [dimension]
  std::vector<float> scale;  // 1 / max(deviation, kDeviationFloor); the deviation divides by n
  std::vector<std::string> fitted_on_actors;
};
inline constexpr double kDeviationFloor = 1e-5;

// One ragged feature set: recording r has frames [offsets[r], offsets[r + 1]) of `values`.
struct RaggedFeatures {
  const float* values = nullptr;      // [total frames, dimension]
  std::vector<std::int64_t> offsets;  // [recordings + 1]
  std::int64_t dimension = 0;
};
// Over fold.train, two-pass in double precision, in the manifest's order. Refuses (AuditError) a recording of
// a validation or test actor of `fold`; throws DataError for no frames and for a value that is not finite.
Normaliser fit_normaliser(const RaggedFeatures& features, const Fold& fold, const corpus::Manifest& manifest);

}  // namespace serval::folds
