#include "names.h"

#include <cctype>
#include <set>

#include "serval/core/error.h"

#include "layers.h"

namespace serval::deploy::keras {

namespace {

// Whether the layer of the network that this one is, or is a part of, was given a name.
bool was_named(const nn::NetworkSettings& network, const std::string& name) {
  bool named = false;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const std::string layer = nn::layer_name(network, i);
    if (layer.size() < longest || (name != layer && !name.starts_with(layer + "."))) continue;
    longest = layer.size();
    named = !network.layers[i].name.empty();
  }
  return named;
}

std::string as_word(std::string name) {
  // A layer whose activation is another layer is called so, and has all of its weights.
  const std::string linear = ".linear";
  if (name.ends_with(linear)) name.resize(name.size() - linear.size());
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') c = '_';
  }
  return name;
}

std::string unused(const std::string& base, std::set<std::string>& used) {
  std::string name = base;
  for (int count = 1; !used.insert(name).second; ++count) name = cat(base, "_", count);
  return name;
}

}  // namespace

void name_layers(const nn::NetworkSettings& network, std::vector<KerasLayer>& layers) {
  std::set<std::string> used;
  for (KerasLayer& layer : layers) {
    if (was_named(network, layer.serval_name)) layer.name = unused(as_word(layer.serval_name), used);
  }
  for (KerasLayer& layer : layers) {
    if (layer.name.empty()) layer.name = unused(base_name(layer), used);
  }
}

}  // namespace serval::deploy::keras
