#include "serval/train/task_result.h"

#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"

namespace serval::train {

namespace {

std::string result_path(const Task& task) { return task.folder + "/result.json"; }

JsonValue to_json(const Epoch& e) {
  JsonValue out = JsonValue::object();
  out.set("epoch", JsonValue::of(e.epoch));
  out.set("train_loss", JsonValue::of(e.train_loss));
  out.set("validation_loss", JsonValue::of(e.validation_loss));
  out.set("validation_uar", JsonValue::of(e.validation_uar));
  out.set("learning_rate", JsonValue::of(e.learning_rate));
  out.set("seconds", JsonValue::of(e.seconds));
  return out;
}

const JsonValue& member(const JsonValue& object, const char* key) {
  const JsonValue* value = object.find(key);
  if (value == nullptr)
    throw DataError(cat(to_string(object.place), ": \"", key,
                        "\" is missing; delete this file to train its model again"));
  return *value;
}

std::string history_csv(const std::vector<Epoch>& history) {
  std::string out = "epoch,train_loss,validation_loss,validation_uar,learning_rate,seconds\n";
  for (const Epoch& e : history) {
    out += cat(e.epoch, ",", json_number(e.train_loss), ",", json_number(e.validation_loss), ",",
               json_number(e.validation_uar), ",", json_number(e.learning_rate), ",", json_number(e.seconds),
               "\n");
  }
  return out;
}

}  // namespace

void write_task_result(const Task& task, const TaskResult& result) {
  JsonValue out = JsonValue::object();
  out.set("key", JsonValue::of(task.key));
  out.set("model", JsonValue::of(result.model));
  out.set("fold", JsonValue::of(result.fold + 1));
  out.set("seed", JsonValue::of(static_cast<std::int64_t>(result.seed)));
  out.set("selected_epoch", JsonValue::of(result.selected_epoch));
  out.set("devices", JsonValue::of(result.devices));
  out.set("parameters", JsonValue::of(result.parameters));
  out.set("seconds", JsonValue::of(result.seconds));
  JsonValue history = JsonValue::list();
  for (const Epoch& epoch : result.history) history.items.push_back(to_json(epoch));
  out.set("history", std::move(history));
  JsonValue recordings = JsonValue::list();
  JsonValue probabilities = JsonValue::list();
  for (std::size_t i = 0; i < result.recordings.size(); ++i) {
    recordings.items.push_back(JsonValue::of(result.recordings[i]));
    JsonValue row = JsonValue::list();
    for (const float p : result.probabilities[i]) row.items.push_back(JsonValue::of(static_cast<double>(p)));
    probabilities.items.push_back(std::move(row));
  }
  out.set("recordings", std::move(recordings));
  out.set("probabilities", std::move(probabilities));
  write_atomically(task.folder + "/history.csv", history_csv(result.history));
  write_atomically(result_path(task), write_json(out));
}

std::optional<TaskResult> read_task_result(const Task& task) {
  const std::string path = result_path(task);
  if (!std::filesystem::exists(path)) return std::nullopt;
  const JsonValue json = parse_json(read_text(path), path);
  if (member(json, "key").text != task.key) return std::nullopt;
  TaskResult result;
  result.model = task.model;
  result.fold = task.fold;
  result.seed = task.seed;
  result.selected_epoch = static_cast<int>(member(json, "selected_epoch").integer);
  result.parameters = member(json, "parameters").integer;
  result.seconds = member(json, "seconds").real;
  for (const JsonValue& device : member(json, "devices").items) result.devices.push_back(device.text);
  for (const JsonValue& e : member(json, "history").items) {
    result.history.push_back({static_cast<int>(member(e, "epoch").integer), member(e, "train_loss").real,
                              member(e, "validation_loss").real, member(e, "validation_uar").real,
                              member(e, "learning_rate").real, member(e, "seconds").real});
  }
  for (const JsonValue& recording : member(json, "recordings").items)
    result.recordings.push_back(recording.integer);
  for (const JsonValue& row : member(json, "probabilities").items) {
    std::vector<float>& out = result.probabilities.emplace_back();
    for (const JsonValue& p : row.items) out.push_back(static_cast<float>(p.real));
  }
  return result;
}

}  // namespace serval::train
