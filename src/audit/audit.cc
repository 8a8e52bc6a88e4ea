#include "serval/audit/audit.h"

#include <algorithm>

#include "serval/core/error.h"

#include "lineage_checks.h"
#include "side_checks.h"

namespace serval::audit {

bool Audit::passed() const {
  return std::all_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.passed || check.allowed; });
}

bool Audit::leaks() const {
  return std::any_of(checks.begin(), checks.end(),
                     [](const Check& check) { return !check.passed && check.allowed; });
}

Audit audit_plan(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                 const PlanFacts& facts, const folds::ProtocolSettings& protocol) {
  SERVAL_CHECK(facts.waveform_hashes.size() == manifest.recordings.size(), facts.waveform_hashes.size(),
               " hashes of ", manifest.recordings.size(), " recordings");
  Audit audit{{check_actors(manifest, folds, protocol), check_validation_actors(manifest, folds, protocol),
               check_recordings(manifest, folds, protocol), check_tested_once(manifest, folds),
               check_sentences(manifest, folds), check_derived(manifest, folds, protocol),
               check_identical_audio(manifest, folds, facts.waveform_hashes, protocol),
               check_near_duplicates(manifest, folds, facts.near_duplicates, protocol)},
              {}};
  if (!facts.copied.empty()) audit.checks.push_back(check_copies(manifest, folds, facts.copied, protocol));
  return audit;
}

void audit_lineage(Audit& audit, const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                   const std::vector<Statistic>& statistics, const std::vector<ModelLineage>& models,
                   const folds::ProtocolSettings& protocol) {
  audit.statistics.insert(audit.statistics.end(), statistics.begin(), statistics.end());
  audit.checks.push_back(check_statistics(folds, statistics, protocol));
  audit.checks.push_back(check_trained_on(manifest, folds, models, protocol));
  audit.checks.push_back(check_chosen_by(manifest, folds, models, protocol));
  audit.checks.push_back(check_test_scored_once(manifest, folds, models));
  audit.checks.push_back(check_initial_weights(folds, models, protocol));
}

JsonValue to_json(const Audit& audit) {
  JsonValue out = JsonValue::object();
  out.set("verdict", JsonValue::of(audit.verdict()));
  JsonValue checks = JsonValue::list();
  for (const Check& check : audit.checks) {
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(check.name));
    item.set("verdict", JsonValue::of(check.verdict()));
    item.set("evidence", JsonValue::of(check.evidence));
    checks.items.push_back(std::move(item));
  }
  out.set("checks", std::move(checks));
  JsonValue statistics = JsonValue::list();
  for (const Statistic& statistic : audit.statistics) {
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(statistic.name));
    item.set("fold", JsonValue::of(statistic.fold + 1));
    if (statistic.inner > 0) item.set("inner", JsonValue::of(statistic.inner));
    item.set("fitted_on_actors", JsonValue::of(statistic.fitted_on_actors));
    statistics.items.push_back(std::move(item));
  }
  out.set("statistics", std::move(statistics));
  return out;
}

namespace {

const JsonValue& member(const JsonValue& object, const char* key) {
  return need_member(object, key, "; this is no leak audit");
}

std::vector<std::string> texts_of(const JsonValue& json) {
  std::vector<std::string> out;
  for (const JsonValue& item : json.items) out.push_back(item.text);
  return out;
}

}  // namespace

Audit audit_of(const JsonValue& json) {
  Audit out;
  for (const JsonValue& item : member(json, "checks").items) {
    const std::string verdict = member(item, "verdict").text;
    if (verdict != "passed" && verdict != "leaks" && verdict != "failed")
      throw DataError(
          cat(to_string(item.place), ": the verdict is \"", verdict, "\"; must be passed, leaks or failed"));
    out.checks.push_back({member(item, "name").text, verdict == "passed", texts_of(member(item, "evidence")),
                          verdict == "leaks"});
  }
  for (const JsonValue& item : member(json, "statistics").items) {
    const JsonValue* inner = item.find("inner");
    out.statistics.push_back({.name = member(item, "name").text,
                              .fold = static_cast<int>(member(item, "fold").integer) - 1,
                              .fitted_on_actors = texts_of(member(item, "fitted_on_actors")),
                              .inner = inner == nullptr ? 0 : static_cast<int>(inner->integer)});
  }
  if (member(json, "verdict").text != out.verdict())
    throw DataError(cat(to_string(json.place), ": the verdict \"", member(json, "verdict").text,
                        "\" is not that of the checks, \"", out.verdict(), "\""));
  return out;
}

std::string audit_text(const Audit& audit) {
  std::string out = cat("leak audit: ", audit.verdict(), "\n");
  for (const Check& check : audit.checks) {
    const std::string verdict = check.verdict();
    out +=
        cat("  ", verdict, std::string(8 - std::min<std::size_t>(7, verdict.size()), ' '), check.name, "\n");
    for (const std::string& line : check.evidence) out += cat("            ", line, "\n");
  }
  return out;
}

void require_passed(const Audit& audit, const std::string& where) {
  if (audit.passed()) return;
  std::string message = cat(where, ": the leak audit failed");
  for (const Check& check : audit.checks) {
    if (check.passed || check.allowed) continue;
    for (const std::string& line : check.evidence) message += cat("\n  ", check.name, ": ", line);
  }
  throw AuditError(message);
}

}  // namespace serval::audit
