// Weights that a network starts from, out of a file: safetensors, or HDF5 such as a checkpoint of Serval.
//
//   "initial_weights": { "file": "runs/first/models/m/fold-{fold}_seed-{seed}/checkpoint.h5", "map": { "*": "selected/*" } }
//
// `map` says which array of the file each block of the network takes; `serval model summary` and docs/networks.md say
// what blocks there are. A name with one "*" stands for all that fit, and what the "*" stood for is put into the other
// name: {"encoder.*": "model.enc.*"}. Names written out come first, then the rules in their order. A block that no
// name fits keeps its drawn weights; without a map, every block takes the array of its own name. {fold} and {seed} in
// the file's name are the model's, so that weights trained on a fold's training side start that fold again: 03, 1.
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/nn/network.h"

namespace serval::train {

//
// "model" in the place of "file" names a network before this one in the same experiment: each fold and seed starts from
// the selected weights of that network's same fold and seed, which have heard the same training recordings.
struct InitialWeightsSettings {
  std::string file;
  std::string model = {};
  NamedList<std::string> map;

  std::string path(int fold, std::uint64_t seed) const;  // fold from 0
};
void describe(SettingsVisitor& v, InitialWeightsSettings& settings);

// Puts the file's arrays into `parameters`, laid out as `blocks`. Shapes must be equal, axes of 1 aside. Throws DataError
// when the file cannot be read, and ConfigError that names everything that does not fit.
void load_initial_weights(const std::string& path, const NamedList<std::string>& map,
                          const std::vector<nn::ParameterBlock>& blocks, std::vector<float>& parameters);

}  // namespace serval::train
