// A batch together with the memory on the device that it points to, for tests.
#pragma once

#include <algorithm>
#include <vector>

#include "serval/core/json.h"
#include "serval/nn/network.h"

namespace serval::testing_support {

class HeldBatch {
 public:
  HeldBatch(const Device& device, std::int64_t size, std::size_t inputs)
      : device_(device), x_(inputs), lengths_(inputs), device_lengths_(inputs) {
    batch_.size = size;
    batch_.inputs.resize(inputs);
  }

  // Makes the input one of sequences: so many steps of each, padded to `time`.
  void set_lengths(std::size_t input, const std::vector<std::int32_t>& lengths, std::int64_t time) {
    lengths_[input] = lengths;
    device_lengths_[input] = Array<std::int32_t>::from_host(device_, lengths);
    nn::InputBatch& own = batch_.inputs[input];
    own.time = time;
    own.lengths = device_lengths_[input].view();
    own.host_lengths = lengths_[input].data();
  }
  // As a golden has them, padded to the longest; null: no sequences.
  void set_lengths_of(std::size_t input, const JsonValue* golden) {
    if (golden == nullptr) return;
    std::vector<std::int32_t> lengths;
    for (const JsonValue& n : golden->items) lengths.push_back(static_cast<std::int32_t>(n.integer));
    set_lengths(input, lengths, *std::max_element(lengths.begin(), lengths.end()));
  }
  // [batch, item...], or [time, batch, item...] of sequences.
  Shape shape(std::size_t input, const Shape& item) const {
    Shape out = lengths_[input].empty() ? Shape{batch_.size} : Shape{batch_.inputs[input].time, batch_.size};
    return out.append(item);
  }
  // Of that shape.
  void set_input(std::size_t input, const std::vector<float>& values, const Shape& item) {
    x_[input] = Tensor::from_host(device_, values, shape(input, item));
    batch_.inputs[input].x = x_[input].view();
  }

  operator const nn::Batch&() const { return batch_; }
  std::int64_t size() const { return batch_.size; }
  const nn::InputBatch& input(std::size_t input) const { return batch_.inputs[input]; }
  const std::vector<Tensor>& x() const { return x_; }

 private:
  Device device_;
  nn::Batch batch_;
  std::vector<Tensor> x_;
  std::vector<std::vector<std::int32_t>> lengths_;
  std::vector<Array<std::int32_t>> device_lengths_;
};

}  // namespace serval::testing_support
