// A finished task's result.json: whole or absent, and of one task only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serval/train/task.h"

namespace serval::train {

// history.csv of a training under way: readers see a whole file. Written again by write_task_result().
void write_history(const Task& task, const std::vector<Epoch>& history);
void write_task_result(const Task& task, const TaskResult& result);  // into task.folder
// None when the folder has no result or that of another task (its key differs).
std::optional<TaskResult> read_task_result(const Task& task);

}  // namespace serval::train
