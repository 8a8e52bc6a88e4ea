#include "checkpoint.h"

#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/store/hdf5.h"
#include "serval/store/seal.h"

namespace serval::train {

namespace {

constexpr int kHistoryColumns = 6;

void write_floats(store::Hdf5File& file, const char* name, const std::vector<float>& values) {
  file.write(name, values, Shape{static_cast<std::int64_t>(values.size())});
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
    file.write_attribute("selected_epoch", static_cast<std::int64_t>(state.selected));
    write_floats(file, "training/parameters", tensors.parameters);
    write_floats(file, "training/first_moment", tensors.first_moment);
    write_floats(file, "training/second_moment", tensors.second_moment);
    write_floats(file, "selected/flat", tensors.best_parameters);
    // The selected weights once more, by name, for whoever opens the file with h5py.
    for (const nn::ParameterBlock& block : blocks) {
      const auto begin = tensors.best_parameters.begin() + block.offset;
      file.write("selected/" + block.name, std::vector<float>(begin, begin + block.shape.size()),
                 block.shape);
    }
    write_floats(file, "normaliser/mean", task.normaliser.mean);
    write_floats(file, "normaliser/scale", task.normaliser.scale);
    file.write_texts("normaliser/fitted_on_actors", task.normaliser.fitted_on_actors);
    file.write_texts("devices", state.devices);
    std::vector<double> history;
    for (const Epoch& e : state.history) {
      history.insert(history.end(), {static_cast<double>(e.epoch), e.train_loss, e.validation_loss,
                                     e.validation_uar, e.learning_rate, e.seconds});
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

bool read_checkpoint(const std::string& path, const Task& task, std::int64_t parameter_count,
                     TrainingState& state, CheckpointTensors& tensors) {
  if (!std::filesystem::exists(path)) return false;
  const store::Seal seal = store::verify_seal(path);
  if (seal.key != task.key) {
    throw DataError(cat(
        path, ": this checkpoint belongs to another experiment, recordings or device; use another --out"));
  }
  const store::Hdf5File file = store::Hdf5File::open(path);
  tensors.parameters = file.read_floats("training/parameters");
  tensors.first_moment = file.read_floats("training/first_moment");
  tensors.second_moment = file.read_floats("training/second_moment");
  tensors.best_parameters = file.read_floats("selected/flat");
  if (static_cast<std::int64_t>(tensors.parameters.size()) != parameter_count) {
    throw DataError(
        cat(path, ": holds ", tensors.parameters.size(), " parameters; the network has ", parameter_count));
  }
  state.step = file.read_integer_attribute("step");
  state.selected = static_cast<int>(file.read_integer_attribute("selected_epoch"));
  state.devices = file.read_texts("devices");
  const std::vector<double> rows = file.read_doubles("history");
  for (std::size_t at = 0; at + kHistoryColumns <= rows.size(); at += kHistoryColumns) {
    state.history.push_back(
        {static_cast<int>(rows[at]), rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4], rows[at + 5]});
  }
  return true;
}

}  // namespace serval::train
