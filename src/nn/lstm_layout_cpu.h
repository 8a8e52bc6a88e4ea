// How the CPU LSTM walks and stores a ragged batch.
//
// Work is done on packed rows: step s of every sequence in [0, active(s)), where active(s) is one past the
// last sequence that still runs. Longest first, no row is wasted; in any other order some rows of the prefix
// have ended already and are kept at zero. Step s of a reversed layer is the s-th one it reads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "serval/nn/lstm.h"

#include "cpu_kernels.h"

namespace serval::nn::cpu {

class LstmSteps {
 public:
  LstmSteps(const LstmShape& shape, const std::int32_t* lengths) : shape_(shape), lengths_(lengths) {
    count_ = *std::max_element(lengths, lengths + shape.batch);
  }

  std::int64_t count() const { return count_; }  // of the longest sequence
  // One past the last sequence with a step s; `at_most` bounds the search.
  std::int64_t active(std::int64_t s, std::int64_t at_most) const {
    while (at_most > 0 && lengths_[at_most - 1] <= s) --at_most;
    return at_most;
  }
  std::int64_t active(std::int64_t s) const { return active(s, shape_.batch); }
  bool runs(std::int64_t s, std::int64_t b) const { return s < lengths_[b]; }
  // Row of [T, B, .] that step s of sequence b stands for.
  std::int64_t row(std::int64_t s, std::int64_t b) const {
    return (shape_.reversed ? lengths_[b] - 1 - s : s) * shape_.batch + b;
  }

  // Calls body(s, first packed row, active rows) in the order of reading.
  template <class Body>
  void for_each(Body body) const {
    std::int64_t rows = shape_.batch;
    std::int64_t first = 0;
    for (std::int64_t s = 0; s < count_; ++s) {
      rows = active(s, rows);
      body(s, first, rows);
      first += rows;
    }
  }
  std::int64_t packed_rows() const {
    std::int64_t total = 0;
    for_each([&](std::int64_t, std::int64_t, std::int64_t rows) { total += rows; });
    return total;
  }

 private:
  LstmShape shape_;
  const std::int32_t* lengths_;
  std::int64_t count_ = 0;
};

// The reserve's parts, each starting on a cache line. Kept from forward to backward: x, gates, c, h_before.
// With a null `start` there are no parts, only `size`.
struct LstmReserve {
  LstmReserve(const LstmShape& s, float* start) {
    const std::int64_t rows = s.time * s.batch;
    size = 0;
    const auto take = [this, start](std::int64_t count) {
      float* const part = start == nullptr ? nullptr : start + size;
      size += (count + 15) / 16 * 16;
      return part;
    };
    x = take(rows * s.input);
    gates = take(rows * 4 * s.hidden);
    c = take(rows * s.hidden);
    h_before = take(rows * s.hidden);
    dh = take(s.batch * s.hidden);
    dc = take(s.batch * s.hidden);
    packed = take(std::max(packed_b_size(s.hidden, 4 * s.hidden), packed_b_size(4 * s.hidden, s.hidden)));
  }

  float* x;         // [packed rows, I]; backward turns it into dx
  float* gates;     // [packed rows, 4H]; backward turns it into their gradient
  float* c;         // [packed rows, H]
  float* h_before;  // [packed rows, H]: the state that the step started from
  float* dh;        // [B, H]
  float* dc;        // [B, H]
  float* packed;    // W_h as the product of the moment wants it
  std::int64_t size;
};

}  // namespace serval::nn::cpu
