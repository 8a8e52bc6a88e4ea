#include "directory.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <thread>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/hash.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/experiment/resolve.h"

#include "../json_fields.h"
#include "checked_line.h"
#include "trial_result.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

constexpr int kVersion = 1;

std::string plan_file(const std::string& folder) { return folder + "/plan.jsonl"; }

std::string batch_file(const std::string& folder, std::size_t number) {
  char name[64];
  std::snprintf(name, sizeof name, "/batch-%03zu.jsonl", number);
  return folder + name;
}

std::string plan_text(const SweepPlan& plan) {
  return checked_line(JsonValue::object()
                          .set("serval_sweep", JsonValue::of(kVersion))
                          .set("sweep", settings_to_json(plan.settings))
                          .set("experiment", plan.experiment));
}

std::string key_of(const std::string& text) { return Hasher().text(text).hex(); }

// A line for the batch, then one a trial, each with its checksum.
std::string batch_text(const std::string& key, const std::vector<Trial>& trials) {
  std::string out = checked_line(JsonValue::object()
                                     .set("plan", JsonValue::of(key))
                                     .set("trials", JsonValue::of(static_cast<std::int64_t>(trials.size()))));
  for (const Trial& trial : trials) {
    JsonValue point = JsonValue::object();
    for (const auto& [path, value] : trial.point) point.set(path, value);
    out += checked_line(JsonValue::object()
                            .set("id", JsonValue::of(trial.id))
                            .set("number", JsonValue::of(trial.number))
                            .set("set", std::move(point)));
  }
  return out;
}

[[noreturn]] void fail_batch(const std::string& path, const std::string& what) {
  throw DataError(
      cat(path, ": ", what,
          "; `serval sweep` with the sweep's file writes it again, and finished trials stay finished"));
}

// None where it belongs to another plan, one that is being replaced.
std::optional<std::vector<Trial>> read_batch(const std::string& path, const std::string& key) {
  const std::string text = read_text(path);
  std::vector<JsonValue> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string name = cat(path, ":", lines.size() + 1);
    std::optional<JsonValue> json;
    if (end != std::string::npos) json = read_checked_line(text.substr(at, end - at), name);
    if (!json) fail_batch(name, "is not what Serval wrote: cut short, edited or damaged");
    lines.push_back(std::move(*json));
    at = end + 1;
  }
  if (lines.empty()) fail_batch(path, "is empty");
  if (text_field(lines.front(), "plan") != key) return std::nullopt;
  if (integer_field(lines.front(), "trials") != static_cast<std::int64_t>(lines.size()) - 1)
    fail_batch(
        path, cat("holds ", lines.size() - 1, " trials instead of ", integer_field(lines.front(), "trials")));
  std::vector<Trial> out;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    Trial trial{text_field(lines[i], "id"), integer_field(lines[i], "number"), {}};
    for (const auto& [name, value] : field(lines[i], "set", JsonValue::Kind::kObject).members)
      trial.point.emplace_back(name, value);
    out.push_back(std::move(trial));
  }
  return out;
}

// A folder that holds other things is not taken over.
void need_empty(const std::string& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".tmp-") != std::string::npos || name == "slurm" || name == "sweep.json") continue;
    throw ConfigError(cat(folder, ": holds ", name,
                          " but no plan.jsonl, so it is no sweep's folder; choose another with --out"));
  }
}

void need_version(const JsonValue& plan, const std::string& path) {
  const std::int64_t version = integer_field(plan, "serval_sweep");
  if (version != kVersion) {
    throw ConfigError(cat(path, ": is a sweep of version ", version, ", this Serval works on version ",
                          kVersion, "; use the Serval that made it, or another folder with --out"));
  }
}

}  // namespace

void begin_sweep(const SweepPlan& plan, const std::string& folder) {
  make_folder(folder);
  const std::string path = plan_file(folder);
  const std::string text = plan_text(plan);
  const std::string key = key_of(text);
  if (!fs::exists(path)) {
    need_empty(folder);
  } else {
    need_version(read_checked_file(path), path);
  }
  const bool same = fs::exists(path) && read_text(path) == text;
  if (!same || !fs::exists(batch_file(folder, 0))) {
    write_atomically(folder + "/sweep.json", write_json(settings_to_json(plan.settings)));
    write_atomically(path, text);
    // Batches of the old plan do not count any more; the later ones go first, so that no gap is left.
    std::size_t old = 0;
    while (fs::exists(batch_file(folder, old + 1))) ++old;
    for (; old > 0; --old) fs::remove(batch_file(folder, old));
    write_atomically(batch_file(folder, 0), batch_text(key, plan.first_batch));
  }
  make_folder(folder + "/trials");
  make_folder(folder + "/runs");
  const SweepDirectory directory(folder);
  directory.set_cancelled(false);
}

