#include <algorithm>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

namespace serval::folds {

void describe(SettingsVisitor& v, TestGroup& group) {
  v.texts("test", group.test, {"actors that this fold tests, as in \"ravdess/01\"", "", Need::kRequired});
  v.texts("validation", group.validation, {"actors that validate; empty: chosen as for other folds"});
  v.texts("train", group.train,
          {"actors that train, and validate where those are chosen; empty: all others"});
}

void describe(SettingsVisitor& v, FoldSettings& settings) {
  v.choice("scheme", settings.scheme,
           {{"actors", Scheme::kActors},
            {"balanced_actors", Scheme::kBalancedActors},
            {"leave_one_actor_out", Scheme::kLeaveOneActorOut},
            {"leave_one_group_out", Scheme::kLeaveOneGroupOut},
            {"leave_one_corpus_out", Scheme::kLeaveOneCorpusOut},
            {"cross_corpus", Scheme::kCrossCorpus},
            {"list", Scheme::kList},
            {"stratified_random", Scheme::kStratifiedRandom},
            {"unshuffled_tail", Scheme::kUnshuffledTail}},
           {"how actors are divided into folds; the last two divide recordings, whoever speaks, and leak"});
  v.text("preset", settings.preset,
         {"a published list of test actors; empty for consecutive groups of actors"});
  v.integer("count", settings.count, {.min = 2, .max = 10000},
            {"folds, for groups of actors and for random splits"});
  v.integer("validation_actors", settings.validation_actors, {.min = 0, .max = 10000},
            {"actors taken out of each fold's training side for validation"});
  v.list("groups", settings.groups, {"explicit folds; they override scheme and preset"});
  v.integer("sentence_groups", settings.sentence_groups, {.min = 0, .max = 10000},
            {"2 or more: sentences are dealt into so many groups, and those that a fold tests do not train"});
  v.integer(
      "inner_folds", settings.inner_folds, {.min = 0, .max = 1000},
      {"2 or more: each fold's training actors in so many inner folds choose the epoch and fit the fusion; "
       "then all of them train"});
  v.texts("train_corpora", settings.train_corpora, {"of cross_corpus; empty for all"});
  v.texts("test_corpora", settings.test_corpora, {"of cross_corpus; empty for all"});
  v.path("list", settings.list,
         {"of scheme list: a CSV file with the columns fold, side and recording or actor"});
  v.real("validation_share", settings.validation_share, {.min = 0, .max = 0.9},
         {"of the training recordings, drawn at random in the place of validation actors; leaks"});
  v.real("test_share", settings.test_share, {.min = 0, .max = 1, .above_min = true},
         {"of the recordings, for unshuffled_tail"});
  v.integer("split_seed", settings.split_seed, {.min = 0}, {"of what is drawn at random"});

  const std::vector<std::string> names = preset_names();
  const bool known =
      settings.preset.empty() || std::find(names.begin(), names.end(), settings.preset) != names.end();
  const std::string near = nearest_word(settings.preset, names);
  v.check(known, "preset",
          cat("unknown preset \"", settings.preset, "\"; ",
              near.empty() ? "there are " + join(names, ", ") : cat("did you mean \"", near, "\"?")));
  v.check(settings.preset.empty() || settings.scheme == Scheme::kActors, "preset",
          "a preset lists its own folds; scheme must be \"actors\"");
  const bool listed = settings.scheme == Scheme::kList;
  v.check(listed == !settings.list.empty(), "list",
          listed ? "scheme \"list\" needs the file" : "only scheme \"list\" reads a file");
  v.check(settings.scheme == Scheme::kCrossCorpus ||
              (settings.train_corpora.empty() && settings.test_corpora.empty()),
          settings.train_corpora.empty() ? "test_corpora" : "train_corpora",
          "only scheme \"cross_corpus\" pairs corpora");
  v.check(settings.sentence_groups != 1, "sentence_groups", "must be 0, or 2 or more");
  v.check(settings.inner_folds != 1, "inner_folds", "must be 0, or 2 or more");
}

bool deals_recordings(const FoldSettings& settings) {
  return settings.groups.empty() &&
         (settings.scheme == Scheme::kStratifiedRandom || settings.scheme == Scheme::kUnshuffledTail);
}

bool may_validate(const FoldSettings& settings, const ProtocolSettings& protocol) {
  if (settings.inner_folds > 0 || settings.validation_share > 0 || protocol.has(Leak::kTestSelection))
    return true;
  if (!settings.groups.empty()) {
    return settings.validation_actors > 0 ||
           std::any_of(settings.groups.begin(), settings.groups.end(),
                       [](const auto& group) { return !group.validation.empty(); });
  }
  if (!settings.preset.empty() || settings.scheme == Scheme::kList) return true;
  return !deals_recordings(settings) && settings.validation_actors > 0;
}

std::string how_to_validate(const FoldSettings& settings) {
  if (deals_recordings(settings)) return "set folds.validation_share";
  const bool named = settings.groups.empty() && settings.scheme == Scheme::kList;
  return cat(named ? "name validation in the list, or " : "", "set ",
             named ? "" : "folds.validation_actors, ", "folds.validation_share",
             named ? "" : " or folds.inner_folds");
}

void check_protocol(SettingsVisitor& v, const FoldSettings& folds, const ProtocolSettings& protocol) {
  const bool of_recordings = deals_recordings(folds);
  v.check(!of_recordings || protocol.has(Leak::kSharedActors), "folds",
          cat("scheme: recordings of one actor are on both sides; where that is meant, name \"",
              to_string(Leak::kSharedActors), "\" in protocol.leaks, which stamps all results"));
  v.check(folds.validation_share == 0 || protocol.has(Leak::kSharedActors) ||
              protocol.has(Leak::kSharedValidationActors),
          "folds",
          cat("validation_share: recordings of one actor train and validate; where that is meant, name \"",
              to_string(Leak::kSharedValidationActors), "\" in protocol.leaks, which stamps all results"));
  const bool apart = folds.inner_folds == 0 ||
                     (!of_recordings && folds.validation_share == 0 && !protocol.has(Leak::kTestSelection));
  v.check(apart, "folds",
          "inner_folds: inner folds are of actors; they go neither with schemes of recordings, nor with "
          "validation_share, nor with the leak test_selection");
  v.check(folds.inner_folds == 0 || folds.scheme != Scheme::kList || !folds.groups.empty(), "folds",
          "inner_folds: a list names its own validation side");
}

}  // namespace serval::folds
