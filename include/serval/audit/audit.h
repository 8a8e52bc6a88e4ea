// The leak audit: proof, from the plan and from what was done, that no test actor helped to train.
//
// The first pass looks at the plan before anything is fitted: who is on which side, what was copied from what, and what
// sounds the same. The second looks at what was fitted, and at the recordings that training itself says it has
// heard. A crossing fails, unless the experiment's protocol names it: then it is a known leak, and stamps all results.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/audit/near_duplicates.h"
#include "serval/core/json.h"
#include "serval/corpus/manifest.h"
#include "serval/folds/fold.h"

namespace serval::audit {

struct Check {
  std::string name;
  bool passed = true;
  std::vector<std::string> evidence;  // offenders when it failed, what was looked at when it passed
  bool allowed = false;               // it did not pass, and the protocol says so
  const char* verdict() const { return passed ? "passed" : allowed ? "leaks" : "failed"; }
};

// Something fitted to data, and the actors whose recordings it has seen.
enum class Role {
  kFit,     // may see the training side: normalisers, weights
  kChoice,  // may see the validation side and the training side: epochs, fusion weights
};
struct Statistic {
  std::string name;  // "normaliser logmel fold 3", "early stopping fold 3"
  int fold = 0;      // from 0
  std::vector<std::string> fitted_on_actors;
  Role role = Role::kFit;
  int inner = 0;  // of the inner fold, from 1
  // The leak that covers it when it crosses.
  folds::Leak leak = folds::Leak::kSharedActors;
};

// Recordings that something was made from which trains: augmented copies.
struct TrainingSources {
  int fold = 0;  // from 0
  std::vector<std::int64_t> recordings;
  int inner = 0;
};

// What one model's training says of itself.
struct ModelLineage {
  std::string name;  // "model lstm, fold 3, seed 1"
  int fold = 0, inner = 0;
  std::vector<std::int64_t> trained_on;  // recordings that changed its weights, their copies too
  std::vector<std::int64_t> chosen_by;   // that were scored while it trained
  std::vector<std::int64_t> tested_on;
  // Whom the weights had heard that it started from; `weights_file` is "" where they were drawn.
  std::string weights_file = {};
  bool weights_tell = true;  // false: the file does not say whom
  std::vector<std::string> weights_heard = {},
                           weights_chosen_by = {};  // actors that trained them, chose their epoch
};

struct Audit {
  std::vector<Check> checks;
  std::vector<Statistic> statistics;
  bool passed() const;  // nothing failed; known leaks may remain
  bool leaks() const;   // some check crossed as the protocol says
  const char* verdict() const { return !passed() ? "failed" : leaks() ? "leaks" : "passed"; }
};

struct PlanFacts {
  // Of each recording's decoded audio, in manifest order; equal hashes are the same sound.
  std::vector<std::string> waveform_hashes;
  std::vector<NearDuplicate> near_duplicates = {};
  std::vector<TrainingSources> copied = {};
};

// The first pass. Checks: actors on one side, recordings and files on one side, every recording tested at most once
// (but in cross-corpus folds, which test each corpus once for every other), sentences apart where they should be,
// copies with their originals, no identical and no nearly identical audio on two sides, and, where there are
// `copied`, that every recording that copies are made from is on its fold's training side and none of its test or
// validation actors speaks in it.
Audit audit_plan(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                 const PlanFacts& facts, const folds::ProtocolSettings& protocol = {});

// The second pass, added to the first: no statistic has seen an actor that it may not, no training has heard a recording
// that is not on its side, nothing but validation was scored on the way, the test side was scored once, and no weights
// came from a file that heard a test actor.
void audit_lineage(Audit& audit, const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                   const std::vector<Statistic>& statistics, const std::vector<ModelLineage>& models,
                   const folds::ProtocolSettings& protocol = {});

JsonValue to_json(const Audit& audit);
// What to_json made; roles and leaks of statistics are not in it. Throws DataError for anything else.
Audit audit_of(const JsonValue& json);
// For the terminal: the verdict, then each check with its evidence.
std::string audit_text(const Audit& audit);
// Throws AuditError listing the evidence of every failed check.
void require_passed(const Audit& audit, const std::string& where);

}  // namespace serval::audit
