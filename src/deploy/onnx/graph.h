// An ONNX graph as it grows: nodes in an order in which they can run, constants, inputs and outputs. Numbers of fields are
// those of onnx.proto. https://onnx.ai/onnx/operators says what an operator does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protobuf.h"

namespace serval::deploy::onnx {

inline constexpr std::int64_t kOpset = 17;
inline constexpr std::int64_t kIrVersion = 8;  // of that operator set's release, 1.12

enum class Element : std::int64_t { kFloat = 1, kInt32 = 6, kInt64 = 7, kBool = 9, kDouble = 11 };

using Name = std::string;  // of a value in the graph
using Ints = std::vector<std::int64_t>;

class Graph;

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, Ints, std::vector<std::string>, const Graph*> value;
};
using Attributes = std::vector<Attribute>;

class Graph {
 public:
  Graph() = default;
  // The body of a node of another graph, whose values it can read.
  explicit Graph(std::string prefix) : prefix_(std::move(prefix)) {}

  // A dimension is a number or the name of one that differs from call to call.
  using Dim = std::variant<std::int64_t, std::string>;
  Name input(const Name& name, Element element, const std::vector<Dim>& dims, const std::string& help);
  void output(const Name& value, const Name& name, Element element, const std::vector<Dim>& dims,
              const std::string& help);

  // Of a body, of any shape.
  Name input(const Name& name, Element element);
  void output(const Name& value, const Name& name, Element element);
  // That no other graph has.
  std::string fresh_prefix() { return fresh() + "_"; }

  Name op(const std::string& type, const std::vector<Name>& inputs, const Attributes& attributes = {});
  std::vector<Name> ops(const std::string& type, const std::vector<Name>& inputs,
                        const Attributes& attributes, std::size_t outputs);

  // Constants; equal ones are kept once.
  Name number(float value);           // a scalar
  Name integer(std::int64_t value);   // a scalar
  Name integers(const Ints& values);  // [count]
  Name floats(const Ints& shape, const std::vector<float>& values);
  Name table(const Ints& shape, const Ints& values);

  Message message(const std::string& name) const;

 private:
  Name fresh() { return prefix_ + "v" + std::to_string(values_++); }
  Name constant(Element element, const Ints& shape, const std::string& raw);
  void identity(const Name& from, const Name& to);

  std::string prefix_;
  std::int64_t values_ = 0;
  std::vector<Message> nodes_, inputs_, outputs_, constants_;
  std::map<std::string, Name> known_;  // constants by content
};

// The whole file.
std::string model_bytes(const Graph& graph, const std::string& name, const std::string& help,
                        const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace serval::deploy::onnx
