// The leak audit: proof, from the plan and from what was fitted, that no test actor helped to train.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/json.h"
#include "serval/corpus/manifest.h"
#include "serval/folds/fold.h"

namespace serval::audit {

struct Check {
  std::string name;
  bool passed = true;
  std::vector<std::string> evidence;  // offenders when it failed, what was looked at when it passed
};

// Something fitted to data, and the actors whose recordings it has seen.
struct Statistic {
  std::string name;  // "normaliser logmel fold 3", "early stopping fold 3"
  int fold = 0;      // from 0
  std::vector<std::string> fitted_on_actors;
};

// Recordings that something was made from which trains: augmented copies.
struct TrainingSources {
  int fold = 0;  // from 0
  std::vector<std::int64_t> recordings;
};

struct Audit {
  std::vector<Check> checks;
  std::vector<Statistic> statistics;
  bool passed() const;
};

// waveform_hashes: of each recording's decoded audio, in manifest order; equal hashes are the same sound.
// Checks: actors on one side only, every recording tested at most once, no identical audio on two sides of a
// fold, no statistic fitted on a test actor of its fold, and, where there are `copied`, that every recording that
// copies are made from is on its fold's training side and none of its test or validation actors speaks in it.
Audit audit_plan(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                 const std::vector<std::string>& waveform_hashes, const std::vector<Statistic>& statistics,
                 const std::vector<TrainingSources>& copied = {});

JsonValue to_json(const Audit& audit);
// Throws AuditError listing the evidence of every failed check.
void require_passed(const Audit& audit, const std::string& where);

}  // namespace serval::audit
