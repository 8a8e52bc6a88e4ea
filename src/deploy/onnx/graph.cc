#include "graph.h"

#include "serval/core/error.h"
#include "serval/core/sha256.h"
#include "serval/core/version.h"

namespace serval::deploy::onnx {

namespace {

// Fields of onnx.proto.
namespace model {
constexpr int kIr = 1, kProducer = 2, kProducerVersion = 3, kHelp = 6, kGraph = 7, kOpsets = 8,
              kMetadata = 14;
}
namespace graph_field {
constexpr int kNode = 1, kName = 2, kConstant = 5, kInput = 11, kOutput = 12;
}
namespace node_field {
constexpr int kInput = 1, kOutput = 2, kName = 3, kType = 4, kAttribute = 5;
}
namespace attribute_field {
constexpr int kName = 1, kReal = 2, kInteger = 3, kText = 4, kGraph = 6, kIntegers = 8, kTexts = 9,
              kType = 20;
}
namespace attribute_type {
constexpr std::int64_t kReal = 1, kInteger = 2, kText = 3, kGraph = 5, kIntegers = 7, kTexts = 8;
}
namespace tensor {
constexpr int kDims = 1, kType = 2, kName = 8, kRaw = 9;
}
namespace value {
constexpr int kName = 1, kType = 2, kHelp = 3;
constexpr int kTensor = 1, kElement = 1, kShape = 2, kDim = 1, kDimValue = 1, kDimName = 2;
}  // namespace value

// A message of protobuf's holds less than 2 GiB.
constexpr std::size_t kMostBytes = (std::size_t{1} << 31) - 1;

Message attribute_message(const Attribute& attribute) {
  Message out;
  out.bytes(attribute_field::kName, attribute.name);
  const auto put = [&](std::int64_t type, auto write) {
    write();
    out.integer(attribute_field::kType, type);
  };
  if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
    put(attribute_type::kInteger, [&] { out.integer(attribute_field::kInteger, *integer); });
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    put(attribute_type::kReal, [&] { out.real(attribute_field::kReal, *real); });
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    put(attribute_type::kText, [&] { out.bytes(attribute_field::kText, *text); });
  } else if (const auto* integers = std::get_if<Ints>(&attribute.value)) {
    put(attribute_type::kIntegers, [&] { out.packed(attribute_field::kIntegers, *integers); });
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute.value)) {
    put(attribute_type::kTexts, [&] {
      for (const std::string& item : *texts) out.bytes(attribute_field::kTexts, item);
    });
  } else {
    const Graph& body = *std::get<const Graph*>(attribute.value);
    put(attribute_type::kGraph, [&] { out.message(attribute_field::kGraph, body.message("body")); });
  }
  return out;
}

// A value without a shape may have any.
Message value_info(const Name& name, Element element, const std::vector<Graph::Dim>* dims,
                   const std::string& help) {
  Message tensor_type, type, out;
  tensor_type.integer(value::kElement, static_cast<std::int64_t>(element));
  if (dims != nullptr) {
    Message shape;
    for (const Graph::Dim& dim : *dims) {
      Message one;
      if (const auto* size = std::get_if<std::int64_t>(&dim)) {
        one.integer(value::kDimValue, *size);
      } else {
        one.bytes(value::kDimName, std::get<std::string>(dim));
      }
      shape.message(value::kDim, one);
    }
    tensor_type.message(value::kShape, shape);
  }
  type.message(value::kTensor, tensor_type);
  out.bytes(value::kName, name);
  out.message(value::kType, type);
  if (!help.empty()) out.bytes(value::kHelp, help);
  return out;
}

}  // namespace

Name Graph::input(const Name& name, Element element, const std::vector<Dim>& dims, const std::string& help) {
  inputs_.push_back(value_info(prefix_ + name, element, &dims, help));
  return prefix_ + name;
}
Name Graph::input(const Name& name, Element element) {
  inputs_.push_back(value_info(prefix_ + name, element, nullptr, ""));
  return prefix_ + name;
}

