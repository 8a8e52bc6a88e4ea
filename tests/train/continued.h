// A training that was stopped and goes on in another trainer.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "serval/train/trainer.h"

namespace serval::train {

inline void run_to_end(Trainer& trainer) {
  while (!trainer.finished()) trainer.run_epoch();
}

// Trains for `epochs` epochs, saves at `path`, and runs to its end with another trainer, which is given back.
inline std::unique_ptr<Trainer> stopped_and_continued(const Context& context, const Task& task, int epochs,
                                                      const std::string& path, int augmentation_threads = 1) {
  {
    Trainer first(context, task);
    for (int e = 0; e < epochs; ++e) first.run_epoch();
    first.save(path);
  }
  auto second = std::make_unique<Trainer>(context, task, augmentation_threads);
  EXPECT_TRUE(second->restore(path));
  run_to_end(*second);
  return second;
}

}  // namespace serval::train
