// What a model's heads besides that of the classes said, for the report.
#pragma once

#include <vector>

#include "serval/corpus/manifest.h"
#include "serval/report/run_report.h"
#include "serval/train/task.h"

namespace serval::experiment {

// Fills `model.heads` and `model.head_predictions`. `results` are those of `tasks`, one by one.
void report_heads(report::ModelReport& model, const std::vector<train::TaskResult>& results,
                  const std::vector<train::Task>& tasks, const corpus::Manifest& manifest);

}  // namespace serval::experiment
