#include "run_scores.h"

#include <map>
#include <utility>

#include "serval/core/error.h"

#include "read_predictions.h"

namespace serval::experiment {

using evaluate::Probabilities;
using report::Prediction;

namespace {

// What one model says of the recordings of a fold with one seed, in the order of its file: of a fold with inner folds, what
// those say.
std::vector<const Prediction*> rows_of(const std::vector<Prediction>& rows, int fold, std::uint64_t seed) {
  std::vector<const Prediction*> all, inner;
  for (const Prediction& p : rows) {
    if (p.fold != fold || p.seed != seed) continue;
    all.push_back(&p);
    if (p.inner > 0) inner.push_back(&p);
  }
  return inner.empty() ? all : inner;
}

// Of each of `wanted` the row of the same recording (and inner fold); empty unless `rows` are of the same ones.
std::vector<const Prediction*> in_order_of(const std::vector<const Prediction*>& wanted,
                                           const std::vector<const Prediction*>& rows) {
  std::map<std::pair<int, std::string>, const Prediction*> by_recording;
  for (const Prediction* row : rows) by_recording[{row->inner, row->recording}] = row;
  std::vector<const Prediction*> out;
  for (const Prediction* row : wanted) {
    const auto at = by_recording.find({row->inner, row->recording});
    if (at == by_recording.end() || wanted.size() != rows.size()) return {};
    out.push_back(at->second);
  }
  return out;
}

}  // namespace

std::vector<int> SideScores::labels() const {
  std::vector<int> out;
  for (const Prediction* row : rows) out.push_back(row->label);
  return out;
}

void read_validation(FinishedRun& run) {
  RecordingsById by_id;
  for (const corpus::Recording& recording : run.recordings) by_id[recording.id] = &recording;
  read_validation_predictions(run.folder + "/validation_predictions.csv", by_id, run.report);
}

SideScores scores_of(const std::vector<RunMember>& members, int fold, const SeedSet* seeds,
                     std::vector<Prediction> report::ModelReport::*side) {
  SideScores out;
  for (const RunMember& member : members) {
    std::vector<ModelScores> of_seeds;
    for (const std::uint64_t seed : seeds == nullptr ? member.seeds : *seeds) {
      const std::vector<const Prediction*> own = rows_of(member.model->*side, fold, seed);
      if (out.rows.empty()) out.rows = own;
      const std::vector<const Prediction*> rows = in_order_of(out.rows, own);
      if (rows.empty()) {
        throw DataError(cat(member.run->folder, ": model ", member.model->name,
                            " validated other recordings in fold ", fold + 1, " than ",
                            members.front().run->folder,
                            "; a rule that is fitted needs the same validation actors in all runs"));
      }
      Probabilities probabilities;
      for (const Prediction* row : rows) probabilities.push_back(row->probabilities);
      of_seeds.push_back({{}, {std::move(probabilities)}});
    }
    out.scores.models.push_back(averaged(of_seeds).models.front());
  }
  for (std::size_t i = 0; i < out.rows.size(); ++i)
    out.scores.recordings.push_back(static_cast<std::int64_t>(i));
  return out;
}

}  // namespace serval::experiment
