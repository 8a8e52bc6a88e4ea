// One layer of a member's network as those see it who write it down elsewhere: its settings and its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/deploy/bundle.h"
#include "serval/nn/graph.h"

namespace serval::deploy {

class LayerReader {
 public:
  LayerReader(const nn::NetworkGraph& network, const nn::GraphStep& step, const BundleMember& member)
      : network_(network), step_(step), member_(member) {}

  const nn::NetworkGraph& network() const { return network_; }
  const nn::GraphStep& step() const { return step_; }
  std::size_t inputs() const { return step_.inputs.size(); }
  const nn::ValueType& type(std::size_t index = 0) const;
  const nn::ValueType& result() const;
  // Settings of the layer; InternalError where it has none such.
  std::int64_t integer(const char* key) const;
  double real(const char* key) const;
  bool flag(const char* key) const;
  std::string text(const char* key) const;
  std::vector<std::int64_t> integers(const char* key) const;  // one number counts as a list
  // Parameters, by what follows the layer's name.
  bool has(const std::string& what) const;
  const NamedArray& array(const std::string& what) const;
  const BundleMember& member() const { return member_; }

 private:
  const JsonValue& setting(const char* key) const;

  const nn::NetworkGraph& network_;
  const nn::GraphStep& step_;
  const BundleMember& member_;
};

}  // namespace serval::deploy
