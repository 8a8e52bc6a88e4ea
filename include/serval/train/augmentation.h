// Changed copies of training recordings, made while a model trains. `train` asks for them; who makes them, and of
// what, is another room's affair.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/train/task.h"

namespace serval::train {

// The copies of one epoch. A copy has the label of the recording that it was made from.
struct InputCopies {
  std::vector<float> values;  // [frames, feature], one copy after another
  Items items;                // of the copies: starts count from the first frame of `values`
};
struct Copies {
  std::vector<InputCopies> inputs;  // in the order of the task's
  std::vector<std::int64_t>
      sources;  // [copies]: the recording that each was made from, by its manifest number
};

// Belongs to one model in training; one thread uses it.
class Augmentation {
 public:
  virtual ~Augmentation() = default;

  // No item of a copy has more frames of that input, in whatever epoch. Depends on the training recordings and on
  // settings alone.
  virtual std::int64_t longest_item(std::size_t input) const = 0;

  // False: the copies of the first epoch serve every other.
  virtual bool redraws() const = 0;

  // Those of `epoch` (from 1): a pure function of the model's fold and seed and of the epoch, so that a model that
  // was stopped and continued sees what it would have seen. Throws InterruptedError.
  virtual Copies make(int epoch) = 0;

  // Leaves the file that says how the copies of the epochs 1 .. `epochs` were made.
  virtual void write_lineage(const std::string& path, int epochs) const = 0;
};

}  // namespace serval::train
