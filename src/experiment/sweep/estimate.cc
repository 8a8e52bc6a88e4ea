#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "serval/core/error.h"
#include "serval/core/text.h"

#include "directory.h"
#include "trial_result.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

std::int64_t folder_bytes(const std::string& folder) {
  std::int64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    const auto size = entry.is_regular_file(ignored) ? entry.file_size(ignored) : 0;
    bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::string mebibytes(std::int64_t bytes) {
  return formatted("%.1f", static_cast<double>(bytes) / (1 << 20)) + " MiB";
}

std::string duration(double seconds) {
  if (seconds < 10) return formatted("%.1f", seconds) + " s";
  if (seconds < 120) return formatted("%.0f", seconds) + " s";
  if (seconds < 7200) return formatted("%.1f", seconds / 60) + " min";
  return formatted("%.1f", seconds / 3600) + " h";
}

}  // namespace

SweepEstimate estimate_sweep(const std::string& folder, int workers) {
  const SweepDirectory directory(folder);
  SweepEstimate out;
  out.workers = std::max(1, workers);
  const std::vector<Trial> trials = directory.trials();
  const std::set<std::string> finished = directory.finished();
  out.trials = static_cast<std::int64_t>(trials.size());
  double sum_s = 0;
  std::int64_t trial_bytes = 0;
  for (const Trial& trial : trials) {
    if (finished.count(trial.id) == 0) continue;
    const std::string path = directory.trial_file(trial.id);
    const TrialResult result = read_trial_result(path);
    ++out.measured;
    sum_s += result.seconds;
    out.least_s = out.measured == 1 ? result.seconds : std::min(out.least_s, result.seconds);
    out.most_s = std::max(out.most_s, result.seconds);
    out.worker_bytes = std::max(out.worker_bytes, result.peak_bytes);
    trial_bytes += static_cast<std::int64_t>(fs::file_size(path));
  }
  if (out.measured == 0)
    throw DataError(cat(folder, ": no trial is finished yet, so there is nothing to reckon with"));
  out.mean_s = sum_s / static_cast<double>(out.measured);
  // Trials are not cut: the last round of workers may be the only one that is busy.
  const auto left = static_cast<double>(out.trials - out.measured);
  out.left_s = std::ceil(left / out.workers) * out.mean_s;
  out.folder_bytes = trial_bytes / out.measured * out.trials;
  std::vector<std::string> errors;
  const ExperimentSettings base = trial_settings(directory.experiment(), {}, errors);
  if (errors.empty()) out.store_bytes = folder_bytes(base.store);
  return out;
}

std::string estimate_text(const SweepEstimate& e) {
  std::ostringstream out;
  out << e.trials << " trials, " << e.measured << " of them finished and measured\n"
      << "  time     " << duration(e.mean_s) << " a trial (" << duration(e.least_s) << " to "
      << duration(e.most_s) << "); " << duration(static_cast<double>(e.trials - e.measured) * e.mean_s)
      << " of one worker are left, " << duration(e.left_s) << " with " << e.workers
      << (e.workers == 1 ? " worker\n" : " workers\n") << "  memory   " << mebibytes(e.worker_bytes)
      << " a worker\n"
      << "  disk     " << mebibytes(e.folder_bytes) << " of scores when all are finished, "
      << mebibytes(e.store_bytes) << " in the folder of stores\n";
  return out.str();
}

JsonValue estimate_json(const SweepEstimate& e) {
  return JsonValue::object()
      .set("trials", JsonValue::of(e.trials))
      .set("measured", JsonValue::of(e.measured))
      .set("workers", JsonValue::of(e.workers))
      .set("mean_trial_s", JsonValue::of(e.mean_s))
      .set("least_trial_s", JsonValue::of(e.least_s))
      .set("most_trial_s", JsonValue::of(e.most_s))
      .set("left_s", JsonValue::of(e.left_s))
      .set("worker_bytes", JsonValue::of(e.worker_bytes))
      .set("folder_bytes", JsonValue::of(e.folder_bytes))
      .set("store_bytes", JsonValue::of(e.store_bytes));
}

}  // namespace serval::experiment
