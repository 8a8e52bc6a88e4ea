// A network from its JSON description, living on one device.
//
//   { "inputs": { "mel": { "kind": "image", "shape": [1, 128, 230] }, "mfcc": { "kind": "sequence", "shape": 39 } },
//     "layers": [ { "type": "lstm", "name": "mfcc_lstm", "input": "mfcc", "hidden": 128 },
//                 { "type": "mean_pool", "name": "heard" },
//                 { "type": "conv2d", "input": "mel", "channels": 16, "kernel": 3, "activation": "relu" },
//                 { "type": "global_average_pool", "name": "seen" },
//                 { "type": "concat", "input": ["heard", "seen"] },
//                 { "type": "dense" } ],                                    units 0: one per class
//     "outputs": ["layer5"] }                                               the last layer, when left out
//
// Layers read what is named in `input`, else the layer before; a layer without a name is called layer<number>.
// Without `inputs` there is one, a sequence of the feature vectors that the experiment names. `weights_of` shares the
// weights of an equal layer; `frozen` layers keep theirs. Any name can be read after a forward (tap).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/philox.h"
#include "serval/core/settings.h"
#include "serval/nn/initialiser.h"
#include "serval/nn/value_type.h"

namespace serval::nn {

enum class InputKind { kSequence, kImage, kVector };

struct InputSettings {
  InputKind kind = InputKind::kSequence;
  std::vector<std::int64_t> shape;  // of one item; empty: as the data has it
};
void describe(SettingsVisitor& v, InputSettings& settings);

class LayerBody;  // what its type adds: src/nn/layer_body.h

struct LayerSettings {
  LayerSettings();
  LayerSettings(const LayerSettings& other);
  LayerSettings(LayerSettings&&) noexcept;
  LayerSettings& operator=(LayerSettings other) noexcept;
  ~LayerSettings();

  std::string name;
  std::vector<std::string> input;
  std::string weights_of;
  bool frozen = false;
  std::unique_ptr<LayerBody> body;
};
void describe(SettingsVisitor& v, LayerSettings& settings);

struct NetworkSettings {
  NamedList<InputSettings> inputs;
  std::vector<LayerSettings> layers;
  std::vector<std::string> outputs;
  std::int64_t classes = 0;  // 0: those of the data
};
void describe(SettingsVisitor& v, NetworkSettings& settings);
// Its own, or that of its number.
std::string layer_name(const NetworkSettings& settings, std::size_t layer);

// Sizes known only once the data is.
struct InputSizes {
  Shape item;
  std::int64_t max_time = 0;  // sequences
};
struct NetworkSizes {
  std::vector<InputSizes> inputs;  // in the order of the settings
  std::int64_t classes = 0;
  std::int64_t max_batch = 1;
  bool training = true;  // false: no memory for gradients
  bool lean = false;     // for Mode::kInfer alone: no tap() of what is inside, whose memory layers share
};
// For a network with one sequence of feature vectors.
NetworkSizes sequence_sizes(std::int64_t feature, std::int64_t classes, std::int64_t max_batch,
                            std::int64_t max_time);
// What the settings themselves say; throws ConfigError, naming the input, where they leave it to the data.
NetworkSizes declared_sizes(const NetworkSettings& settings);

// One named block of the flat parameter buffer: <layer>.<what>. Which blocks a layer has, in which shape and order,
// stands at the head of its file in src/nn/layers.
struct ParameterBlock {
  enum class Role { kTrained, kFrozen, kStatistic };
  std::string name;
  Shape shape;
  Initialiser init;
  Role role = Role::kTrained;
  std::int64_t offset = 0;
};

struct InputBatch {
  ConstTensorView x;                           // [time, batch, item...] or [batch, item...]
  std::int64_t time = 1;                       // sequences
  View<const std::int32_t> lengths;            // [batch], on the device; sequences
  const std::int32_t* host_lengths = nullptr;  // the same on the host
};
struct Batch {
  std::int64_t size = 0;
  std::vector<InputBatch> inputs;
};

enum class Mode { kInfer, kTrain };

struct NetworkPlan;

// Owns parameters, gradients and every activation, all allocated in the constructor. Only cuDNN's plan of a
// sequence shape is made later, when the shape is first met, and then kept.
class Network {
 public:
  // Throws ConfigError when the layers do not fit together (message names the layer).
  Network(const Context& context, const NetworkSettings& settings, const NetworkSizes& sizes);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  // One flat buffer, [parameter_count]: what is trained, [trained_count], then what is frozen, then the statistics
  // that forward passes in Mode::kTrain keep, such as a batch norm's running mean.
  Tensor& parameters();
  const Tensor& parameters() const;
  Tensor& gradients();  // [trained_count]; the rest has none
  std::int64_t parameter_count() const;
  std::int64_t trained_count() const;
  const std::vector<ParameterBlock>& blocks() const;

  // Drawn on the host from Philox(seed, fold), so that both devices start equal. Gradients become 0.
  void initialise(std::uint64_t seed, std::uint32_t fold);

  // The first output; all results are valid until the next call. `random` seeds dropout and noise (Mode::kTrain
  // only). Throws DataError when a sequence is too short for a layer.
  ConstTensorView forward(const Context& context, const Batch& batch, Mode mode, RandomStream random);
  std::size_t output_count() const;
  ConstTensorView output(std::size_t index) const;
  const ValueType& output_type(std::size_t index) const;
  ConstTensorView tap(const std::string& name) const;  // a layer's or an input's; throws ConfigError
  // Of a sequence as tap() gives it; null where there is one item a recording.
  const std::int32_t* host_lengths(const std::string& name) const;

  // Adds to gradients(); must follow a forward of the same batch in Mode::kTrain. One gradient for each output; an
  // empty one counts as 0. A view in `dx` that is not empty is overwritten with the gradient of that input.
  void backward(const Context& context, const Batch& batch, std::span<const ConstTensorView> doutputs,
                std::span<const TensorView> dx = {});
  void backward(const Context& context, const Batch& batch, ConstTensorView doutput);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What `serval model summary` prints; works without a device.
struct LayerSummary {
  std::string name = {}, type = {}, output_shape = {};
  std::int64_t parameters = 0;     // trained or frozen
  std::int64_t non_trainable = 0;  // statistics
  bool frozen = false;
};
std::vector<LayerSummary> summarise(const NetworkSettings& settings, const NetworkSizes& sizes);

// Why the network cannot give one logit a class from its first output, naming the layer; "" when it can.
std::string classifier_problem(const NetworkSettings& settings, const NetworkSizes& sizes);
std::string classifier_problem(const NetworkSettings& settings);  // as far as can be told without the data

// What a target other than the experiment's classes asks of the first output: one vector of `width` numbers a
// recording. `wanted` says why in a message: "the target has 2 numbers".
struct WantedOutput {
  std::int64_t width = 0;
  bool logits = false;  // of classes, so that a softmax does not belong to it
  std::string wanted;
};
std::string output_problem(const NetworkSettings& settings, const NetworkSizes& sizes,
                           const WantedOutput& output);
std::string output_problem(const NetworkSettings& settings, const WantedOutput& output);  // without the data

}  // namespace serval::nn