void Graph::output(const Name& from, const Name& name, Element element, const std::vector<Dim>& dims,
                   const std::string& help) {
  identity(from, prefix_ + name);
  outputs_.push_back(value_info(prefix_ + name, element, &dims, help));
}
void Graph::output(const Name& from, const Name& name, Element element) {
  identity(from, prefix_ + name);
  outputs_.push_back(value_info(prefix_ + name, element, nullptr, ""));
}

void Graph::identity(const Name& from, const Name& to) {
  Message node;
  node.bytes(node_field::kInput, from);
  node.bytes(node_field::kOutput, to);
  node.bytes(node_field::kType, "Identity");
  nodes_.push_back(std::move(node));
}

std::vector<Name> Graph::ops(const std::string& type, const std::vector<Name>& inputs,
                             const Attributes& attributes, std::size_t outputs) {
  Message node;
  for (const Name& input : inputs) node.bytes(node_field::kInput, input);
  std::vector<Name> out;
  for (std::size_t i = 0; i < outputs; ++i) {
    out.push_back(fresh());
    node.bytes(node_field::kOutput, out.back());
  }
  node.bytes(node_field::kName, type + "_" + out.front());
  node.bytes(node_field::kType, type);
  for (const Attribute& attribute : attributes)
    node.message(node_field::kAttribute, attribute_message(attribute));
  nodes_.push_back(std::move(node));
  return out;
}

Name Graph::op(const std::string& type, const std::vector<Name>& inputs, const Attributes& attributes) {
  return ops(type, inputs, attributes, 1).front();
}

Name Graph::constant(Element element, const Ints& shape, const std::string& raw) {
  std::string content = cat(static_cast<std::int64_t>(element), " ");
  for (const std::int64_t dim : shape) content += cat(dim, " ");
  content += raw.size() <= 256 ? raw : sha256(raw);
  if (const auto found = known_.find(content); found != known_.end()) return found->second;
  const Name name = prefix_ + "c" + std::to_string(known_.size());
  Message out;
  out.packed(tensor::kDims, shape);
  out.integer(tensor::kType, static_cast<std::int64_t>(element));
  out.bytes(tensor::kName, name);
  out.bytes(tensor::kRaw, raw);
  constants_.push_back(std::move(out));
  known_.emplace(std::move(content), name);
  return name;
}

Name Graph::number(float value) { return floats({}, {value}); }
Name Graph::integer(std::int64_t value) { return table({}, {value}); }
Name Graph::integers(const Ints& values) { return table({static_cast<std::int64_t>(values.size())}, values); }
Name Graph::floats(const Ints& shape, const std::vector<float>& values) {
  return constant(Element::kFloat, shape, raw_bytes(values));
}
Name Graph::table(const Ints& shape, const Ints& values) {
  return constant(Element::kInt64, shape, raw_bytes(values));
}

Message Graph::message(const std::string& name) const {
  Message out;
  for (const Message& node : nodes_) out.message(graph_field::kNode, node);
  out.bytes(graph_field::kName, name);
  for (const Message& constant : constants_) out.message(graph_field::kConstant, constant);
  for (const Message& input : inputs_) out.message(graph_field::kInput, input);
  for (const Message& output : outputs_) out.message(graph_field::kOutput, output);
  return out;
}

std::string model_bytes(const Graph& graph, const std::string& name, const std::string& help,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  Message out, opset;
  out.integer(model::kIr, kIrVersion);
  out.bytes(model::kProducer, "serval");
  out.bytes(model::kProducerVersion, kVersion);
  out.bytes(model::kHelp, help);
  out.message(model::kGraph, graph.message(name));
  opset.bytes(1, "");
  opset.integer(2, kOpset);
  out.message(model::kOpsets, opset);
  for (const auto& [key, text] : metadata) {
    Message entry;
    entry.bytes(1, key);
    entry.bytes(2, text);
    out.message(model::kMetadata, entry);
  }
  if (out.str().size() > kMostBytes)
    throw UnsupportedError(cat(name, ": ", out.str().size(), " bytes; an ONNX file holds less than 2 GiB"));
  return out.str();
}

}  // namespace serval::deploy::onnx
