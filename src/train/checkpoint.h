// A training run between two epochs, on disk.
#pragma once

#include <string>
#include <vector>

#include "serval/nn/network.h"
#include "serval/train/task.h"

namespace serval::train {

struct TrainingState {
  std::vector<Epoch> history;
  int selected = 0;                  // epoch whose weights are kept, 0 before the first
  std::int64_t step = 0;             // training steps so far
  std::vector<std::string> devices;  // that ran them
};

struct CheckpointTensors {
  std::vector<float> parameters, first_moment, second_moment, best_parameters;
};

void write_checkpoint(const std::string& path, const Task& task, const TrainingState& state,
                      const CheckpointTensors& tensors, const std::vector<nn::ParameterBlock>& blocks);

// False when there is no file. Throws DataError when it is damaged or belongs to another task.
bool read_checkpoint(const std::string& path, const Task& task, std::int64_t parameter_count,
                     TrainingState& state, CheckpointTensors& tensors);

}  // namespace serval::train
