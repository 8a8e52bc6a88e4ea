#include "epoch_copies.h"

#include <numeric>
#include <set>

#include "serval/core/error.h"

namespace serval::train {

ConstTensorView EpochCopies::values(std::size_t input) const {
  const Values& v = values_[input];
  return {v.values.data(), {v.frames, v.feature}, v.values.device().kind};
}

void EpochCopies::take(const Context& context, const Task& task, std::span<const Items> items, Copies made) {
  const TrainingData& own = task.data();
  const std::int64_t recordings = static_cast<std::int64_t>(own.labels.size());
  SERVAL_CHECK(made.inputs.size() == task.inputs.size(), made.inputs.size(), " inputs of copies");
  data_ = {};
  data_.classes = own.classes;
  data_.labels = own.labels;
  data_.corpora = own.corpora;
  items_.assign(items.begin(), items.end());
  recordings_ = task.sides.train;
  origins_.resize(own.labels.size());
  std::iota(origins_.begin(), origins_.end(), std::int64_t{0});
  const std::set<std::int64_t> train(task.sides.train.begin(), task.sides.train.end());
  for (std::size_t i = 0; i < made.sources.size(); ++i) {
    const std::int64_t source = made.sources[i];
    if (train.count(source) == 0 && !task.protocol.has(folds::Leak::kCopiesBeforeSplit)) {
      throw AuditError(cat("model ", task.model, ", fold ", task.fold + 1, ", seed ", task.seed,
                           ": an augmented copy was made from recording number ", source,
                           ", which is not on the training side of the fold"));
    }
    const auto from = static_cast<std::size_t>(source);
    data_.labels.push_back(own.labels[from]);
    if (!own.corpora.empty()) data_.corpora.push_back(own.corpora[from]);
    origins_.push_back(source);
    recordings_.push_back(recordings + static_cast<std::int64_t>(i));
  }
  context.synchronize();  // the last epoch's steps may still read its copies
  values_.resize(task.inputs.size());
  for (std::size_t i = 0; i < task.inputs.size(); ++i)
    take_input(context, task.inputs[i], i, made.inputs[i], made.sources.size());
}

void EpochCopies::take_input(const Context& context, const TaskInput& input, std::size_t index,
                             const InputCopies& made, std::size_t copies) {
  Values& v = values_[index];
  v.feature = input.data->feature;
  v.frames = static_cast<std::int64_t>(made.values.size()) / v.feature;
  SERVAL_CHECK(made.items.offsets.size() == copies + 1 &&
                   static_cast<std::int64_t>(made.values.size()) == v.frames * v.feature,
               copies, " copies with ", made.items.offsets.size(), " offsets");
  Items& items = items_[index];
  const std::int64_t before = items.offsets.back();
  for (std::size_t i = 0; i < copies; ++i) items.offsets.push_back(before + made.items.offsets[i + 1]);
  const std::int64_t frames = input.data->offsets.back();
  for (std::size_t i = 0; i < made.items.starts.size(); ++i) {
    items.starts.push_back(frames + made.items.starts[i]);
    items.frames.push_back(made.items.frames[i]);
    if (!items.padded.empty()) {
      items.padded.push_back(made.items.padded.empty() ? made.items.frames[i] : made.items.padded[i]);
    }
  }
  const auto count = static_cast<std::int64_t>(made.values.size());
  if (count > v.values.size()) v.values = Tensor(context.device(), {count});
  copy_bytes(v.values.data(), v.values.device(), made.values.data(), Device{},
             made.values.size() * sizeof(float));
}

}  // namespace serval::train
