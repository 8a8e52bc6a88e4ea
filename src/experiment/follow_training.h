// What people can watch while models train.
#pragma once

#include "serval/train/cohort.h"

namespace serval::experiment {

// TensorBoard's event files, one in each task's folder: train/loss, validation/loss, validation/uar (validation/ccc) and
// learning_rate by epoch.
train::MakeFollower write_event_files();

}  // namespace serval::experiment