SweepDirectory::SweepDirectory(const std::string& folder)
    : folder_(fs::absolute(folder).lexically_normal().string()) {
  while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
  if (!fs::exists(plan_file(folder_)))
    throw ConfigError(cat(folder_, ": holds no plan.jsonl, so it is no sweep's folder"));
  read_batches();
}

void SweepDirectory::read_batches() {
  for (int attempt = 0;; ++attempt) {
    const std::string text = read_text(plan_file(folder_));
    key_ = key_of(text);
    const JsonValue json = read_checked_file(plan_file(folder_));
    need_version(json, plan_file(folder_));
    std::vector<std::string> errors;
    plan_.settings = read_settings<SweepSettings>(need_member(json, "sweep"), errors);
    if (!errors.empty()) throw DataError(join(errors, "\n"));
    plan_.experiment = need_member(json, "experiment");
    batches_.clear();
    bool old = false;
    for (std::size_t i = 0; !old && fs::exists(batch_file(folder_, i)); ++i) {
      std::optional<std::vector<Trial>> batch = read_batch(batch_file(folder_, i), key_);
      old = !batch;
      if (batch) batches_.push_back(std::move(*batch));
    }
    if (!old && !batches_.empty()) return;
    // Plan and batches are replaced one after the other, which takes a moment.
    if (attempt == 20)
      throw DataError(cat(folder_,
                          ": the plan is without its trials; `serval sweep` with the sweep's file writes "
                          "them, and finished trials stay finished"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::vector<Trial> SweepDirectory::trials() const {
  std::vector<Trial> out;
  std::set<std::string> ids;
  for (const auto& batch : batches_) {
    for (const Trial& trial : batch) {
      if (ids.insert(trial.id).second) out.push_back(trial);
    }
  }
  return out;
}

ClaimFolder SweepDirectory::claims() const {
  return {folder_ + "/claims", settings().lease_s, static_cast<int>(settings().most_crashes)};
}

std::set<std::string> SweepDirectory::finished() const {
  std::set<std::string> out;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ + "/trials")) {
    if (entry.path().extension() == ".json") out.insert(entry.path().stem().string());
  }
  return out;
}

bool SweepDirectory::cancelled() const { return fs::exists(folder_ + "/cancelled"); }

void SweepDirectory::set_cancelled(bool on) const {
  if (on)
    write_atomically(folder_ + "/cancelled", "");
  else
    fs::remove(folder_ + "/cancelled");
}

std::vector<std::vector<Told>> SweepDirectory::told() const {
  const std::set<std::string> done = finished();
  std::vector<std::vector<Told>> out;
  for (const auto& batch : batches_) {
    std::vector<Told>& scores = out.emplace_back();
    for (const Trial& trial : batch) {
      double score = std::numeric_limits<double>::quiet_NaN();
      if (done.count(trial.id) > 0)
        score = score_of(read_trial_result(trial_file(trial.id)).validation, settings().select.score).mean;
      scores.push_back({trial.point, score});
    }
  }
  return out;
}

bool SweepDirectory::extend() {
  if (!adaptive(settings().strategy)) return false;
  std::int64_t before = 0;
  for (const auto& batch : batches_) before += static_cast<std::int64_t>(batch.size());
  std::vector<Point> points = make_sampler(settings())->ask(told());
  if (points.empty()) return false;
  std::vector<std::string> errors;
  const std::vector<Trial> trials = make_trials(plan_.experiment, std::move(points), before + 1, errors);
  if (!errors.empty()) throw ConfigError(join(errors, "\n"));
  if (create_once(batch_file(folder_, batches_.size()), batch_text(key_, trials)))
    log_info(cat("batch ", batches_.size() + 1, ": ", trials.size(), " trials"));
  read_batches();
  return true;
}

}  // namespace serval::experiment
