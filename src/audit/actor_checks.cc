#include <set>

#include "check_parts.h"
#include "side_checks.h"

namespace serval::audit {

namespace {

using corpus::Manifest;
using folds::Fold;
using folds::Leak;
using Numbers = std::vector<std::int64_t>;

using ByText = std::map<std::string, Numbers>;

ByText grouped(const Manifest& manifest, const Numbers& recordings, std::string corpus::Recording::*field) {
  ByText out;
  for (const std::int64_t r : recordings) out[recording(manifest, r).*field].push_back(r);
  return out;
}
ByText by_actor(const Manifest& manifest, const Numbers& recordings) {
  return grouped(manifest, recordings, &corpus::Recording::actor);
}

bool test_validates(const Fold& fold, const folds::ProtocolSettings& protocol) {
  return protocol.has(Leak::kTestSelection) && fold.validation == fold.test;
}

// Actors of both sides, with recordings of each.
void find_shared(Evidence& evidence, const Manifest& manifest, const Fold& fold, const char* first,
                 const Numbers& first_side, const char* second, const Numbers& second_side) {
  const ByText there = by_actor(manifest, second_side);
  for (const auto& [actor, recordings] : by_actor(manifest, first_side)) {
    const auto found = there.find(actor);
    if (found == there.end()) continue;
    evidence.add(cat(name_of(fold), ": ", actor, " is in ", first, " and ", second, ": ",
                     few_ids(manifest, recordings), " in ", first, "; ", few_ids(manifest, found->second),
                     " in ", second));
  }
}

}  // namespace

Check check_actors(const Manifest& manifest, const Folds& folds, const folds::ProtocolSettings& protocol) {
  Evidence evidence;
  for (const Fold& fold : folds) {
    find_shared(evidence, manifest, fold, "test", fold.test, "train", fold.train);
    // The same recordings, on purpose; what that does is said where the epoch is chosen.
    if (!test_validates(fold, protocol))
      find_shared(evidence, manifest, fold, "test", fold.test, "validation", fold.validation);
    // An inner fold tests nobody, and still must not hear whom its fold tests.
    const std::set<std::string> kept_away(fold.test_actors.begin(), fold.test_actors.end());
    if (fold.inner == 0) continue;
    for (const auto& [side, recordings] :
         {std::pair("train", &fold.train), std::pair("validation", &fold.validation)}) {
      for (const auto& [actor, own] : by_actor(manifest, *recordings)) {
        if (kept_away.count(actor) > 0)
          evidence.add(cat(name_of(fold), ": ", actor, " is in test and ", side, ": ", few_ids(manifest, own),
                           " in ", side));
      }
    }
  }
  return evidence.check("actors_on_one_side",
                        cat(folds.size(), " folds, ", manifest.actors().size(), " actors"),
                        protocol.has(Leak::kSharedActors));
}

Check check_validation_actors(const Manifest& manifest, const Folds& folds,
                              const folds::ProtocolSettings& protocol) {
  Evidence evidence;
  bool validated = false;
  for (const Fold& fold : folds) {
    validated = validated || !fold.validation.empty();
    find_shared(evidence, manifest, fold, "validation", fold.validation, "train", fold.train);
  }
  return evidence.check("validation_actors_do_not_train",
                        validated ? "no actor validates and trains in one fold" : "nobody validates",
                        protocol.has(Leak::kSharedActors) || protocol.has(Leak::kSharedValidationActors));
}

Check check_recordings(const Manifest& manifest, const Folds& folds,
                       const folds::ProtocolSettings& protocol) {
  Evidence evidence;
  for (const Fold& fold : folds) {
    std::map<std::string, std::pair<const char*, std::int64_t>> side_of;  // path -> side, recording
    std::vector<std::pair<const char*, const Numbers*>> sides = {{"train", &fold.train}};
    if (!test_validates(fold, protocol)) sides.emplace_back("validation", &fold.validation);
    sides.emplace_back("test", &fold.test);
    for (const auto& [side, recordings] : sides) {
      for (const std::int64_t r : *recordings) {
        const auto& own = recording(manifest, r);
        const auto [other, fresh] = side_of.emplace(own.path.empty() ? own.id : own.path, std::pair(side, r));
        if (fresh || other->second.first == side) continue;
        const auto& first = recording(manifest, other->second.second);
        evidence.add(first.id == own.id
                         ? cat(name_of(fold), ": ", own.id, " is in ", other->second.first, " and ", side)
                         : cat(name_of(fold), ": ", first.id, " (", other->second.first, ") and ", own.id,
                               " (", side, ") are one file, ", own.path));
      }
    }
  }
  return evidence.check("recordings_on_one_side",
                        cat(manifest.recordings.size(), " recordings, each on one side of a fold at most"),
                        protocol.has(Leak::kSharedAudio));
}

Check check_tested_once(const Manifest& manifest, const Folds& folds) {
  Evidence evidence;
  // Cross-corpus folds test a corpus once for each other one, so there it is a fold that tests nothing twice.
  bool crossed = false;
  for (const Fold& fold : folds) crossed = crossed || fold.name.find(" -> ") != std::string::npos;
  std::vector<int> times(manifest.recordings.size(), 0);
  std::vector<int> last(manifest.recordings.size(), -1);
  for (const Fold& fold : folds) {
    for (const std::int64_t r : fold.test) {
      const auto i = static_cast<std::size_t>(r);
      times[i] += crossed && last[i] >= 0 && last[i] != fold.index ? 0 : 1;
      last[i] = fold.index;
    }
  }
  std::int64_t tested = 0;
  for (std::size_t r = 0; r < times.size(); ++r) {
    tested += times[r] > 0 ? 1 : 0;
    if (times[r] > 1) evidence.add(cat(manifest.recordings[r].id, " is tested ", times[r], " times"));
  }
  return evidence.check("tested_at_most_once",
                        cat(tested, " of ", times.size(), " recordings are tested, each once",
                            crossed ? " a training corpus" : ""),
                        false);
}

Check check_sentences(const Manifest& manifest, const Folds& folds) {
  Evidence evidence;
  bool apart = false;
  std::set<std::string> tested, shared;
  for (const Fold& fold : folds) {
    const auto said_in = [&](const Numbers& side) {
      return grouped(manifest, side, &corpus::Recording::sentence);
    };
    const ByText trained = said_in(fold.train);
    for (const auto& [sentence, recordings] : said_in(fold.test)) {
      if (sentence.empty()) continue;
      tested.insert(sentence);
      if (trained.count(sentence) > 0) shared.insert(sentence);
    }
    if (fold.test_sentences.empty()) continue;
    apart = true;
    const ByText validated = said_in(fold.validation);
    for (const std::string& sentence : fold.test_sentences) {
      for (const auto& [side, said] : {std::pair("train", &trained), std::pair("validation", &validated)}) {
        const auto found = said->find(sentence);
        if (found != said->end())
          evidence.add(cat(name_of(fold), ": sentence ", sentence, " is tested and in ", side, ": ",
                           few_ids(manifest, found->second)));
      }
    }
  }
  // Where nobody asked for it, what is shared is told and fails nothing.
  const std::string otherwise =
      tested.empty() ? "no sentence is known"
      : apart        ? cat(tested.size(), " sentences, each tested by folds that do not train on it")
                     : cat(shared.size(), " of ", tested.size(),
                           " sentences or words of the test sides are also trained on, by other actors; "
                                  "folds.sentence_groups keeps them apart");
  return evidence.check("sentences", otherwise, false);
}

}  // namespace serval::audit
