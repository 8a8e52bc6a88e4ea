#include "serval/audit/audit.h"

#include <algorithm>
#include <map>
#include <set>

#include "serval/core/error.h"

namespace serval::audit {

namespace {

Check check_actors(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds) {
  Check check{"actors_on_one_side", true, {}};
  for (const folds::Fold& fold : folds) {
    std::map<std::string, std::set<std::string>> sides;
    const auto add = [&](const std::vector<std::int64_t>& recordings, const char* side) {
      for (const std::int64_t r : recordings)
        sides[manifest.recordings[static_cast<std::size_t>(r)].actor].insert(side);
    };
    add(fold.train, "train");
    add(fold.validation, "validation");
    add(fold.test, "test");
    for (const auto& [actor, names] : sides) {
      if (names.size() > 1) {
        check.evidence.push_back(cat("fold ", fold.index + 1, ": ", actor, " is in ",
                                     join({names.begin(), names.end()}, " and ")));
      }
    }
  }
  check.passed = check.evidence.empty();
  if (check.passed)
    check.evidence.push_back(cat(folds.size(), " folds, ", manifest.actors().size(), " actors"));
  return check;
}

Check check_tested_once(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds) {
  Check check{"tested_at_most_once", true, {}};
  std::vector<int> times(manifest.recordings.size(), 0);
  for (const folds::Fold& fold : folds) {
    for (const std::int64_t r : fold.test) ++times[static_cast<std::size_t>(r)];
  }
  std::int64_t tested = 0;
  for (std::size_t r = 0; r < times.size(); ++r) {
    tested += times[r] > 0 ? 1 : 0;
    if (times[r] > 1)
      check.evidence.push_back(cat(manifest.recordings[r].id, " is tested ", times[r], " times"));
  }
  check.passed = check.evidence.empty();
  if (check.passed)
    check.evidence.push_back(cat(tested, " of ", times.size(), " recordings are tested, each once"));
  return check;
}

Check check_identical_audio(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                            const std::vector<std::string>& hashes) {
  Check check{"no_identical_audio_across_sides", true, {}};
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t r = 0; r < hashes.size(); ++r) groups[hashes[r]].push_back(r);
  std::vector<const char*> side(manifest.recordings.size());
  std::int64_t identical = 0;
  for (const folds::Fold& fold : folds) {
    std::fill(side.begin(), side.end(), "none");
    for (const std::int64_t r : fold.train) side[static_cast<std::size_t>(r)] = "train";
    for (const std::int64_t r : fold.validation) side[static_cast<std::size_t>(r)] = "validation";
    for (const std::int64_t r : fold.test) side[static_cast<std::size_t>(r)] = "test";
    for (const auto& [hash, members] : groups) {
      for (std::size_t i = 1; i < members.size(); ++i) {
        const std::size_t a = members[0], b = members[i];
        identical += fold.index == 0 ? 1 : 0;
        if (std::string(side[a]) == side[b]) continue;
        check.evidence.push_back(cat("fold ", fold.index + 1, ": ", manifest.recordings[a].id, " (", side[a],
                                     ") and ", manifest.recordings[b].id, " (", side[b],
                                     ") are the same audio"));
      }
    }
  }
  check.passed = check.evidence.empty();
  if (check.passed) {
    check.evidence.push_back(cat(hashes.size(), " recordings compared; ", identical,
                                 " repeat another, on the same side of every fold"));
  }
  return check;
}

Check check_statistics(const std::vector<folds::Fold>& folds, const std::vector<Statistic>& statistics) {
  Check check{"nothing_fitted_on_test_actors", true, {}};
  for (const Statistic& statistic : statistics) {
    for (const folds::Fold& fold : folds) {
      if (fold.index != statistic.fold) continue;
      for (const std::string& actor : statistic.fitted_on_actors) {
        if (std::find(fold.test_actors.begin(), fold.test_actors.end(), actor) == fold.test_actors.end())
          continue;
        check.evidence.push_back(
            cat(statistic.name, ": fitted on ", actor, ", a test actor of fold ", fold.index + 1));
      }
    }
  }
  check.passed = check.evidence.empty();
  if (check.passed) check.evidence.push_back(cat(statistics.size(), " fitted statistics"));
  return check;
}

// By the recording's own side, and again by its actor.
Check check_copies(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                   const std::vector<TrainingSources>& copied) {
  Check check{"copies_of_training_recordings_only", true, {}};
  std::size_t sources = 0;
  for (const TrainingSources& copies : copied) {
    for (const folds::Fold& fold : folds) {
      if (fold.index != copies.fold) continue;
      const std::set<std::int64_t> train(fold.train.begin(), fold.train.end());
      std::set<std::string> others(fold.test_actors.begin(), fold.test_actors.end());
      others.insert(fold.validation_actors.begin(), fold.validation_actors.end());
      sources += copies.recordings.size();
      for (const std::int64_t r : copies.recordings) {
        const corpus::Recording& recording = manifest.recordings[static_cast<std::size_t>(r)];
        if (train.count(r) > 0 && others.count(recording.actor) == 0) continue;
        check.evidence.push_back(cat("fold ", fold.index + 1, ": copies are made from ", recording.id, " of ",
                                     recording.actor, ", which is not on its training side"));
      }
    }
  }
  check.passed = check.evidence.empty();
  if (check.passed) {
    check.evidence.push_back(
        cat(sources, " recordings in ", copied.size(), " folds, all on the training side"));
  }
  return check;
}

}  // namespace

bool Audit::passed() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.passed; });
}

Audit audit_plan(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                 const std::vector<std::string>& waveform_hashes, const std::vector<Statistic>& statistics,
                 const std::vector<TrainingSources>& copied) {
  SERVAL_CHECK(waveform_hashes.size() == manifest.recordings.size(), waveform_hashes.size(), " hashes");
  Audit audit{{check_actors(manifest, folds), check_tested_once(manifest, folds),
               check_identical_audio(manifest, folds, waveform_hashes), check_statistics(folds, statistics)},
              statistics};
  if (!copied.empty()) audit.checks.push_back(check_copies(manifest, folds, copied));
  return audit;
}

JsonValue to_json(const Audit& audit) {
  JsonValue out = JsonValue::object();
  out.set("verdict", JsonValue::of(audit.passed() ? "passed" : "failed"));
  JsonValue checks = JsonValue::list();
  for (const Check& check : audit.checks) {
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(check.name));
    item.set("verdict", JsonValue::of(check.passed ? "passed" : "failed"));
    item.set("evidence", JsonValue::of(check.evidence));
    checks.items.push_back(std::move(item));
  }
  out.set("checks", std::move(checks));
  JsonValue statistics = JsonValue::list();
  for (const Statistic& statistic : audit.statistics) {
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(statistic.name));
    item.set("fold", JsonValue::of(statistic.fold + 1));
    item.set("fitted_on_actors", JsonValue::of(statistic.fitted_on_actors));
    statistics.items.push_back(std::move(item));
  }
  out.set("statistics", std::move(statistics));
  return out;
}

void require_passed(const Audit& audit, const std::string& where) {
  if (audit.passed()) return;
  std::string message = cat(where, ": the leak audit failed");
  for (const Check& check : audit.checks) {
    if (check.passed) continue;
    for (const std::string& line : check.evidence) message += cat("\n  ", check.name, ": ", line);
  }
  throw AuditError(message);
}

}  // namespace serval::audit
