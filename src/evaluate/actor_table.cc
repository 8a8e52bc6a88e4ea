#include "serval/evaluate/actor_table.h"

#include "serval/core/error.h"

namespace serval::evaluate {

ActorTable::ActorTable(int classes) : classes_(classes) { SERVAL_CHECK(classes > 0, classes, " classes"); }

void ActorTable::add(const std::string& actor, int fold, std::uint64_t seed, int label, int predicted) {
  SERVAL_CHECK(label >= 0 && label < classes_ && predicted >= 0 && predicted < classes_, "label ", label,
               ", predicted ", predicted, " of ", classes_, " classes");
  const auto [at, is_new] = number_of_.try_emplace(actor, static_cast<int>(actors_.size()));
  if (is_new) actors_.push_back(actor);
  std::vector<std::int64_t>& counts = counts_[{fold, seed}][at->second];
  counts.resize(static_cast<std::size_t>(classes_) * static_cast<std::size_t>(classes_));
  ++counts[static_cast<std::size_t>(label * classes_ + predicted)];
}

std::vector<ActorTable::Part> ActorTable::parts() const {
  std::vector<Part> out;
  for (const auto& [key, cells] : counts_) {
    Part& part = out.emplace_back(Part{key.first, key.second, {}});
    for (const auto& [actor, counts] : cells) part.cells.push_back({actor, counts});
  }
  return out;
}

// Without the lists of score(): resampling asks this a million times.
Headline headline(const std::vector<std::int64_t>& counts, int classes) {
  const auto n = static_cast<std::size_t>(classes);
  std::int64_t all = 0, right = 0;
  int occurring = 0, mentioned = 0;
  Headline out;
  for (std::size_t c = 0; c < n; ++c) {
    std::int64_t occurs = 0, predicted = 0;
    for (std::size_t k = 0; k < n; ++k) {
      occurs += counts[c * n + k];
      predicted += counts[k * n + c];
    }
    const std::int64_t hits = counts[c * n + c];
    all += occurs;
    right += hits;
    if (occurs > 0) {
      ++occurring;
      out.uar += static_cast<double>(hits) / static_cast<double>(occurs);
    }
    if (occurs + predicted > 0) {
      ++mentioned;
      out.macro_f1 += static_cast<double>(2 * hits) / static_cast<double>(occurs + predicted);
    }
  }
  SERVAL_CHECK(all > 0, "scores of no predictions");
  out.uar /= occurring;
  out.wa = static_cast<double>(right) / static_cast<double>(all);
  out.macro_f1 /= mentioned;
  return out;
}

}  // namespace serval::evaluate
