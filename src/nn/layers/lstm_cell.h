// The time loop of LSTMs that nn/lstm.h does not know: gates that look at the cell, and items with several places.
#pragma once

#include "serval/nn/line_windows.h"
#include "serval/nn/lstm_cell.h"

#include "recurrent.h"

namespace serval::nn {

enum class Peephole { kNone, kDiagonal, kFull };

struct LstmCellSettings {
  std::int64_t hidden = 0;
  std::int64_t width = 1, kernel = 1;  // places of an item, and those that a gate reads of the state before
  Peephole peephole = Peephole::kNone;
  bool output_current = true;

  std::int64_t columns() const { return hidden * kernel; }  // of w_h
};

// Gates i, f, g, o. w_h [4 hidden, hidden * kernel]; peepholes of i, f and o: [3 hidden], or [3 hidden, hidden].
class LstmCell {
 public:
  struct Weights {
    const float* w_h = nullptr;
    const float* peepholes = nullptr;
  };
  struct Gradients {  // null: not wanted
    float* w_h = nullptr;
    float* peepholes = nullptr;
  };

  LstmCell() = default;
  LstmCell(const LayerBuild& build, const LstmCellSettings& settings, std::int64_t max_rows);

  // gates [all rows, 4 hidden], in: what comes of the inputs and biases. h [all rows, hidden].
  void forward(const Scan& scan, const Weights& w, float* gates, float* h);
  // gates become their gradients; those of the weights are added to.
  void backward(const Scan& scan, const Weights& w, const Gradients& dw, float* gates, const float* h,
                const float* dh);

 private:
  bool full() const { return s_.peephole == Peephole::kFull; }
  LstmCellRows cell(const Scan& scan, std::int64_t s, const Weights& w) const;
  LineWindowsShape windows_of(const Scan& scan) const;
  // The state, or its windows.
  ConstMatrix state(const Scan& scan, const float* h);
  void peephole_gradients(const Scan& scan, const float* gates, float* dp) const;

  LstmCellSettings s_;
  StepProduct state_, input_peephole_, output_peephole_;
  Tensor c_, dc_, carry_, windows_;
};

}  // namespace serval::nn
