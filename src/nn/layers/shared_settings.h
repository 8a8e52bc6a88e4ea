// Settings that several types of layers have.
#pragma once

#include "serval/core/philox.h"
#include "serval/nn/initialiser.h"
#include "serval/nn/pointwise.h"

#include "../network_plan.h"

namespace serval::nn {

const Options<Activation>& activation_names();
inline void describe_activation(SettingsVisitor& v, Activation& activation) {
  v.choice("activation", activation, activation_names(), {"applied to each output"});
}

// Of a layer's weights; biases start at 0 unless they are drawn with them.
inline void describe_initialiser(SettingsVisitor& v, InitKind& kind, const char* name = "initialiser") {
  v.choice(name, kind, initialiser_names(), {"how the first weights are drawn"});
}
inline Initialiser initialiser(InitKind kind, std::int64_t fan_in, std::int64_t fan_out,
                               std::int64_t gates = 1) {
  return {.kind = kind,
          .fan_in = static_cast<double>(fan_in),
          .fan_out = static_cast<double>(fan_out),
          .scale = kind == InitKind::kTruncatedNormal || kind == InitKind::kNormal ? 0.02 : 1.0,
          .gates = gates};
}
// PyTorch draws biases as it draws weights, from the same fan; Keras starts them at 0.
inline Initialiser bias_initialiser(InitKind kind, std::int64_t fan_in) {
  return kind == InitKind::kTorchUniform ? initialiser(kind, fan_in, 0) : Initialiser{};
}

// Steps between two sequences in the numbering of masks and noise. A constant, longer than any recording: were it the
// longest recording of the data, a test recording would have a say in the masks of training.
constexpr std::int64_t kTimeStride = std::int64_t{1} << 24;
// The random numbers of one layer in a training step, by NodePlan::next_random_layer().
inline RandomStream training_stream(RandomStream step, std::uint32_t number) {
  step.purpose = RandomPurpose::kDropout;
  step.layer = number;
  return step;
}

}  // namespace serval::nn
