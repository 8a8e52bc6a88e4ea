// A network with one member's weights as part of an ONNX graph.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serval/deploy/bundle.h"
#include "serval/nn/graph.h"

#include "../layer_reader.h"
#include "arithmetic.h"

namespace serval::deploy::onnx {

// What cannot be written in ONNX, each thing once, in the order in which it was met.
class Problems {
 public:
  void add(const std::string& problem);
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

// What a network reads by one of its inputs: [batch, item...], or [time, batch, item...] with `lengths` [batch] of int64.
struct NetworkInput {
  Name x;
  Name lengths;  // "": no sequence
};

// The steps of sequences on one clock.
struct ClockNames {
  Name lengths;  // [batch]
  Name time;     // [1], steps in memory
  Name mask;     // [time, batch], bool; "" before it is asked for
};

class NetworkWriter {
 public:
  NetworkWriter(Graph& graph, const nn::NetworkGraph& network, const BundleMember& weights,
                Problems& problems);

  // The outputs of the network, [batch, width] each.
  std::vector<Name> write(const std::vector<NetworkInput>& inputs);

  Graph& graph() { return graph_; }
  const nn::NetworkGraph& network() const { return network_; }
  const BundleMember& member() const { return weights_; }
  const Name& value(int index) const { return values_[static_cast<std::size_t>(index)]; }
  const Name& batch() const { return batch_; }  // [1]
  const ClockNames& clock(int index);
  const Name& mask(int clock);
  void refuse(const std::string& problem) { problems_.add(problem); }

 private:
  void make_clock(std::size_t index);

  Graph& graph_;
  const nn::NetworkGraph& network_;
  const BundleMember& weights_;
  Problems& problems_;
  std::vector<Name> values_;
  Name batch_;
  std::map<int, ClockNames> clocks_;
};

// One layer, as its translation sees it.
class LayerWriter : public LayerReader {
 public:
  LayerWriter(NetworkWriter& network, const nn::GraphStep& step);

  Graph& g() { return network_.graph(); }
  const Name& x(std::size_t index = 0) const;
  std::int64_t reversed_from() const;
  // Parameters as constants.
  Name block(const std::string& what);              // as it is stored
  Name block(const std::string& what, Ints shape);  // in another shape
  Name transposed(const std::string& what);         // a matrix

  const ClockNames& clock(std::size_t index = 0);  // of an input
  const ClockNames& result_clock();
  const Name& batch() const { return network_.batch(); }
  // x where a step is one of its sequence, `fill` elsewhere; as it is without a clock.
  Name masked(const Name& x, const nn::ValueType& type, float fill);
  // Between [time, batch, item...] and [time * batch, item...]; nothing to do without a clock.
  Name items(std::size_t index = 0);
  Name as_result(const Name& items);
  Name activated(const Name& x, const std::string& function);
  void refuse(const std::string& why);

 private:
  NetworkWriter& network_;
};

Name activated(Graph& g, const Name& x, const std::string& function, double slope, double alpha);

using WriteLayer = Name (*)(LayerWriter&);
// By type; null where a type has no translation.
WriteLayer layer_writer(const std::string& type);

}  // namespace serval::deploy::onnx
