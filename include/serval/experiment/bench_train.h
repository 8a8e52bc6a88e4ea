// How fast networks train on this machine: steps (gather left out) of forward, loss, backward and optimiser on drawn data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/json.h"
#include "serval/core/tensor.h"
#include "serval/experiment/bench_features.h"
#include "serval/nn/network.h"
#include "serval/nn/optimiser.h"

namespace serval::experiment {

struct TrainBenchOptions {
  nn::NetworkSettings network;
  nn::NetworkSizes sizes;  // max_batch is the batch; every sequence has `frames` steps
  std::int64_t frames = 150;
  int models = 1;  // trained side by side: one a thread on the CPU, on a GPU each with a stream of its own
  int threads = 1;
  Device device;
  Arithmetic arithmetic;
  nn::OptimiserSettings optimiser;
  double seconds = 3;  // of timed steps, after a tenth of it that does not count
  std::string dump;    // folder for what a twin in another program needs; "": none
};

struct TrainBenchReport {
  std::string device, device_name;
  int threads = 1, models = 1;
  std::int64_t batch = 0, frames = 0, parameters = 0;
  std::vector<double> step_s;     // of one model, where there is one
  double steps_per_s = 0;         // of all models together
  std::int64_t growth_bytes = 0;  // of resident memory, at its highest, over what it was before
  std::vector<double>
      losses;  // of the first steps, from the weights of seed 1: kTwinSteps with a dump, else 2
};

constexpr int kTwinSteps = 20;

// Throws what the network throws. With `dump`, writes network.json, blocks.json ([{name, shape, offset}], in floats of
// parameters.f32), parameters.f32, x.<input>.f32, labels.i32 and losses.json: those of kTwinSteps steps.
TrainBenchReport bench_train(const TrainBenchOptions& options);

JsonValue bench_json(const TrainBenchReport& report);
std::string bench_text(const TrainBenchReport& report);

}  // namespace serval::experiment
