// A task that trains in a moment.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "serval/core/philox.h"
#include "serval/train/task.h"

#include "tests/support/nn_reference.h"

namespace serval::train {

// 24 recordings of 3 classes whose mean tells the class; recordings 0-11 train, 12-17 validate, 18-23 are
// tested.
inline Task small_task(const Device& device, const std::string& folder) {
  auto data = std::make_shared<TrainingData>();
  data->feature = 3;
  data->classes = 3;
  data->offsets = {0};
  std::vector<float> values;
  const RandomStream noise{5, 0, RandomPurpose::kTest, 0, 0};
  for (int r = 0; r < 24; ++r) {
    const int frames = 4 + r % 5;
    data->labels.push_back(r % 3);
    for (int t = 0; t < frames; ++t) {
      for (int f = 0; f < 3; ++f)
        values.push_back((f == r % 3 ? 1.0f : 0.0f) + noise.uniform(values.size()) - 0.5f);
    }
    data->offsets.push_back(data->offsets.back() + frames);
  }
  data->values = Tensor::from_host(device, values, {data->offsets.back(), 3});
  Task task;
  task.model = "m";
  task.first().data = data;
  task.network = testing_support::network_of(R"({"layers": [
      {"type": "lstm", "hidden": 5}, {"type": "mean_pool"}, {"type": "dropout", "rate": 0.3}, {"type": "dense"}]})");
  task.settings.batch_size = 5;
  task.settings.epochs = 9;
  task.settings.optimizer.learning_rate = 0.05;
  for (std::int64_t r = 0; r < 24; ++r)
    (r < 12 ? task.sides.train : r < 18 ? task.sides.validation : task.sides.test).push_back(r);
  task.first().normaliser.mean = {0.1f, 0.2f, 0.3f};
  task.first().normaliser.scale = {1.5f, 1, 0.5f};
  task.key = "key";
  task.folder = folder;
  return task;
}

// The same recordings in segments of 3 frames that start every 2 frames, the last ones shorter.
inline Items segments_of(const TrainingData& data) {
  Items items;
  items.offsets = {0};
  for (std::size_t r = 0; r + 1 < data.offsets.size(); ++r) {
    const std::int64_t end = data.offsets[r + 1];
    for (std::int64_t start = data.offsets[r]; start < end - 1; start += 2) {
      items.starts.push_back(start);
      items.frames.push_back(static_cast<std::int32_t>(std::min<std::int64_t>(3, end - start)));
    }
    items.offsets.push_back(static_cast<std::int64_t>(items.starts.size()));
  }
  return items;
}

}  // namespace serval::train
