// One model to train: one network, one fold, one seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/core/tensor.h"
#include "serval/features/segment_image.h"
#include "serval/folds/fold.h"
#include "serval/learners/settings.h"
#include "serval/nn/network.h"
#include "serval/train/initial_weights.h"
#include "serval/train/settings.h"
#include "serval/train/target.h"

namespace serval::train {

// Features and labels of every recording, on the device; shared by all models that use this feature set.
struct TrainingData {
  Tensor values;                      // [total frames, feature]
  std::vector<std::int64_t> offsets;  // [recordings + 1], in frames, on the host
  std::vector<int> labels;            // [recordings], class numbers
  std::vector<int> corpora;           // [recordings], numbers; empty: all of one
  std::int64_t feature = 0;
  std::int64_t classes = 0;

  std::int64_t frames(std::int64_t recording) const {
    const auto at = static_cast<std::size_t>(recording);
    return offsets[at + 1] - offsets[at];
  }
};

// What the network reads of each recording: the whole of it, or segments. Training takes the items of a recording one
// by one, each with the recording's label; a recording's scores are the mean of its items' probabilities.
struct Items {
  std::vector<std::int64_t> starts;  // [items]: first frame of each in TrainingData::values
  std::vector<std::int32_t> frames;  // [items]
  std::vector<std::int32_t> padded;  // [items]: of images, frames with the padding behind them
  std::vector<std::int64_t>
      offsets;  // [recordings + 1]: recording r has the items [offsets[r], offsets[r + 1])

  std::int64_t count(std::int64_t recording) const {
    const auto at = static_cast<std::size_t>(recording);
    return offsets[at + 1] - offsets[at];
  }
  std::int32_t longest(std::int64_t recording) const {  // frames; 0 for a recording without items
    std::int32_t most = 0;
    const auto at = static_cast<std::size_t>(recording);
    for (std::int64_t i = offsets[at]; i < offsets[at + 1]; ++i)
      most = std::max(most, frames[static_cast<std::size_t>(i)]);
    return most;
  }
};
Items whole_recordings(const TrainingData& data);

// One input of the network. Item k of every input is the same stretch of the same recording; labels are the first's.
struct TaskInput {
  std::string name = "input";
  std::shared_ptr<const TrainingData> data = nullptr;
  std::shared_ptr<const Items> items = nullptr;  // null: whole recordings
  folds::Normaliser normaliser = {};             // fitted on the training actors of this fold
  nn::InputKind kind = nn::InputKind::kSequence;
  features::SegmentImage image = {};  // images
};

class Augmentation;  // train/augmentation.h
struct Task;
// Called when the task starts to train, with its context and the threads that it may use for this.
using MakeAugmentation =
    std::function<std::unique_ptr<Augmentation>(const Task& task, const Context& context, int threads)>;

struct Task {
  std::string model;  // its name in the experiment
  int fold = 0;       // from 0
  std::uint64_t seed = 1;
  std::vector<TaskInput> inputs = {TaskInput{}};  // in the order of the network's
  MakeAugmentation augment;                       // null: nothing trains but the recordings themselves
  std::optional<nn::NetworkSettings> network;     // one of these two
  std::optional<learners::LearnerSettings> learner = {};
  std::optional<InitialWeightsSettings> initial_weights = {};  // none: drawn
  TrainSettings settings;
  std::vector<Head> heads = {};  // empty: one, of the class labels, with settings.loss
  folds::Fold sides;
  int inner = 0;       // of an inner fold, from 1
  int stop_epoch = 0;  // training ends after it, with the schedule of all settings.epochs; 0: after these
  folds::ProtocolSettings protocol = {};  // what leaks on purpose; written into the weights' file
  std::string key;     // hash of everything above: a checkpoint of another key is not continued
  std::string folder;  // models/<model>/fold-03_seed-1

  int epochs() const { return stop_epoch > 0 ? stop_epoch : settings.epochs; }
  TaskInput& first() { return inputs.front(); }
  const TaskInput& first() const { return inputs.front(); }
  const TrainingData& data() const { return *inputs.front().data; }  // whose labels count
  // Of `heads`, that of the output; there must be one.
  const Head& head(const std::string& output) const {
    for (const Head& own : heads) {
      if (own.output == output) return own;
    }
    throw InternalError(cat("no head ", output));
  }
};

// What training did, by the recordings' numbers in the manifest, ascending: what it was fed, not what it was told.
struct Lineage {
  std::vector<std::int64_t> trained_on;  // changed the weights, themselves or by copies
  std::vector<std::int64_t> chosen_by;   // were scored to choose an epoch or a learning rate
  // Of the weights that it started from, where their file tells: actors that trained them, and those whose scores chose
  // their epoch.
  bool weights_tell = true;
  std::vector<std::string> weights_heard = {}, weights_chosen_by = {};
};

struct Epoch {
  int epoch = 0;                               // from 1
  double train_loss = 0, validation_loss = 0;  // validation's are NaN where nobody validates
  double validation_uar = 0;                   // NaN too where no head learns the experiment's classes
  double learning_rate = 0, seconds = 0;
  // The mean over all numbers that heads learn, an undefined one counting as 0; NaN where there are none.
  double validation_ccc = std::numeric_limits<double>::quiet_NaN();
};

// What a finished task leaves: enough for every table, so that nothing needs the device again.
struct TaskResult {
  std::string model;
  int fold = 0;
  std::uint64_t seed = 1;
  int selected_epoch = 0;
  std::vector<Epoch> history;
  int inner = 0;  // of an inner fold, from 1
  Lineage lineage = {};
  std::vector<std::int64_t> recordings;           // the test side, manifest numbers
  std::vector<std::vector<float>> probabilities;  // [recording][class]; empty without a head of the classes
  // The same of the validation side, by the same weights: what a fusion or a choice among models may look at.
  std::vector<std::int64_t> validation;
  std::vector<std::vector<float>> validation_probabilities;
  std::vector<HeadResult> heads;  // the others, in the task's order
  // Where it was trained; more than one when it continued elsewhere, and its bits are then of neither.
  std::vector<std::string> devices;
  double seconds = 0;
  std::int64_t parameters = 0;
};

}  // namespace serval::train
