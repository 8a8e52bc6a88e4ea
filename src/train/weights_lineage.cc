#include "weights_lineage.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "serval/core/safetensors.h"
#include "serval/store/seal.h"

namespace serval::train {

namespace {

Shape length_of(const std::vector<std::int64_t>& numbers) {
  return {static_cast<std::int64_t>(numbers.size())};
}

std::vector<std::string> both(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::set<std::string> all(a.begin(), a.end());
  all.insert(b.begin(), b.end());
  return {all.begin(), all.end()};
}

}  // namespace

void note_recordings(std::vector<std::int64_t>& noted, const std::vector<std::int64_t>& recordings,
                     std::span<const std::int64_t> origins) {
  for (const std::int64_t r : recordings)
    noted.push_back(origins.empty() ? r : origins[static_cast<std::size_t>(r)]);
  std::sort(noted.begin(), noted.end());
  noted.erase(std::unique(noted.begin(), noted.end()), noted.end());
}

void write_lineage(store::Hdf5File& file, const Task& task, const Lineage& lineage) {
  std::vector<std::string> trained = both(task.sides.train_actors, lineage.weights_heard);
  if (task.protocol.has(folds::Leak::kCopiesBeforeSplit))
    trained = both(both(trained, task.sides.validation_actors), task.sides.test_actors);
  file.write("lineage/trained_on", std::span<const std::int64_t>(lineage.trained_on),
             length_of(lineage.trained_on));
  file.write("lineage/chosen_by", std::span<const std::int64_t>(lineage.chosen_by),
             length_of(lineage.chosen_by));
  file.write_attribute("weights_tell", std::int64_t{lineage.weights_tell ? 1 : 0});
  file.write_texts("lineage/weights_heard", lineage.weights_heard);
  file.write_texts("lineage/weights_chosen_by", lineage.weights_chosen_by);
  file.write_texts("lineage/actors_trained", trained);
  file.write_texts("lineage/actors_chosen", both(task.sides.validation_actors, lineage.weights_chosen_by));
  file.write_texts("lineage/leaks", task.protocol.leaks);
}

Lineage read_lineage(const store::Hdf5File& file) {
  Lineage out;
  out.trained_on = file.read_int64s("lineage/trained_on");
  out.chosen_by = file.read_int64s("lineage/chosen_by");
  out.weights_tell = file.read_integer_attribute("weights_tell") != 0;
  out.weights_heard = file.read_texts("lineage/weights_heard");
  out.weights_chosen_by = file.read_texts("lineage/weights_chosen_by");
  return out;
}

std::optional<HeardActors> actors_heard_by(const std::string& path) {
  if (std::filesystem::path(path).extension() == ".safetensors") {
    const SafetensorsFile file(path);
    const auto trained = file.text_list(kTrainedOnActors), chosen = file.text_list(kChosenByActors);
    if (!trained || !chosen) return std::nullopt;
    return HeardActors{*trained, *chosen};
  }
  const store::Hdf5File file = store::open_verified(path);
  if (!file.has("lineage/actors_trained")) return std::nullopt;
  // Weights that start from untold ones do not tell either.
  if (file.read_integer_attribute("weights_tell") == 0) return std::nullopt;
  return HeardActors{file.read_texts("lineage/actors_trained"), file.read_texts("lineage/actors_chosen")};
}

}  // namespace serval::train
