#include "window.h"

#include <algorithm>

namespace serval::nn {

namespace {

// The layers are planned even so, to find more mistakes: not with a list that was refused.
void check_axes(SettingsVisitor& v, const char* name, std::vector<std::int64_t>& values, int axes) {
  const bool fits = values.size() == 1 || values.size() == static_cast<std::size_t>(axes);
  v.check(fits, name, axes == 1 ? "must be one number" : "must be one number, or [height, width]");
  if (!fits) values = {1};
}

std::int64_t of_axis(const std::vector<std::int64_t>& values, int axis) {
  return values.size() == 1 ? values.front() : values[static_cast<std::size_t>(axis)];
}

}  // namespace

void describe_kernel(SettingsVisitor& v, WindowSettings& s, int axes) {
  v.integers(
      "kernel", s.kernel, {.min = 1, .max = 4096},
      {axes == 1 ? "size of the window" : "size of the window: one number, or [height, width]", "steps"});
  check_axes(v, "kernel", s.kernel, axes);
}
void describe_stride(SettingsVisitor& v, std::vector<std::int64_t>& stride, int axes, const char* help) {
  v.integers("stride", stride, {.min = 1, .max = 4096}, {help, "steps"});
  if (!stride.empty()) check_axes(v, "stride", stride, axes);
}
void describe_dilation(SettingsVisitor& v, WindowSettings& s, int axes) {
  v.integers("dilation", s.dilation, {.min = 1, .max = 4096},
             {"from one value that the kernel reads to the next", "steps"});
  check_axes(v, "dilation", s.dilation, axes);
}
void describe_padding(SettingsVisitor& v, Padding& padding, int axes) {
  v.word_or_integers(
      "padding", padding.word,
      Options<Padding::Word>{{"same", Padding::Word::kSame}, {"valid", Padding::Word::kValid}}, padding.sizes,
      {.min = 0, .max = 4096},
      {axes == 1 ? "same: as many steps as the input has, over the stride; valid: none; or one number, or "
                   "[before, behind]"
                 : "same: as many results as the input has, over the stride; valid: none; or one number, "
                   "[height, width] or [top, bottom, left, right]"});
  const std::size_t count = padding.sizes.size();
  if (axes == 1) {
    v.check(count <= 2, "padding", "must be same, valid, one number, or [before, behind]");
  } else {
    v.check(count != 3 && count <= 4, "padding",
            "must be same, valid, one number, [height, width], or [top, bottom, left, right]");
  }
}

Window window(const WindowSettings& s, int axes, int axis) {
  Window out{of_axis(s.kernel, axis), of_axis(s.stride.empty() ? s.kernel : s.stride, axis),
             of_axis(s.dilation, axis)};
  const std::vector<std::int64_t>& sizes = s.padding.sizes;
  const auto each = static_cast<std::size_t>(axis);
  if (sizes.size() == static_cast<std::size_t>(2 * axes)) {
    out.before = sizes[2 * each];
    out.behind = sizes[2 * each + 1];
  } else if (!sizes.empty()) {
    out.before = out.behind = sizes.size() == 1 ? sizes.front() : sizes[each];
  }
  return out;
}

Window window_on(const NodePlan& node, const WindowSettings& s, int axis, std::int64_t size) {
  Window out = window(s, 2, axis);
  if (s.padding.same()) {
    const std::int64_t results = (size + out.stride - 1) / out.stride;
    const std::int64_t missing = std::max<std::int64_t>((results - 1) * out.stride + out.extent() - size, 0);
    out.before = missing / 2;
    out.behind = missing - out.before;
  }
  if (out.extent() > size + out.before + out.behind) {
    node.fail_size(
        cat("has a window that is ", out.extent(), axis == 0 ? " high" : " wide", ", but its input is ", size,
            out.before + out.behind > 0 ? cat(" and ", out.before + out.behind, " of padding") : "",
            "; make the kernel or its dilation smaller, or set \"padding\": \"same\""));
  }
  return out;
}

StepWindow step_window(const WindowSettings& s) {
  const Window one = window(s, 1, 0);
  StepWindow out{.rule = {}, .kernel = one.kernel, .dilation = one.dilation, .before = one.before};
  out.rule = {.extent = one.extent(), .stride = one.stride, .padding = one.before + one.behind};
  out.rule.same = s.padding.same();
  return out;
}

}  // namespace serval::nn
