// What a dual-sequence LSTM computes; ds_lstm.cc says the formulas and the blocks.
#pragma once

#include <array>

#include "gate_norm.h"

namespace serval::nn {

enum class DsVariant { kDual, kThreeGate, kSixGate };

struct DsCellSettings {
  std::int64_t hidden = 200;
  DsVariant variant = DsVariant::kDual;
  bool gates_read_cells = false;  // six gates: each three read their own cell, else all read the state of x
  bool normed = true;
  std::int64_t max_steps = 0;
  bool frozen = false;

  // Cells, each with a state.
  std::size_t cells() const { return variant == DsVariant::kSixGate ? 2 : 1; }
  std::size_t candidates() const { return variant == DsVariant::kThreeGate ? 1 : 2; }
  std::int64_t gates() const {
    return variant == DsVariant::kDual ? 4 : 3 * static_cast<std::int64_t>(cells());
  }
};

class DsLstmLayer : public Layer {
 public:
  DsLstmLayer(const LayerBuild& build, const DsCellSettings& settings);

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override;
  void backward(const LayerCall& call, const Backward& b) override;

 private:
  // Block numbers in the order of plan(); candidate k and the norm follow.
  static constexpr std::size_t kGatesW = 0, kGatesB = 1;
  static constexpr std::size_t candidate_w(std::size_t k) { return 2 + 2 * k; }
  static constexpr std::size_t candidate_b(std::size_t k) { return 3 + 2 * k; }
  std::size_t norm_block() const { return 2 + 2 * s_.candidates(); }

  std::int64_t width(std::size_t input) const { return this->input(input).item[0]; }
  std::int64_t gates_inputs() const { return width(0) + width(1) + s_.hidden; }
  std::int64_t gates_width() const { return s_.gates() * s_.hidden; }
  const float* weights(const LayerCall& call, std::size_t block) const { return parameter(call, block).data; }
  const float* used_gates() const { return s_.normed ? norm_.normed() : gates_.data(); }
  // Of the cell that candidate k belongs to.
  std::size_t cell_of(std::size_t k) const { return s_.cells() == 2 ? k : 0; }
  // Products of gates with what they read of the step before: of all with the state, or of three with each cell.
  std::size_t gate_products() const { return s_.gates_read_cells ? 2 : 1; }
  std::int64_t gates_of_product() const { return gates_width() / static_cast<std::int64_t>(gate_products()); }
  std::int64_t first_gate(std::size_t product) const {
    return static_cast<std::int64_t>(product) * gates_of_product();
  }
  const Tensor& read_by_gates(std::size_t product) const { return s_.gates_read_cells ? c_[product] : h_[0]; }

  ConstMatrix gates_state_weights(const LayerCall& call, std::size_t product) const;
  ConstMatrix candidate_state_weights(const LayerCall& call, std::size_t k) const;
  GateNorm::Blocks norm_blocks(const LayerCall& call, bool with_gradients) const;

  void project_inputs(const Scan& scan, std::span<const ConstTensorView> x);
  void step(const Scan& scan, std::int64_t s);
  void step_backward(const Scan& scan, std::int64_t s, const Backward& b);
  void weight_gradients(const Scan& scan, const Backward& b);
  void input_gradients(const Scan& scan, const Backward& b);

  DsCellSettings s_;
  std::array<StepProduct, 2> gate_products_, candidate_products_;
  // All in [time, batch, ...]. gates: sigmoids, without their norm; candidates become their gradients.
  Tensor gates_, dgates_;
  std::array<Tensor, 2> candidates_, c_, h_;
  std::array<Tensor, 2> dc_, carry_;  // [batch, hidden]
  GateNorm norm_;
};

}  // namespace serval::nn
