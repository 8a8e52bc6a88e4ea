#include "serval/train/fitted_learner.h"

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/settings_io.h"
#include "serval/fitting/fit.h"
#include "serval/store/hdf5.h"
#include "serval/store/seal.h"

#include "learner_task.h"
#include "weights_lineage.h"

namespace serval::train {

namespace {

// The arrays of one type: a list of their names, and each under its own.
template <class T>
void write_arrays(store::Hdf5File& file, const char* list,
                  const std::map<std::string, learners::StateArray<T>>& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    names.push_back(name);
    file.write("state/" + name, std::span<const T>(array.values), array.shape);
  }
  file.write_texts(list, names);
}
template <class T, class Read>
void read_arrays(const store::Hdf5File& file, const char* list,
                 std::map<std::string, learners::StateArray<T>>& arrays, Read read) {
  for (const std::string& name : file.read_texts(list)) {
    const std::string path = "state/" + name;
    arrays[name] = {file.shape(path), (file.*read)(path)};
  }
}

}  // namespace

std::vector<std::vector<float>> FittedLearner::scores(const learners::Rows& x) const {
  const std::vector<float> values = learners::normalised(x, normaliser.mean, normaliser.scale);
  return model->scores({values.data(), x.count, x.columns});
}

FittedLearner fit_learner(const Task& task) {
  const std::vector<float> raw = vectors_of(task, task.sides.train);
  const auto count = static_cast<std::int64_t>(task.sides.train.size());
  FittedLearner out{*task.learner, task.first().normaliser, {}, nullptr};
  const std::vector<float> values = learners::normalised({raw.data(), count, task.data().feature},
                                                         out.normaliser.mean, out.normaliser.scale);
  std::vector<int> labels;
  for (const std::int64_t r : task.sides.train)
    labels.push_back(task.data().labels[static_cast<std::size_t>(r)]);
  out.state = fitting::fit(out.settings, {values.data(), count, task.data().feature}, labels,
                           static_cast<int>(task.data().classes), task.seed);
  out.model = learners::restore(out.settings, out.state);
  return out;
}

void write_learner(const std::string& path, const Task& task, const FittedLearner& learner) {
  const learners::LearnerState& state = learner.state;
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    store::Hdf5File file = store::Hdf5File::create(temporary);
    file.write_attribute("model", task.model);
    file.write_attribute("fold", static_cast<std::int64_t>(task.fold) + 1);
    file.write_attribute("seed", static_cast<std::int64_t>(task.seed));
    file.write_text("settings", write_json(settings_to_json(learner.settings)));
    const Shape columns{static_cast<std::int64_t>(learner.normaliser.mean.size())};
    file.write("normaliser/mean", learner.normaliser.mean, columns);
    file.write("normaliser/scale", learner.normaliser.scale, columns);
    file.write_texts("normaliser/fitted_on_actors", learner.normaliser.fitted_on_actors);
    write_lineage(file, task, {.trained_on = task.sides.train, .chosen_by = {}});
    write_arrays(file, "floats", state.floats);
    write_arrays(file, "doubles", state.doubles);
    write_arrays(file, "integers", state.integers);
    file.close();
    store::seal_file(temporary, {.kind = "learner", .key = task.key, .items = columns[0]});
  });
}

FittedLearner read_learner(const std::string& path) {
  if (store::verify_seal(path).kind != "learner") throw DataError(cat(path, ": holds no learner"));
  const store::Hdf5File file = store::Hdf5File::open(path);
  std::vector<std::string> errors;
  FittedLearner out;
  out.settings =
      read_settings<learners::LearnerSettings>(parse_json(file.read_text("settings"), path), errors);
  if (!errors.empty()) throw DataError(cat(path, ": settings of another version: ", join(errors, "; ")));
  out.normaliser.mean = file.read_floats("normaliser/mean");
  out.normaliser.scale = file.read_floats("normaliser/scale");
  out.normaliser.fitted_on_actors = file.read_texts("normaliser/fitted_on_actors");
  learners::LearnerState& state = out.state;
  read_arrays(file, "floats", state.floats, &store::Hdf5File::read_floats);
  read_arrays(file, "doubles", state.doubles, &store::Hdf5File::read_doubles);
  read_arrays(file, "integers", state.integers, &store::Hdf5File::read_int64s);
  try {
    out.model = learners::restore(out.settings, state);
  } catch (const DataError& error) {
    throw DataError(cat(path, ": ", error.what()));
  }
  return out;
}

}  // namespace serval::train
