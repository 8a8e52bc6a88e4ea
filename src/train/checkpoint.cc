#include "checkpoint.h"

#include <algorithm>
#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/text.h"
#include "serval/store/hdf5.h"
#include "serval/store/seal.h"

#include "weights_lineage.h"

namespace serval::train {

namespace {

constexpr int kHistoryColumns = 7;
constexpr std::size_t kMostDifferences = 20;  // that a message names

void write_flat(store::Hdf5File& file, const char* name, const std::vector<float>& values) {
  if (values.empty()) return;
  file.write(name, values, Shape{static_cast<std::int64_t>(values.size())});
}
// Of the size that `values` has.
void read_flat(const store::Hdf5File& file, const char* name, std::vector<float>& values) {
  if (values.empty()) return;
  const std::size_t wanted = values.size();
  values = file.read_floats(name);
  if (values.size() != wanted) {
    throw DataError(cat(file.path().string(), ": ", name, " holds ", values.size(),
                        " values; this training has ", wanted, "; delete the file to train the model again"));
  }
}

void write_blocks(store::Hdf5File& file, const std::string& group, const std::vector<float>& values,
                  const std::vector<nn::ParameterBlock>& blocks) {
  for (const nn::ParameterBlock& block : blocks) {
    const auto begin = values.begin() + block.offset;
    file.write(group + "/" + block.name, std::vector<float>(begin, begin + block.shape.size()), block.shape);
  }
}
void read_blocks(const store::Hdf5File& file, const std::string& group, std::vector<float>& values,
                 const std::vector<nn::ParameterBlock>& blocks) {
  for (const nn::ParameterBlock& block : blocks) {
    const std::vector<float> from = file.read_floats(group + "/" + block.name);
    std::copy(from.begin(), from.end(), values.begin() + block.offset);
  }
}

// Names what the file has otherwise than the network.
void check_blocks(const store::Hdf5File& file, const std::vector<nn::ParameterBlock>& blocks) {
  std::vector<std::string> differences;
  std::vector<std::string> held = file.read_texts("blocks");
  for (const nn::ParameterBlock& block : blocks) {
    const auto found = std::find(held.begin(), held.end(), block.name);
    if (found == held.end()) {
      differences.push_back(cat(block.name, " ", to_string(block.shape), " is missing"));
      continue;
    }
    held.erase(found);
    const Shape shape = file.shape("training/" + block.name);
    if (!(shape == block.shape)) {
      differences.push_back(
          cat(block.name, " is ", to_string(shape), ", the network has ", to_string(block.shape)));
    }
  }
  for (const std::string& name : held)
    differences.push_back(
        cat(name, " ", to_string(file.shape("training/" + name)), " is none of the network's"));
  if (differences.empty()) return;
  const std::size_t all = differences.size();
  if (all > kMostDifferences) {
    differences.resize(kMostDifferences);
    differences.push_back(cat("and ", all - kMostDifferences, " more"));
  }
  throw DataError(
      cat(file.path().string(), ": holds the weights of another network: ", join(differences, "; ")));
}

}  // namespace

void write_checkpoint(const std::string& path, const Task& task, const TrainingState& state,
                      const CheckpointTensors& tensors, const std::vector<nn::ParameterBlock>& blocks) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    store::Hdf5File file = store::Hdf5File::create(temporary);
    file.write_attribute("model", task.model);
    file.write_attribute("fold", static_cast<std::int64_t>(task.fold) + 1);
    file.write_attribute("seed", static_cast<std::int64_t>(task.seed));
    file.write_attribute("step", state.step);
    file.write_attribute("averaged", state.averaged);
    file.write_attribute("selected_epoch", static_cast<std::int64_t>(state.selected));
    std::vector<std::string> names;
    for (const nn::ParameterBlock& block : blocks) names.push_back(block.name);
    file.write_texts("blocks", names);
    write_blocks(file, "training", tensors.parameters, blocks);
    write_blocks(file, "selected", tensors.selected, blocks);
    write_flat(file, "optimiser", tensors.optimiser);
    write_flat(file, "average", tensors.average);
    write_flat(file, "centers", tensors.centers);
    for (const TaskInput& input : task.inputs) {
      // The first one where it always was, the others by their names.
      const std::string group = &input == &task.first() ? "normaliser" : "normalisers/" + input.name;
      const Shape columns{static_cast<std::int64_t>(input.normaliser.mean.size())};
      file.write(group + "/mean", input.normaliser.mean, columns);
      file.write(group + "/scale", input.normaliser.scale, columns);
      file.write_texts(group + "/fitted_on_actors", input.normaliser.fitted_on_actors);
    }
    for (const Head& head : task.heads) {
      if (head.scaling.mean.empty()) continue;
      const std::string group = "targets/" + head.output;
      file.write(group + "/mean", head.scaling.mean, Shape{head.target->width()});
      file.write(group + "/scale", head.scaling.scale, Shape{head.target->width()});
      file.write_texts(group + "/fitted_on_actors", head.scaling.fitted_on_actors);
    }
    file.write_texts("devices", state.devices);
    write_lineage(file, task, state.lineage);
    std::vector<double> history;
    for (const Epoch& e : state.history) {
      history.insert(history.end(), {static_cast<double>(e.epoch), e.train_loss, e.validation_loss,
                                     e.validation_uar, e.learning_rate, e.seconds, e.validation_ccc});
    }
    file.write("history", history, Shape{static_cast<std::int64_t>(state.history.size()), kHistoryColumns});
    file.close();
    store::Seal seal;
    seal.kind = "checkpoint";
    seal.key = task.key;
    seal.items = static_cast<std::int64_t>(state.history.size());
    store::seal_file(temporary, seal);
  });
}

bool read_checkpoint(const std::string& path, const Task& task, const std::vector<nn::ParameterBlock>& blocks,
                     TrainingState& state, CheckpointTensors& tensors) {
  if (!std::filesystem::exists(path)) return false;
  const store::Seal seal = store::verify_seal(path);
  if (seal.key != task.key) {
    throw DataError(cat(
        path, ": this checkpoint belongs to another experiment, recordings or device; use another --out"));
  }
  const store::Hdf5File file = store::Hdf5File::open(path);
  check_blocks(file, blocks);
  read_blocks(file, "training", tensors.parameters, blocks);
  read_blocks(file, "selected", tensors.selected, blocks);
  read_flat(file, "optimiser", tensors.optimiser);
  read_flat(file, "average", tensors.average);
  read_flat(file, "centers", tensors.centers);
  state.step = file.read_integer_attribute("step");
  state.averaged = file.read_integer_attribute("averaged");
  state.selected = static_cast<int>(file.read_integer_attribute("selected_epoch"));
  state.devices = file.read_texts("devices");
  state.lineage = read_lineage(file);
  const std::vector<double> rows = file.read_doubles("history");
  for (std::size_t at = 0; at + kHistoryColumns <= rows.size(); at += kHistoryColumns) {
    state.history.push_back({static_cast<int>(rows[at]), rows[at + 1], rows[at + 2], rows[at + 3],
                             rows[at + 4], rows[at + 5], rows[at + 6]});
  }
  return true;
}

}  // namespace serval::train
