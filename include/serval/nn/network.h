// A network from its JSON description, living on one device.
//
//   { "layers": [ { "type": "lstm", "hidden": 128, "layers": 1, "bidirectional": true },
//                 { "type": "attention_pool", "units": 64 },
//                 { "type": "dropout", "rate": 0.3 },
//                 { "type": "dense", "units": 64, "activation": "relu" },
//                 { "type": "dense" } ] }        units 0: one per class
//
// The last layer must be a dense layer with one unit per class; softmax belongs to the loss.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/philox.h"
#include "serval/core/settings.h"
#include "serval/nn/pointwise.h"

namespace serval::nn {

enum class LayerType { kLstm, kMeanPool, kLastPool, kAttentionPool, kDense, kDropout };

struct LayerSettings {
  LayerType type = LayerType::kDense;
  std::int64_t hidden = 128;   // lstm
  std::int64_t layers = 1;     // lstm: stacked
  bool bidirectional = false;  // lstm
  double dropout = 0;          // lstm: between stacked layers
  std::int64_t units = 0;      // dense (0: one per class), attention_pool (width of its hidden layer)
  Activation activation = Activation::kNone;  // dense
  double rate = 0.5;                          // dropout
};
void describe(SettingsVisitor& v, LayerSettings& settings);

struct NetworkSettings {
  std::vector<LayerSettings> layers;
};
void describe(SettingsVisitor& v, NetworkSettings& settings);

// Sizes known only once the data is.
struct NetworkSizes {
  std::int64_t feature = 0;  // F of the input
  std::int64_t classes = 0;
  std::int64_t max_batch = 0;
  std::int64_t max_time = 0;
};

// One named block of the flat parameter buffer, as [out, in] where it is a matrix:
//   lstm            <layer>.forward.w_x, .w_h, .b (nn/lstm.h), then the same with .reversed; the layers of a
//                   stack are called layer0.stack0, layer0.stack1 and so on
//   dense           <layer>.w [units, in], .b [units]
//   attention_pool  <layer>.w [units, in], .b [units], .v [1, units]
struct ParameterBlock {
  std::string name;  // "layer0.forward.w_x"
  std::int64_t offset = 0;
  Shape shape;
  enum class Init { kZero, kGlorotUniform, kOrthogonal, kForgetBias } init = Init::kZero;
};

struct SequenceBatch {
  std::int64_t time = 0, batch = 0;
  ConstTensorView x;                           // [time, batch, feature]
  View<const std::int32_t> lengths;            // [batch], on the device
  const std::int32_t* host_lengths = nullptr;  // the same on the host
};

enum class Mode { kInfer, kTrain };

// Owns parameters, gradients and every activation, all allocated in the constructor. Only cuDNN's plan of a
// sequence shape is made later, when the shape is first met, and then kept.
class Network {
 public:
  // Throws ConfigError when the layers do not fit together (message names the layer).
  Network(const Context& context, const NetworkSettings& settings, const NetworkSizes& sizes);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  // One flat buffer each, [parameter_count].
  Tensor& parameters();
  const Tensor& parameters() const;
  Tensor& gradients();
  std::int64_t parameter_count() const;
  const std::vector<ParameterBlock>& blocks() const;

  // Drawn on the host from Philox(seed, fold), so that both devices start equal: Glorot-uniform kernels (fans
  // of the whole matrix, all gates together, as Keras), orthogonal recurrent kernels per gate, forget bias 1,
  // other biases 0. Gradients become 0.
  void initialise(std::uint64_t seed, std::uint32_t fold);

  // Logits [batch, classes]; valid until the next call. `random` seeds dropout (Mode::kTrain only).
  ConstTensorView forward(const Context& context, const SequenceBatch& batch, Mode mode, RandomStream random);
  // Adds to gradients(); must follow a forward of the same batch in Mode::kTrain.
  // With `dx` (same shape as x, overwritten) also the gradient of the input.
  void backward(const Context& context, const SequenceBatch& batch, ConstTensorView dlogits,
                TensorView dx = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What `serval model summary` prints; works without a device.
struct LayerSummary {
  std::string name, type, output_shape;
  std::int64_t parameters = 0;
};
std::vector<LayerSummary> summarise(const NetworkSettings& settings, const NetworkSizes& sizes);

}  // namespace serval::nn
