#include "serval/experiment/export_keras.h"

#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/deploy/keras.h"
#include "serval/store/hdf5.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

// Keras 2 turned kernels that Theano had written; what TensorFlow wrote is taken as it is by every version since.
constexpr const char* kBackend = "tensorflow";
constexpr const char* kLayoutOfKeras = "2.15.0";
constexpr const char* kInput = "input/";

void check_name(const std::string& out) {
  const std::string ending = fs::path(out).extension().string();
  if (ending != ".h5" && ending != ".hdf5") throw ConfigError(cat(out, ": the file's name must end in .h5"));
  if (out.ends_with(".weights.h5"))
    throw ConfigError(
        cat(out, ": Keras takes what ends in .weights.h5 for another layout; leave .weights out"));
}

void write_layer(store::Hdf5File& file, const deploy::KerasLayer& layer) {
  std::vector<std::string> names;
  for (const NamedArray& weight : layer.weights) {
    names.push_back(layer.name + "/" + weight.name);
    file.write(layer.name + "/" + names.back(), weight.values, weight.shape);
  }
  file.write_attribute_of(layer.name, "weight_names", names);
  file.write_attribute_of(layer.name, "class_name", layer.class_name);
  file.write_attribute_of(layer.name, "serval_name", layer.serval_name);
  file.write_attribute_of(layer.name, "serval_type", layer.serval_type);
  file.write_attribute_of(layer.name, "serval_settings", write_json(layer.serval_settings));
  if (!layer.serval_layout.empty()) file.write_attribute_of(layer.name, "serval_layout", layer.serval_layout);
}

void write_file(const fs::path& path, const deploy::Bundle& bundle, const deploy::KerasNetwork& network) {
  store::Hdf5File file = store::Hdf5File::create(path, 0);
  std::vector<std::string> names;
  for (const deploy::KerasLayer& layer : network.layers) {
    write_layer(file, layer);
    names.push_back(layer.name);
  }
  const std::string root = "/";
  file.write_attribute_of(root, "layer_names", names);
  file.write_attribute("backend", kBackend);
  file.write_attribute("keras_version", kLayoutOfKeras);
  for (const auto& [key, value] : network.properties) {
    if (key == "classes" || key == "stamps") continue;
    file.write_attribute(key, value);
  }
  file.write_attribute_of(root, "classes", bundle.classes);
  file.write_attribute_of(root, "stamps", bundle.stamps);
  for (const NamedArray& array : bundle.members[network.member].arrays) {
    if (array.name.starts_with(kInput))
      file.write("serval/normaliser/" + array.name.substr(std::string(kInput).size()), array.values,
                 array.shape);
  }
  file.close();
}

}  // namespace

std::vector<std::string> export_keras(const std::string& bundle, const std::string& out) {
  check_name(out);
  const deploy::Bundle read = deploy::read_bundle(bundle);
  std::vector<std::string> files;
  for (const deploy::KerasNetwork& network : deploy::keras_networks(read)) {
    files.push_back(deploy::file_of_member(out, read, network.member));
    write_atomically(files.back(), [&](const fs::path& path) { write_file(path, read, network); });
    log_info(cat(files.back(), ": ", network.layers.size(), " layers"));
  }
  return files;
}

}  // namespace serval::experiment
