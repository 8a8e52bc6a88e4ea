#include "serval/train/task_result.h"

#include <cmath>
#include <filesystem>
#include <limits>

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
  if (!std::isnan(e.validation_ccc)) out.set("validation_ccc", JsonValue::of(e.validation_ccc));
  return out;
}

const JsonValue& member(const JsonValue& object, const char* key) {
  return need_member(object, key, "; delete this file to train its model again");
}

double number_or_nan(const JsonValue& value) {
  return value.kind == JsonValue::Kind::kNull ? std::numeric_limits<double>::quiet_NaN() : value.real;
}

JsonValue numbers_json(const std::vector<std::int64_t>& numbers) {
  JsonValue out = JsonValue::list();
  for (const std::int64_t number : numbers) out.items.push_back(JsonValue::of(number));
  return out;
}
std::vector<std::int64_t> numbers_of(const JsonValue& json) {
  std::vector<std::int64_t> out;
  for (const JsonValue& number : json.items) out.push_back(number.integer);
  return out;
}

JsonValue rows_json(const std::vector<std::vector<float>>& rows) {
  JsonValue out = JsonValue::list();
  for (const std::vector<float>& values : rows) {
    JsonValue row = JsonValue::list();
    for (const float value : values) row.items.push_back(JsonValue::of(static_cast<double>(value)));
    out.items.push_back(std::move(row));
  }
  return out;
}
std::vector<std::vector<float>> rows_of(const JsonValue& json) {
  std::vector<std::vector<float>> out;
  for (const JsonValue& row : json.items) {
    std::vector<float>& values = out.emplace_back();
    for (const JsonValue& value : row.items) values.push_back(static_cast<float>(value.real));
  }
  return out;
}

// What the head is compared with, its scores on the test side, and what it said of each recording.
JsonValue head_json(const Head& head, const TaskResult& result, const HeadResult& said) {
  const Target& target = *head.target;
  const HeadScores scores = score_head(target, result.recordings, said.values);
  JsonValue out = JsonValue::object();
  out.set("target", JsonValue::of(target.name));
  out.set("names", JsonValue::of(target.names));
  JsonValue measures = JsonValue::object();
  if (!target.of_numbers()) {
    measures.set("uar", JsonValue::of(scores.classes.uar));
    measures.set("wa", JsonValue::of(scores.classes.wa));
    measures.set("macro_f1", JsonValue::of(scores.classes.macro_f1));
  }
  for (std::size_t k = 0; k < scores.numbers.size(); ++k) {
    JsonValue number = JsonValue::object();
    number.set("ccc", JsonValue::of(scores.numbers[k].ccc));
    number.set("mse", JsonValue::of(scores.numbers[k].mse));
    number.set("rmse", JsonValue::of(scores.numbers[k].rmse));
    measures.set(target.names[k], std::move(number));
  }
  out.set("scores", std::move(measures));
  out.set("values", rows_json(said.values));
  return out;
}

std::string history_csv(const std::vector<Epoch>& history) {
  const bool numbers = !history.empty() && !std::isnan(history.front().validation_ccc);
  std::string out = "epoch,train_loss,validation_loss,validation_uar,learning_rate,seconds";
  out += numbers ? ",validation_ccc\n" : "\n";
  for (const Epoch& e : history) {
    out += cat(e.epoch, ",", json_number(e.train_loss), ",", json_number(e.validation_loss), ",",
               json_number(e.validation_uar), ",", json_number(e.learning_rate), ",", json_number(e.seconds));
    out += numbers ? cat(",", json_number(e.validation_ccc), "\n") : "\n";
  }
  return out;
}

}  // namespace

void write_history(const Task& task, const std::vector<Epoch>& history) {
  write_often(task.folder + "/history.csv", history_csv(history));
}

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
  out.set("recordings", numbers_json(result.recordings));
  out.set("probabilities", rows_json(result.probabilities));
  out.set("validation", numbers_json(result.validation));
  out.set("validation_probabilities", rows_json(result.validation_probabilities));
  if (!result.heads.empty()) {
    JsonValue heads = JsonValue::object();
    for (const HeadResult& said : result.heads)
      heads.set(said.output, head_json(task.head(said.output), result, said));
    out.set("heads", std::move(heads));
  }
  JsonValue lineage = JsonValue::object();
  lineage.set("trained_on", numbers_json(result.lineage.trained_on));
  lineage.set("chosen_by", numbers_json(result.lineage.chosen_by));
  lineage.set("weights_tell", JsonValue::of(result.lineage.weights_tell));
  lineage.set("weights_heard", JsonValue::of(result.lineage.weights_heard));
  lineage.set("weights_chosen_by", JsonValue::of(result.lineage.weights_chosen_by));
  out.set("lineage", std::move(lineage));
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
                              number_or_nan(member(e, "validation_loss")),
                              number_or_nan(member(e, "validation_uar")), member(e, "learning_rate").real,
                              member(e, "seconds").real});
    if (const JsonValue* ccc = e.find("validation_ccc"); ccc != nullptr)
      result.history.back().validation_ccc = ccc->real;
  }
  result.inner = task.inner;
  result.recordings = numbers_of(member(json, "recordings"));
  const JsonValue& lineage = member(json, "lineage");
  result.lineage.trained_on = numbers_of(member(lineage, "trained_on"));
  result.lineage.chosen_by = numbers_of(member(lineage, "chosen_by"));
  result.lineage.weights_tell = member(lineage, "weights_tell").boolean;
  for (const JsonValue& actor : member(lineage, "weights_heard").items)
    result.lineage.weights_heard.push_back(actor.text);
  for (const JsonValue& actor : member(lineage, "weights_chosen_by").items)
    result.lineage.weights_chosen_by.push_back(actor.text);
  result.probabilities = rows_of(member(json, "probabilities"));
  result.validation = numbers_of(member(json, "validation"));
  result.validation_probabilities = rows_of(member(json, "validation_probabilities"));
  if (const JsonValue* heads = json.find("heads"); heads != nullptr) {
    for (const auto& [output, head] : heads->members)
      result.heads.push_back({output, rows_of(member(head, "values"))});
  }
  return result;
}

}  // namespace serval::train
