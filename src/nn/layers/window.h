// Settings of layers that move a window over images or sequences, and what they come to for an input.
#pragma once

#include "serval/core/settings.h"
#include "serval/nn/unfold_steps.h"

#include "../network_plan.h"

namespace serval::nn {

// "same": ceil(n / stride) results, the padding halved, an odd one behind (Keras, and PyTorch at stride 1). "valid": none.
// Or numbers: one for all sides; one an axis; or one a side, before and behind.
struct Padding {
  enum class Word { kSame, kValid };
  Word word = Word::kValid;
  std::vector<std::int64_t> sizes;

  bool same() const { return sizes.empty() && word == Word::kSame; }
};

// One number for all axes, or one for each.
struct WindowSettings {
  std::vector<std::int64_t> kernel{3};
  std::vector<std::int64_t> stride{1};  // empty: as the kernel
  std::vector<std::int64_t> dilation{1};
  Padding padding;
};
void describe_kernel(SettingsVisitor& v, WindowSettings& s, int axes);
void describe_stride(SettingsVisitor& v, std::vector<std::int64_t>& stride, int axes, const char* help);
void describe_dilation(SettingsVisitor& v, WindowSettings& s, int axes);
void describe_padding(SettingsVisitor& v, Padding& padding, int axes);

// One axis.
struct Window {
  std::int64_t kernel = 1, stride = 1, dilation = 1;
  std::int64_t before = 0, behind = 0;  // not of "same", which depends on the input

  std::int64_t extent() const { return 1 + dilation * (kernel - 1); }
  std::int64_t results(std::int64_t size) const { return (size + before + behind - extent()) / stride + 1; }
};
Window window(const WindowSettings& s, int axes, int axis);
// On an input of `size`, "same" resolved; refuses a window that is larger than its padded input.
Window window_on(const NodePlan& node, const WindowSettings& s, int axis, std::int64_t size);
StepWindow step_window(const WindowSettings& s);  // along time

}  // namespace serval::nn
