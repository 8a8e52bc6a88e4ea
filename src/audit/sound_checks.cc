#include <cstdio>
#include <set>

#include "check_parts.h"
#include "side_checks.h"

namespace serval::audit {

namespace {

using corpus::Manifest;
using folds::Fold;
using folds::Leak;

// [recording]: "train", "validation", "test" or "none". With test_selection a recording that is both counts as test.
std::vector<const char*> sides_of(const Manifest& manifest, const Fold& fold) {
  std::vector<const char*> side(manifest.recordings.size(), "none");
  for (const std::int64_t r : fold.train) side[static_cast<std::size_t>(r)] = "train";
  for (const std::int64_t r : fold.validation) side[static_cast<std::size_t>(r)] = "validation";
  for (const std::int64_t r : fold.test) side[static_cast<std::size_t>(r)] = "test";
  return side;
}

bool crosses(const char* a, const char* b) {
  const std::string first = a, second = b;
  return first != second && first != "none" && second != "none";
}

std::string with_side(const Manifest& manifest, std::size_t r, const std::vector<const char*>& side) {
  return cat(manifest.recordings[r].id, " (", side[r], ")");
}

}  // namespace

Check check_derived(const Manifest& manifest, const Folds& folds, const folds::ProtocolSettings& protocol) {
  std::map<std::string, std::size_t> number;
  std::size_t derived = 0;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) number.emplace(manifest.recordings[r].id, r);
  // By the original at the end of each chain; one that is no longer in the manifest still ties its copies together.
  std::map<std::string, std::vector<std::size_t>> families;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    std::string source = manifest.recordings[r].id;
    for (std::size_t steps = 0; steps <= manifest.recordings.size(); ++steps) {
      const auto at = number.find(source);
      if (at == number.end() || manifest.recordings[at->second].derived_from.empty()) break;
      source = manifest.recordings[at->second].derived_from;
    }
    derived += manifest.recordings[r].derived_from.empty() ? 0 : 1;
    families[source].push_back(r);
  }
  Evidence evidence;
  for (const Fold& fold : folds) {
    const std::vector<const char*> side = sides_of(manifest, fold);
    for (const auto& [source, members] : families) {
      for (std::size_t i = 1; i < members.size(); ++i) {
        if (!crosses(side[members[0]], side[members[i]])) continue;
        evidence.add(cat(name_of(fold), ": ", with_side(manifest, members[0], side), " and ",
                         with_side(manifest, members[i], side), " were both made from ", source));
      }
    }
  }
  return evidence.check("copies_with_their_originals",
                        derived == 0
                            ? "no recording is said to be a copy of another"
                            : cat(derived, " recordings are copies, on the sides of their originals"),
                        protocol.has(Leak::kCopiesBeforeSplit) || protocol.has(Leak::kSharedAudio));
}

Check check_identical_audio(const Manifest& manifest, const Folds& folds,
                            const std::vector<std::string>& hashes, const folds::ProtocolSettings& protocol) {
  Evidence evidence;
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t r = 0; r < hashes.size(); ++r) groups[hashes[r]].push_back(r);
  std::erase_if(groups, [](const auto& group) { return group.second.size() < 2; });
  std::size_t identical = 0;
  for (const auto& [hash, members] : groups) identical += members.size() - 1;
  for (const Fold& fold : folds) {
    const std::vector<const char*> side = sides_of(manifest, fold);
    for (const auto& [hash, members] : groups) {
      for (std::size_t i = 0; i < members.size(); ++i) {
        for (std::size_t j = i + 1; j < members.size(); ++j) {
          if (!crosses(side[members[i]], side[members[j]])) continue;
          evidence.add(cat(name_of(fold), ": ", with_side(manifest, members[i], side), " and ",
                           with_side(manifest, members[j], side), " are the same audio"));
        }
      }
    }
  }
  return evidence.check("no_identical_audio_across_sides",
                        cat(hashes.size(), " recordings compared; ", identical,
                            " repeat another, on the same side of every fold"),
                        protocol.has(Leak::kSharedAudio));
}

Check check_near_duplicates(const Manifest& manifest, const Folds& folds,
                            const std::vector<NearDuplicate>& pairs,
                            const folds::ProtocolSettings& protocol) {
  Evidence evidence;
  for (const Fold& fold : folds) {
    const std::vector<const char*> side = sides_of(manifest, fold);
    for (const NearDuplicate& pair : pairs) {
      const auto a = static_cast<std::size_t>(pair.first), b = static_cast<std::size_t>(pair.second);
      if (!crosses(side[a], side[b])) continue;
      char alike[32];
      std::snprintf(alike, sizeof alike, "%.2f", pair.correlation);
      evidence.add(cat(name_of(fold), ": ", with_side(manifest, a, side), " and ",
                       with_side(manifest, b, side), " are nearly the same sound (correlation ", alike, ")"));
    }
  }
  return evidence.check("no_near_identical_audio_across_sides",
                        cat(manifest.recordings.size(), " recordings compared by their sound; ", pairs.size(),
                            " pairs are nearly the same, on the same side of every fold"),
                        protocol.has(Leak::kSharedAudio));
}

// By the recording's own side, and again by its actor.
Check check_copies(const Manifest& manifest, const Folds& folds, const std::vector<TrainingSources>& copied,
                   const folds::ProtocolSettings& protocol) {
  Evidence evidence;
  std::size_t sources = 0;
  for (const TrainingSources& copies : copied) {
    const Fold* fold = find_fold(folds, copies.fold, copies.inner);
    if (fold == nullptr) {
      evidence.add(cat(folds::fold_name(copies.fold, copies.inner), " has copies, but is no fold"));
      continue;
    }
    const std::set<std::int64_t> train(fold->train.begin(), fold->train.end());
    std::set<std::string> others;
    if (fold->actors_apart) {
      others.insert(fold->test_actors.begin(), fold->test_actors.end());
      others.insert(fold->validation_actors.begin(), fold->validation_actors.end());
    }
    sources += copies.recordings.size();
    for (const std::int64_t r : copies.recordings) {
      const corpus::Recording& own = recording(manifest, r);
      if (train.count(r) > 0 && others.count(own.actor) == 0) continue;
      evidence.add(cat(name_of(*fold), ": copies are made from ", own.id, " of ", own.actor,
                       ", which is not on its training side"));
    }
  }
  return evidence.check("copies_of_training_recordings_only",
                        cat(sources, " recordings in ", copied.size(), " folds, all on the training side"),
                        protocol.has(Leak::kCopiesBeforeSplit));
}

}  // namespace serval::audit
