// Who trains, who validates and who is tested. No actor is ever on two sides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/core/text.h"
#include "serval/corpus/manifest.h"
#include "serval/folds/protocol.h"

namespace serval::folds {

enum class Scheme {
  kActors,  // consecutive groups of actors, in natural order (2 before 10), as equal in number as can be
  kBalancedActors,     // groups of actors with about equally many recordings of each class
  kLeaveOneActorOut,   // each actor is tested alone
  kLeaveOneGroupOut,   // each of the groups that recordings name (a session, a room)
  kLeaveOneCorpusOut,  // each corpus
  kCrossCorpus,        // trained on one corpus, tested on another: each pair is a fold
  kList,               // a CSV file says who is on which side
  kStratifiedRandom,   // recordings, whoever speaks: each class spread evenly. Leaks.
  kUnshuffledTail,     // the last recordings are tested, whoever speaks. Leaks.
};

// Who is on the sides of one fold, by the actors' names in the manifest.
struct TestGroup {
  std::vector<std::string> test = {};
  std::vector<std::string> validation = {};  // empty: chosen as for other schemes
  std::vector<std::string> train = {};       // empty: all others
};
void describe(SettingsVisitor& v, TestGroup& group);

struct FoldSettings {
  Scheme scheme = Scheme::kActors;
  // A published list, see preset_names(), or "". A preset names actors by number; it holds for its corpus, or for the
  // manifest's only corpus where that one has the same numbers.
  std::string preset = "";
  int count = 5;              // folds, for groups of actors and random splits
  int validation_actors = 2;  // taken out of each fold's training actors
  // Explicit folds; override scheme and preset when not empty. Actors in no group train in every fold.
  std::vector<TestGroup> groups = {};
  // 2 or more: sentences are dealt into as many groups, and each fold of actors becomes as many folds, which test one
  // group's sentences and train and validate on the others'.
  int sentence_groups = 0;
  // For every fold, its training and validation actors are divided into so many inner folds, which choose the
  // epoch and fit fusions; then training takes all of them. 0: the validation actors choose.
  int inner_folds = 0;
  std::vector<std::string> train_corpora = {}, test_corpora = {};  // cross_corpus; empty: all
  std::string list = "";                                           // list: the CSV file
  // Of random splits: validation recordings are a share of the training side's. More than 0 for other schemes: taken at
  // random from training recordings in the place of validation actors, which leaks.
  double validation_share = 0;
  double test_share = 0.2;      // unshuffled_tail
  std::int64_t split_seed = 1;  // stratified_random, validation_share; the same for all seeds of training
};
void describe(SettingsVisitor& v, FoldSettings& settings);

// What the two say together; reported at the field "folds" of the object that holds both.
void check_protocol(SettingsVisitor& v, const FoldSettings& folds, const ProtocolSettings& protocol);

// Whether the scheme deals out recordings, whoever speaks them.
bool deals_recordings(const FoldSettings& settings);
// False where settings alone tell that nobody validates; of lists and presets that is known once folds are made.
bool may_validate(const FoldSettings& settings, const ProtocolSettings& protocol);
// What to set so that somebody does: "set folds.validation_actors, ...".
std::string how_to_validate(const FoldSettings& settings);

std::vector<std::string> preset_names();

struct Fold {
  int index = 0;                                                          // from 0; shown to people from 1
  std::vector<std::string> train_actors, validation_actors, test_actors;  // in natural order
  std::vector<std::int64_t> train, validation, test;  // recording numbers in the manifest, ascending
  std::string name = {};  // what is tested, where that is more than a number: "tess -> savee"
  int inner = 0;          // from 1: of the fold `index`; it tests nobody, and `test_actors` are kept from it
  bool actors_apart = true;  // no actor is on two sides; false only under a protocol that says so
  std::vector<std::string> test_sentences = {};  // where sentences are kept apart too
};

// "fold 3", "fold 3, inner fold 2": from the numbers above, as people read them.
std::string fold_name(int index, int inner);

// Every actor of the manifest is on at most one side of every fold, and but for cross_corpus in at most one fold's test
// side. Inner folds follow all others, fold by fold. Throws ConfigError naming all offenders: fewer actors than folds,
// actors tested twice or unknown, a preset's actors that the corpus lacks or has besides, too many validation actors, a
// class of the manifest absent from a fold's training side, a scheme that leaks without the protocol's leave.
// Validation actors of fold k come from the test groups of the folds after it (k + 1, k + 2, ...) in turn, so
// that all actors serve about equally often; genders alternate where both are present, female first in even
// folds. Nothing random but what says so: every seed of a fold has the same sides.
std::vector<Fold> make_folds(const FoldSettings& settings, const corpus::Manifest& manifest,
                             const ProtocolSettings& protocol = {});

// The guard itself, callable on folds from anywhere. Folds with actors_apart = false are left out. Looks at the actors'
// lists and at the recordings' own
// actors. Throws AuditError naming the actors on two sides.
void check_disjoint(const std::vector<Fold>& folds, const corpus::Manifest& manifest);

using serval::natural_less;

// Per-dimension mean and 1/standard deviation over all frames of the given recordings.
// A normalised value is (value - mean) * scale.
struct Normaliser {
  std::vector<float> mean;   // [dimension]
  std::vector<float> scale;  // 1 / deviation, which divides by n; 1 for what is constant
  std::vector<std::string> fitted_on_actors;
  // Dimensions whose deviation is at most kDeviationFloor. Divided by next to nothing, another recording's rounding would drown
  // all other dimensions.
  std::vector<std::size_t> constant = {};
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
// Over all recordings: for the protocol kNormaliserOnAll alone.
Normaliser fit_normaliser_on_all(const RaggedFeatures& features, const corpus::Manifest& manifest);
// Takes each actor's own mean and deviation out of that actor's frames: for the protocol kSpeakerStatistics alone.
// `values` are those of `features`.
void normalise_by_speaker(const RaggedFeatures& features, const corpus::Manifest& manifest,
                          std::vector<float>& values);

}  // namespace serval::folds
