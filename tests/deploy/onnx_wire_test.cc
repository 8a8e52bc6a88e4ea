// Protocol Buffers' wire format, against bytes by hand from its definition, and the frame of a model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/deploy/onnx/graph.h"

namespace serval::deploy::onnx {
namespace {

using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

TEST(OnnxWire, NumbersAreVarints) {
  Message message;
  message.integer(1, 150);  // the example of the definition
  EXPECT_EQ(message.str(), bytes({0x08, 0x96, 0x01}));
  Message wide;
  wide.integer(16, 0);  // a field from 16 on has a key of two bytes
  EXPECT_EQ(wide.str(), bytes({0x80, 0x01, 0x00}));
  Message negative;
  negative.integer(2, -1);
  EXPECT_EQ(negative.str(), bytes({0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}));
}

TEST(OnnxWire, TextsMessagesAndListsHaveTheirLengthBefore) {
  Message text;
  text.bytes(2, "testing");
  EXPECT_EQ(text.str(), bytes({0x12, 0x07}) + "testing");
  Message inner, outer;
  inner.integer(1, 150);
  outer.message(3, inner);
  EXPECT_EQ(outer.str(), bytes({0x1A, 0x03, 0x08, 0x96, 0x01}));
  Message list;
  list.packed(6, std::vector<std::int64_t>{3, 270, 86942});  // the example of the definition
  EXPECT_EQ(list.str(), bytes({0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05}));
}

TEST(OnnxWire, FloatsAreLittleEndian) {
  Message real;
  real.real(2, 1.5f);  // 0x3FC00000
  EXPECT_EQ(real.str(), bytes({0x15, 0x00, 0x00, 0xC0, 0x3F}));
  EXPECT_EQ(raw_bytes(std::vector<float>{-2.0f}), bytes({0x00, 0x00, 0x00, 0xC0}));
  EXPECT_EQ(raw_bytes(std::vector<std::int64_t>{258}), bytes({2, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(OnnxWire, EqualConstantsAreKeptOnce) {
  Graph graph;
  const Name one = graph.number(1);
  EXPECT_EQ(graph.number(1), one);
  EXPECT_NE(graph.floats({1}, {1}), one);  // another shape
  EXPECT_NE(graph.number(2), one);
  EXPECT_NE(graph.integers({1}), graph.integer(1));
}

TEST(OnnxWire, ModelsNameTheirFormatAndOperatorSet) {
  Graph graph;
  const Name x = graph.input("x", Element::kFloat, {"batch", std::int64_t{3}}, "");
  graph.output(graph.op("Relu", {x}), "y", Element::kFloat, {"batch", std::int64_t{3}}, "");
  const std::string model = model_bytes(graph, "g", "", {{"key", "value"}});
  EXPECT_EQ(model.substr(0, 2), bytes({0x08, 0x08}));  // ir_version 8
  EXPECT_THAT(model,
              HasSubstr(bytes({0x42, 0x04, 0x0A, 0x00, 0x10, 0x11})));  // opset_import: domain "", version 17
  EXPECT_THAT(model, HasSubstr(bytes({0x72, 0x0C, 0x0A, 0x03}) + "key" + bytes({0x12, 0x05}) + "value"));
  // input "x": name, then a tensor of floats of shape [batch, 3]
  EXPECT_THAT(model,
              HasSubstr(bytes({0x0A, 0x01}) + "x" +
                        bytes({0x12, 0x13, 0x0A, 0x11, 0x08, 0x01, 0x12, 0x0D, 0x0A, 0x07, 0x12, 0x05}) +
                        "batch" + bytes({0x0A, 0x02, 0x08, 0x03})));
}

}  // namespace
}  // namespace serval::deploy::onnx
