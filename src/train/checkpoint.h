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
  std::int64_t averaged = 0;         // weights in the mean so far
  std::vector<std::string> devices;  // that ran them
  Lineage lineage;
};

// Flat buffers. Weights, [parameter_count], are in the file by name and shape, one dataset a block.
struct CheckpointTensors {
  std::vector<float> parameters, selected;
  std::vector<float> optimiser;  // [slots, trained]
  std::vector<float> average;    // [parameter_count] or empty
  std::vector<float> centers;    // of the center loss, or empty
};

void write_checkpoint(const std::string& path, const Task& task, const TrainingState& state,
                      const CheckpointTensors& tensors, const std::vector<nn::ParameterBlock>& blocks);

// False when there is no file. `tensors` comes with the sizes that are wanted. Throws DataError when the file is
// damaged, belongs to another task, or holds other blocks than the network has: all differences are named.
bool read_checkpoint(const std::string& path, const Task& task, const std::vector<nn::ParameterBlock>& blocks,
                     TrainingState& state, CheckpointTensors& tensors);

}  // namespace serval::train
