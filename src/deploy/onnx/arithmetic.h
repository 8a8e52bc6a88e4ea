// Short names for operators with what Serval asks of them.
#pragma once

#include "graph.h"

namespace serval::deploy::onnx {

// What stands in the place of values that a maximum must not see.
inline constexpr float kLowest = -3.0e38f;

inline Name add(Graph& g, const Name& a, const Name& b) { return g.op("Add", {a, b}); }
inline Name subtract(Graph& g, const Name& a, const Name& b) { return g.op("Sub", {a, b}); }
inline Name multiply(Graph& g, const Name& a, const Name& b) { return g.op("Mul", {a, b}); }
inline Name divide(Graph& g, const Name& a, const Name& b) { return g.op("Div", {a, b}); }
inline Name product(Graph& g, const Name& a, const Name& b) { return g.op("MatMul", {a, b}); }
inline Name larger(Graph& g, const Name& a, const Name& b) { return g.op("Max", {a, b}); }
inline Name smaller(Graph& g, const Name& a, const Name& b) { return g.op("Min", {a, b}); }
inline Name less(Graph& g, const Name& a, const Name& b) { return g.op("Less", {a, b}); }
inline Name where(Graph& g, const Name& condition, const Name& yes, const Name& no) {
  return g.op("Where", {condition, yes, no});
}
inline Name transpose(Graph& g, const Name& x, const Ints& order) {
  return g.op("Transpose", {x}, {{"perm", order}});
}
inline Name join(Graph& g, const std::vector<Name>& parts, std::int64_t axis) {
  return parts.size() == 1 ? parts.front() : g.op("Concat", parts, {{"axis", axis}});
}
inline Name cast(Graph& g, const Name& x, Element to) {
  return g.op("Cast", {x}, {{"to", static_cast<std::int64_t>(to)}});
}
inline Name unsqueeze(Graph& g, const Name& x, const Ints& axes) {
  return g.op("Unsqueeze", {x, g.integers(axes)});
}
inline Name squeeze(Graph& g, const Name& x, const Ints& axes) {
  return g.op("Squeeze", {x, g.integers(axes)});
}
// 0 keeps a size, one -1 takes what is left.
inline Name reshape(Graph& g, const Name& x, const Ints& shape) {
  return g.op("Reshape", {x, g.integers(shape)});
}
inline Name sum(Graph& g, const Name& x, const Ints& axes, bool keep = false) {
  return g.op("ReduceSum", {x, g.integers(axes)}, {{"keepdims", std::int64_t{keep}}});
}
inline Name reduce(Graph& g, const char* type, const Name& x, const Ints& axes, bool keep = false) {
  return g.op(type, {x}, {{"axes", axes}, {"keepdims", std::int64_t{keep}}});
}
// [1], the size along an axis.
inline Name size_of(Graph& g, const Name& x, std::int64_t axis) {
  return g.op("Shape", {x}, {{"start", axis}, {"end", axis + 1}});
}
// [begin, end) along an axis; begin and end are [1].
inline Name slice(Graph& g, const Name& x, std::int64_t axis, const Name& begin, const Name& end,
                  std::int64_t stride = 1) {
  return g.op("Slice", {x, begin, end, g.integers({axis}), g.integers({stride})});
}
inline Name slice(Graph& g, const Name& x, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  return slice(g, x, axis, g.integers({begin}), g.integers({end}));
}
// 0, 1, ... count - 1; `count` is [1].
inline Name range(Graph& g, const Name& count) {
  return g.op("Range", {g.integer(0), squeeze(g, count, {0}), g.integer(1)});
}
inline Name at_least(Graph& g, const Name& x, std::int64_t least) { return larger(g, x, g.integer(least)); }
// Rows of x [batch, rows, ...] by index [batch, count]: [batch, count, ...].
inline Name gather_rows(Graph& g, const Name& x, const Name& index) {
  return g.op("GatherND", {x, unsqueeze(g, index, {2})}, {{"batch_dims", std::int64_t{1}}});
}
// 0 <= index < count, for whole numbers.
inline Name inside(Graph& g, const Name& index, const Name& count) {
  return g.op("And", {g.op("GreaterOrEqual", {index, g.integer(0)}), less(g, index, count)});
}
// Kept between 0 and count - 1.
inline Name clamped(Graph& g, const Name& index, const Name& count) {
  return at_least(g, smaller(g, index, subtract(g, count, g.integer(1))), 0);
}
// Along the last axis, e^x / sum e^x.
inline Name softmax(Graph& g, const Name& x, std::int64_t axis = -1) {
  return g.op("Softmax", {x}, {{"axis", axis}});
}

}  // namespace serval::deploy::onnx
