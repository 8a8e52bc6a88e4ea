// A type of layer: its settings, and what they make of its inputs. One file each in src/nn/layers, listed in
// layer_types.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/nn/network.h"

namespace serval::nn {

class NodePlan;

class LayerBody {
 public:
  virtual ~LayerBody() = default;
  virtual const char* type() const = 0;
  virtual std::unique_ptr<LayerBody> clone() const = 0;
  virtual void describe(SettingsVisitor& v) = 0;
  // Checks the inputs and says what the layer gives: a layer of its own, a view, or other layers.
  virtual void plan(NodePlan& node) const = 0;
};

// Derived has `static constexpr const char* kType`.
template <class Derived>
class LayerBodyOf : public LayerBody {
 public:
  const char* type() const override { return Derived::kType; }
  std::unique_ptr<LayerBody> clone() const override {
    return std::make_unique<Derived>(static_cast<const Derived&>(*this));
  }
};

using MakeLayerBody = std::unique_ptr<LayerBody> (*)();
// By name, as files spell it.
const Options<MakeLayerBody>& layer_types();

}  // namespace serval::nn
