// How a network is trained.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/settings.h"
#include "serval/nn/optimiser.h"
#include "serval/train/batch_settings.h"
#include "serval/train/loss_settings.h"
#include "serval/train/schedule.h"
#include "serval/train/weight_average.h"

namespace serval::train {

// Of a GPU; a CPU computes in float32, the same bits each time.
enum class Precision { kFloat32, kTf32 };
enum class Determinism { kRunToRun, kNone };
enum class ParallelModels { kAuto };
enum class Select { kBestValidation, kLast };
enum class ClassWeights { kNone, kBalanced };

struct TrainSettings {
  nn::OptimiserSettings optimizer;
  ScheduleSettings schedule;
  LossSettings loss;
  int batch_size = 64;
  int epochs = 60;
  double clip_norm = 5;  // 0: gradients are not clipped
  // Which epoch's weights are tested. The validation actors decide; the test actors are scored once, at last.
  Select select = Select::kBestValidation;
  Monitor monitor = Monitor::kValidationUar;
  int patience = 0;  // stop after so many epochs without a better one; 0: never
  // balanced: a class weighs (training items) / (classes * training items of the class)
  ClassWeights class_weights = ClassWeights::kNone;
  Sampling sampling = Sampling::kShuffled;
  BatchAugmentSettings augment_batch;
  AveragingSettings averaging;
  double checkpoint_every_s = 10;
  Precision precision = Precision::kFloat32;
  Determinism determinism = Determinism::kRunToRun;
  // Models that train side by side, one number; empty, "auto": as many as there are threads, on a GPU 16.
  std::vector<std::int64_t> parallel_models;

  Arithmetic arithmetic() const {
    return {.tf32 = precision == Precision::kTf32, .run_to_run = determinism == Determinism::kRunToRun};
  }
};
void describe(SettingsVisitor& v, TrainSettings& settings);

}  // namespace serval::train
