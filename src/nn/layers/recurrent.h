// What recurrent layers share: their settings, stacking, the order of reading, and products of all steps or of one.
#pragma once

#include <array>

#include "serval/nn/recurrent.h"

#include "../layer.h"
#include "../layer_body.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

struct RecurrentSettings {
  std::int64_t hidden = 128;
  std::int64_t layers = 1;
  bool bidirectional = false;
  double dropout = 0;
  InitKind initialiser = InitKind::kGlorotUniform;
  InitKind recurrent_initialiser = InitKind::kOrthogonal;

  void describe(SettingsVisitor& v);
  std::int64_t directions() const { return bidirectional ? 2 : 1; }
  // PyTorch draws every weight of a recurrent layer within 1 / sqrt(hidden).
  Initialiser input_init(std::int64_t in, std::int64_t gates) const {
    return nn::initialiser(initialiser, initialiser == InitKind::kTorchUniform ? hidden : in, gates * hidden);
  }
  Initialiser recurrent_init(std::int64_t gates) const {
    return nn::initialiser(recurrent_initialiser, hidden, gates * hidden, gates);
  }
  Initialiser bias_init() const { return bias_initialiser(initialiser, hidden); }
};

// Whether one bias is added or, as in PyTorch, two of which only the sum matters.
enum class RecurrentBias { kSingle, kDouble };
void describe_recurrent_bias(SettingsVisitor& v, RecurrentBias& bias);

// Body has `RecurrentSettings s`: as many of `body` as it asks for, on top of each other.
template <class Body>
void plan_stack(NodePlan& node, const Body& body) {
  Body one = body;
  one.s.layers = 1;
  one.s.dropout = 0;
  int value = node.input_value();
  for (std::int64_t k = 0; k < body.s.layers; ++k) {
    value = node.add(cat("stack", k), one, {value});
    if (body.s.dropout > 0 && k + 1 < body.s.layers)
      value = node.add(cat("stack", k, ".dropout"), *make_dropout(body.s.dropout), {value});
  }
  node.result(value);
}

// Prefixes of the blocks of each direction.
constexpr std::array<const char*, 2> kDirections{"forward.", "reversed."};

// One of these at every step, with the same w.
class StepProduct {
 public:
  StepProduct() = default;
  StepProduct(const LayerBuild& build, std::int64_t n, std::int64_t k);
  void set_project(const Context& context, ConstMatrix w);         // y [rows, n] = x w^T
  void set_input_gradient(const Context& context, ConstMatrix w);  // dx [rows, k] = dy w
  void run(const Context& context, std::int64_t rows, ConstMatrix from, Matrix<float> to, float beta);

 private:
  std::int64_t n_ = 0, k_ = 0;
  GemmPackArgs args_;
  Tensor packed_;
};

// The steps of a batch in the order of reading.
struct Scan {
  const LayerCall& call;
  const Steps& steps;
  std::int64_t per = 1;  // rows of a sequence at one step

  std::int64_t time() const { return steps.time; }
  std::int64_t rows() const { return call.batch * per; }  // of one step
  std::int64_t all_rows() const { return steps.time * rows(); }
  StepRows at(std::int64_t s) const { return {s, call.batch, per, steps.lengths}; }
  // Rows that products of step s need: on the CPU those up to the last sequence that still runs.
  std::int64_t running(std::int64_t s) const;
  void bias(float* values, std::int64_t rows, std::int64_t columns, const float* bias,
            Activation activation = Activation::kNone) const;
  void add_column_sums(const float* values, std::int64_t rows, std::int64_t columns, float* sums) const;
  void zero(float* values, std::int64_t count) const;
};

// A layer that reads vectors step by step, one way or both, each direction with weights of its own.
class RecurrentLayer : public Layer {
 public:
  RecurrentLayer(const LayerBuild& build, std::int64_t hidden, bool bidirectional, std::size_t blocks);

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) final;
  void backward(const LayerCall& call, const Backward& b) final;

 protected:
  struct Direction {
    std::size_t index = 0;
    float* x = nullptr;  // [time, batch, in] in the order of reading
    float* h = nullptr;  // [time, batch, hidden]
  };
  virtual void read(const Scan& scan, const Direction& d) = 0;
  // dh as h; dx null where it is not wanted.
  virtual void read_backward(const Scan& scan, const Direction& d, const float* dh, float* dx) = 0;

  std::int64_t in() const { return input().item[0]; }
  std::int64_t hidden() const { return hidden_; }
  // Block `block` of a direction.
  const float* weights(const Scan& scan, const Direction& d, std::size_t block) const {
    return parameter(scan.call, d.index * blocks_ + block).data;
  }
  float* weight_gradients(const Scan& scan, const Direction& d, std::size_t block) const {
    return gradient(scan.call, d.index * blocks_ + block).data;
  }
  float* carry() { return carry_.data(); }  // [batch, hidden]

 private:
  std::int64_t hidden_;
  std::size_t directions_, blocks_;
  std::array<Tensor, 2> x_, h_;
  Tensor dh_, dx_, carry_;
};

}  // namespace serval::nn
