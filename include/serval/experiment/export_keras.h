// The weights of a bundle's networks as HDF5, laid out as Keras 2 saved them, which Keras 3 reads too:
//   model.load_weights("lstm.h5", by_name=True)
//
// Attributes of the file: layer_names, backend and keras_version, then classes, and all that a reader needs to give the bundle's
// scores, as text or JSON (deploy/keras.h lists them). A group a layer, with the attributes weight_names, class_name,
// serval_name, serval_type, serval_settings and, where Keras has no such layer, serval_layout; its weights lie under their names,
// "lstm/lstm/kernel:0", all as float32. serval/normaliser/<input>/mean and scale are the normaliser: the network reads
// (features - mean) * scale.
#pragma once

#include <string>
#include <vector>

namespace serval::experiment {

// Gives the files: `out`, or of several members one each, as `serval onnx` names them. A file is there as a whole or not at all,
// and takes the place of an older one. Throws ConfigError for a name that Keras does not read so, UnsupportedError for models
// that are no networks; nothing is written then.
std::vector<std::string> export_keras(const std::string& bundle, const std::string& out);

}  // namespace serval::experiment
