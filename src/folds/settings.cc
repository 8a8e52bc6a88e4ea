#include <algorithm>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

namespace serval::folds {

void describe(SettingsVisitor& v, TestGroup& group) {
  v.texts("test", group.test, {"actors that this fold tests, as in \"ravdess/01\"", "", Need::kRequired});
}

void describe(SettingsVisitor& v, FoldSettings& settings) {
  v.choice("scheme", settings.scheme,
           {{"actors", Scheme::kActors}, {"leave_one_actor_out", Scheme::kLeaveOneActorOut}},
           {"how actors are divided into folds"});
  v.text("preset", settings.preset,
         {"a published list of test actors; empty for consecutive groups of actors"});
  v.integer("count", settings.count, {.min = 2, .max = 10000}, {"folds, for consecutive groups of actors"});
  v.integer("validation_actors", settings.validation_actors, {.min = 0, .max = 10000},
            {"actors taken out of each fold's training side for validation"});
  v.list("groups", settings.groups, {"explicit folds; they override scheme and preset"});

  const std::vector<std::string> names = preset_names();
  const bool known =
      settings.preset.empty() || std::find(names.begin(), names.end(), settings.preset) != names.end();
  const std::string near = nearest_word(settings.preset, names);
  v.check(known, "preset",
          cat("unknown preset \"", settings.preset, "\"; ",
              near.empty() ? "there are " + join(names, ", ") : cat("did you mean \"", near, "\"?")));
  v.check(settings.preset.empty() || settings.scheme == Scheme::kActors, "preset",
          "a preset lists its own folds; it cannot go with leave_one_actor_out");
}

}  // namespace serval::folds
