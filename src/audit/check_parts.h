// What several checks need.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "serval/audit/audit.h"
#include "serval/core/error.h"

namespace serval::audit {

inline constexpr std::size_t kMostEvidence = 50;  // lines of one check

// Collects offenders; the fifty-first and later are only counted.
class Evidence {
 public:
  void add(const std::string& line) {
    if (lines_.size() < kMostEvidence) lines_.push_back(line);
    ++count_;
  }
  bool empty() const { return count_ == 0; }

  // With `otherwise` where there are no offenders.
  Check check(const std::string& name, const std::string& otherwise, bool allowed) {
    Check out{name, empty(), std::move(lines_), !empty() && allowed};
    if (out.passed) out.evidence.push_back(otherwise);
    if (count_ > kMostEvidence) out.evidence.push_back(cat("and ", count_ - kMostEvidence, " more"));
    return out;
  }

 private:
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
};

inline const corpus::Recording& recording(const corpus::Manifest& manifest, std::int64_t r) {
  return manifest.recordings.at(static_cast<std::size_t>(r));
}

inline std::string name_of(const folds::Fold& fold) { return folds::fold_name(fold.index, fold.inner); }

// Null where there is none.
inline const folds::Fold* find_fold(const std::vector<folds::Fold>& folds, int index, int inner) {
  for (const folds::Fold& fold : folds) {
    if (fold.index == index && fold.inner == inner) return &fold;
  }
  return nullptr;
}

// That of a model; there must be one.
inline const folds::Fold& fold_of(const std::vector<folds::Fold>& folds, const ModelLineage& model) {
  const folds::Fold* fold = find_fold(folds, model.fold, model.inner);
  SERVAL_CHECK(fold != nullptr, model.name, " has no fold");
  return *fold;
}

// Ids, the first three of many.
inline std::string few_ids(const corpus::Manifest& manifest, const std::vector<std::int64_t>& recordings) {
  constexpr std::size_t kFew = 3;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < std::min(kFew, recordings.size()); ++i)
    ids.push_back(recording(manifest, recordings[i]).id);
  return cat(join(ids, ", "),
             recordings.size() > kFew ? cat(" and ", recordings.size() - kFew, " more") : "");
}

}  // namespace serval::audit
