#include "epoch_copies.h"

#include <set>

#include "serval/core/error.h"

namespace serval::train {

void EpochCopies::take(const Context& context, const Task& task, const Items& items, std::int64_t max_time,
                       Copies made) {
  const TrainingData& own = *task.data;
  const std::int64_t recordings = static_cast<std::int64_t>(own.labels.size());
  const std::int64_t frames = own.offsets.back();
  feature_ = own.feature;
  frames_ = static_cast<std::int64_t>(made.values.size()) / feature_;
  SERVAL_CHECK(made.items.offsets.size() == made.sources.size() + 1 &&
                   static_cast<std::int64_t>(made.values.size()) == frames_ * feature_,
               made.sources.size(), " copies with ", made.items.offsets.size(), " offsets");
  data_ = {};
  data_.classes = own.classes;
  data_.labels = own.labels;
  data_.corpora = own.corpora;
  data_.targets = own.targets;
  items_ = items;
  recordings_ = task.sides.train;
  const std::set<std::int64_t> train(task.sides.train.begin(), task.sides.train.end());
  for (std::size_t i = 0; i < made.sources.size(); ++i) {
    const std::int64_t source = made.sources[i];
    if (train.count(source) == 0) {
      throw AuditError(cat("model ", task.model, ", fold ", task.fold + 1, ", seed ", task.seed,
                           ": an augmented copy was made from recording number ", source,
                           ", which is not on the training side of the fold"));
    }
    const auto from = static_cast<std::size_t>(source);
    data_.labels.push_back(own.labels[from]);
    if (!own.corpora.empty()) data_.corpora.push_back(own.corpora[from]);
    if (!own.targets.empty()) {
      const auto first = own.targets.begin() + source * own.classes;
      data_.targets.insert(data_.targets.end(), first, first + own.classes);
    }
    recordings_.push_back(recordings + static_cast<std::int64_t>(i));
    items_.offsets.push_back(items.offsets.back() + made.items.offsets[i + 1]);
  }
  for (std::size_t i = 0; i < made.items.starts.size(); ++i) {
    SERVAL_CHECK(made.items.frames[i] <= max_time, "an item of ", made.items.frames[i], " frames, at most ",
                 max_time, " were announced");
    items_.starts.push_back(frames + made.items.starts[i]);
    items_.frames.push_back(made.items.frames[i]);
  }
  context.synchronize();  // the last epoch's steps may still read its copies
  const auto count = static_cast<std::int64_t>(made.values.size());
  if (count > values_.size()) values_ = Tensor(context.device(), {count});
  copy_bytes(values_.data(), values_.device(), made.values.data(), Device{},
             made.values.size() * sizeof(float));
}

}  // namespace serval::train
