// One layer of a network on its device: calls ops only, so the same code drives every device.
#pragma once

#include <span>
#include <vector>

#include "serval/nn/batch_norm.h"
#include "serval/nn/gemm.h"
#include "serval/nn/network.h"
#include "serval/nn/pointwise.h"

#include "network_plan.h"

namespace serval::nn {

// The steps of the sequences on one clock, in this batch.
struct Steps {
  std::int64_t time = 1;
  View<const std::int32_t> lengths;  // [batch], on the device
  const std::int32_t* host_lengths = nullptr;
};

// What a layer needs to know about the call it is part of.
struct LayerCall {
  const Context& context;
  std::int64_t batch = 0;
  std::span<const Steps> clocks;
  Mode mode = Mode::kInfer;
  RandomStream random;          // of this training step
  float* parameters = nullptr;  // the network's flat buffers
  float* gradients = nullptr;

  const Steps& steps(const ValueType& type) const { return clocks[static_cast<std::size_t>(type.clock)]; }
  std::int64_t rows(const ValueType& type) const {  // items
    return type.sequence() ? batch * steps(type).time : batch;
  }
  Shape shape(const ValueType& type) const {
    Shape out = type.sequence() ? Shape{steps(type).time, batch} : Shape{batch};
    return out.append(type.item);
  }
};

struct LayerBuild {
  const Context& context;
  const NetworkPlan& plan;
  const PlannedNode& node;
  const NetworkSizes& sizes;

  const ValueType& input(std::size_t index = 0) const {
    return plan.values[static_cast<std::size_t>(node.inputs[index])].type;
  }
  const ValueType& output() const { return plan.values[static_cast<std::size_t>(node.output)].type; }
  std::int64_t max_time(const ValueType& type) const {
    return type.sequence() ? plan.clocks[static_cast<std::size_t>(type.clock)].max_time : 1;
  }
  std::int64_t max_rows(const ValueType& type) const { return sizes.max_batch * max_time(type); }
  // Memory for a layer's own use.
  Tensor floats(std::int64_t count) const { return Tensor(context.device(), {count}); }
};

// What goes back through a layer.
struct Backward {
  std::span<const ConstTensorView> x;  // what forward was given
  ConstTensorView y;                   // and what it gave
  TensorView dy;                       // 0 at steps past a sequence's end; the layer may overwrite it
  std::span<const TensorView> dx;      // to be overwritten, 0 past the end too; empty where not wanted
};

class Layer {
 public:
  explicit Layer(const LayerBuild& build);
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  virtual void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) = 0;
  // Adds to the parameters' gradients.
  virtual void backward(const LayerCall& call, const Backward& b) = 0;
  // In Mode::kInfer: a layer that gives its norm lets one that takes it do both, by forward_normed() into its own y.
  virtual bool gives_norm() const { return false; }
  virtual ChannelNorm norm(const LayerCall& call);
  virtual bool takes_norm() const { return false; }
  virtual void forward_normed(const LayerCall& call, std::span<const ConstTensorView> x,
                              const ChannelNorm& norm, TensorView y);
  // Whether y would be x, in a forward that is not followed by a backward.
  virtual bool passes_through(Mode) const { return false; }

 protected:
  // Whether this layer's weights train; those of a frozen one have no gradients.
  bool trains() const { return trains_; }
  // Block `index` of this layer's parameters, and its gradient. The rows of a statistic may be written in forward.
  ConstTensorView parameter(const LayerCall& call, std::size_t index) const;
  TensorView statistic(const LayerCall& call, std::size_t index) const;
  TensorView gradient(const LayerCall& call, std::size_t index) const;

  const std::string& name() const { return name_; }
  const ValueType& input(std::size_t index = 0) const { return inputs_[index]; }
  const ValueType& output() const { return output_; }

 private:
  std::string name_;
  std::vector<ValueType> inputs_;
  ValueType output_;
  std::vector<ParameterBlock> blocks_;
  bool trains_;
};

// A matrix as part of a larger one.
template <class T>
struct Matrix {
  T* data = nullptr;
  std::int64_t stride = 0;
};
using ConstMatrix = Matrix<const float>;

// y [rows, n] = x [rows, k] w^T + beta y, with w [n, k]; and its gradients, that of w added to.
void project(const Context& context, std::int64_t rows, std::int64_t n, std::int64_t k, ConstMatrix x,
             ConstMatrix w, Matrix<float> y, float beta);
void project_weight_gradient(const Context& context, std::int64_t rows, std::int64_t n, std::int64_t k,
                             ConstMatrix x, ConstMatrix dy, Matrix<float> dw);
void project_input_gradient(const Context& context, std::int64_t rows, std::int64_t n, std::int64_t k,
                            ConstMatrix dy, ConstMatrix w, Matrix<float> dx, float beta);

// The same of whole matrices, w [n, k] as every weight matrix is stored.
void multiply(const Context& context, ConstTensorView x, ConstTensorView w, TensorView y);
void multiply_weight_gradient(const Context& context, ConstTensorView x, ConstTensorView dy, TensorView dw);
void multiply_input_gradient(const Context& context, ConstTensorView dy, ConstTensorView w, TensorView dx,
                             float beta);

}  // namespace serval::nn
