// What a scheme says of a fold before its sides are filled: the actors, by their names in the manifest.
#pragma once

#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

namespace serval::folds {

using Actors = std::vector<std::string>;

struct FoldDraft {
  Actors test = {};
  Actors validation = {};  // empty: chosen by the settings
  Actors train = {};       // empty: all others; with it, those in no list are left out of the fold
  std::string name = {};
};

[[noreturn]] inline void fail_folds(const std::vector<std::string>& problems) {
  throw ConfigError("folds: " + join(problems, "\nfolds: "));
}

bool contains(const Actors& actors, const std::string& actor);
void sort_actors(Actors& actors);
// Of these recordings, sorted.
Actors actors_of(const corpus::Manifest& manifest, const std::vector<std::int64_t>& recordings);

// Schemes of actors. Throws ConfigError.
std::vector<FoldDraft> actor_drafts(const FoldSettings& settings, const corpus::Manifest& manifest,
                                    const Actors& actors);
// As actor_drafts for a preset: its actors by their names in this manifest.
std::vector<FoldDraft> preset_drafts(const std::string& preset, const corpus::Manifest& manifest);

// `count` groups of these actors in which each class has about as many recordings, and each gender as many actors.
// Deterministic: the largest actors first, each where it helps most, then exchanges as long as they help.
std::vector<Actors> balanced_groups(const corpus::Manifest& manifest, const Actors& actors,
                                    std::size_t count);
// In natural order; the first actors.size() % count groups have one actor more.
std::vector<Actors> consecutive_groups(const Actors& actors, std::size_t count);

// The validation actors of draft k among all of a scheme's; `actors` are the manifest's. Where they would leave nobody to
// train on, `problems` says so.
Actors choose_validation(const std::vector<FoldDraft>& drafts, std::size_t k, int count, const Actors& actors,
                         const corpus::Manifest& manifest, std::vector<std::string>& problems);

// Schemes of recordings, whoever speaks them. Throws ConfigError, DataError for a list that cannot be read.
std::vector<Fold> stratified_random(const FoldSettings& settings, const corpus::Manifest& manifest);
std::vector<Fold> unshuffled_tail(const FoldSettings& settings, const corpus::Manifest& manifest);
std::vector<Fold> listed_folds(const std::string& path, const corpus::Manifest& manifest);

// Moves a share of each class's training recordings, drawn by the seed, to the validation side.
void take_validation_share(Fold& fold, const FoldSettings& settings, const corpus::Manifest& manifest);
// Each fold as `groups` folds, one for each group of sentences that it tests.
std::vector<Fold> with_sentences_apart(const std::vector<Fold>& folds, int groups,
                                       const corpus::Manifest& manifest);
// The inner folds of a fold: its training and validation actors in `count` groups, of which each validates once.
std::vector<Fold> inner_folds(const Fold& fold, const FoldSettings& settings,
                              const corpus::Manifest& manifest);

}  // namespace serval::folds
