// One layer of a network on its device: calls ops only, so the same code drives every device.
#pragma once

#include <memory>

#include "network_plan.h"

namespace serval::nn {

// What a layer needs to know about the call it is part of.
struct LayerCall {
  const Context& context;
  const SequenceBatch& batch;
  Mode mode = Mode::kInfer;
  RandomStream random;                // of this training step
  const float* parameters = nullptr;  // the network's flat buffers
  float* gradients = nullptr;
};

// Owns its output and the gradient of its output, both as large as the largest batch needs.
// Gradients at padded steps are 0 everywhere, so a layer may treat padding like any other step.
class Layer {
 public:
  Layer(const Context& context, const NetworkPlan& plan, PlannedLayer planned, const NetworkSizes& sizes);
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  virtual ConstTensorView forward(const LayerCall& call, ConstTensorView x) = 0;
  // Adds to the parameters' gradients. `dy` is the gradient of what forward returned; `dx` is overwritten
  // with the gradient of x, and empty where that is not wanted.
  virtual void backward(const LayerCall& call, ConstTensorView x, ConstTensorView dy, TensorView dx) = 0;

  // Where the next layer puts the gradient of this one's output.
  TensorView output_gradient(const LayerCall& call);

 protected:
  TensorView output(const LayerCall& call);
  Shape shape(const LayerCall& call, bool sequence, std::int64_t feature) const;
  std::int64_t rows(const LayerCall& call) const;  // of the input

  // Block `index` of this layer's parameters, and its gradient.
  ConstTensorView parameter(const LayerCall& call, std::size_t index) const;
  TensorView gradient(const LayerCall& call, std::size_t index) const;

  const PlannedLayer& planned() const { return planned_; }

 private:
  TensorView view(Tensor& tensor, const LayerCall& call);

  PlannedLayer planned_;
  std::vector<ParameterBlock> blocks_;
  Tensor y_;
  Tensor dy_;
};

std::unique_ptr<Layer> make_lstm_layer(const Context&, const NetworkPlan&, const PlannedLayer&,
                                       const NetworkSizes&);
std::unique_ptr<Layer> make_pool_layer(const Context&, const NetworkPlan&, const PlannedLayer&,
                                       const NetworkSizes&);
std::unique_ptr<Layer> make_attention_layer(const Context&, const NetworkPlan&, const PlannedLayer&,
                                            const NetworkSizes&);
std::unique_ptr<Layer> make_dense_layer(const Context&, const NetworkPlan&, const PlannedLayer&,
                                        const NetworkSizes&);
std::unique_ptr<Layer> make_dropout_layer(const Context&, const NetworkPlan&, const PlannedLayer&,
                                          const NetworkSizes&);

// y [rows, n] = x [rows, k] w^T with w [n, k], as every weight matrix is stored; and its two gradients.
void multiply(const Context& context, ConstTensorView x, ConstTensorView w, TensorView y);
void multiply_weight_gradient(const Context& context, ConstTensorView x, ConstTensorView dy, TensorView dw);
void multiply_input_gradient(const Context& context, ConstTensorView dy, ConstTensorView w, TensorView dx,
                             float beta);

}  // namespace serval::nn
