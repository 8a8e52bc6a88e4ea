// Recurrence of an LSTM whose recurrent matrix stays on chip: each block takes a few sequences through all of their
// steps by itself, so that a step costs a product from registers and two barriers instead of kernel launches.
//
// 2H threads; a thread keeps two rows (backward: two columns) of W_h, the first kKept numbers of each in registers, the
// others in shared memory. How many sequences share a block changes nothing but speed: the sums of each run in one order.
#pragma once

#include "serval/nn/lstm.h"

#include "cuda/core/kernel.cuh"

namespace serval::nn {

constexpr int kMostResidentHidden = 128;
constexpr int kMostResidentThreads = 2 * kMostResidentHidden;

SERVAL_HD inline int resident_width(int hidden) { return (hidden + 3) / 4 * 4; }
inline int resident_threads(int hidden) {
  const int threads = 4 * ((hidden + 1) / 2);
  return (threads + cuda::kWarpSize - 1) / cuda::kWarpSize * cuda::kWarpSize;
}
// Of W_h: the numbers that registers do not keep.
inline std::size_t resident_weight_floats(int hidden, int kept) {
  const int left = resident_width(hidden) - kept;
  return left > 0 ? static_cast<std::size_t>(left) * 2 * static_cast<std::size_t>(resident_threads(hidden))
                  : 0;
}

struct ResidentArgs {
  int time = 0, batch = 0, hidden = 0;
  bool reversed = false, training = false;
  const std::int32_t* lengths = nullptr;  // [batch]
  const float* w_h = nullptr;             // [4H, H]
  const float* bias = nullptr;            // [4H]
  float* gates = nullptr;  // [time, batch, 4H]; in: the inputs' product, out where training: the gates
  float* c = nullptr;      // [time, batch, H], where training
  float* h = nullptr;      // [time, batch, H], where training: y without gaps, 0 in the padding
  float* y = nullptr;      // [time, batch, y_stride]
  std::int64_t y_stride = 0;
  const float* dy = nullptr;  // as y; backward turns gates into their gradients, 0 in the padding

  // Of step s of sequence b, which has `length` of them.
  SERVAL_HD std::int64_t row(int s, int length, int b) const {
    return static_cast<std::int64_t>(reversed ? length - 1 - s : s) * batch + b;
  }
};

// Two rows or columns of W_h against vectors in shared memory.
template <int kKept>
struct ResidentWeights {
  float low[kKept], high[kKept];
  const float4* shared = nullptr;  // [(width - kKept) / 4, 2, threads], of thread 0
  int quads = 0;                   // (width - kKept) / 4, or 0
  int threads = 0, thread = 0;

  // at(half, k): number k of this thread's first (half 0) or second row, 0 from H on.
  template <class At>
  SERVAL_DEVICE void load(float* memory, int width, const At& at) {
    threads = static_cast<int>(blockDim.x);
    thread = static_cast<int>(threadIdx.x);
    SERVAL_UNROLL
    for (int k = 0; k < kKept; ++k) {
      low[k] = at(0, k);
      high[k] = at(1, k);
    }
    quads = width > kKept ? (width - kKept) / 4 : 0;
    float4* const to = reinterpret_cast<float4*>(memory);
    for (int q = 0; q < quads; ++q) {
      for (int half = 0; half < 2; ++half) {
        const int k = kKept + 4 * q;
        to[(2 * q + half) * threads + thread] =
            make_float4(at(half, k), at(half, k + 1), at(half, k + 2), at(half, k + 3));
      }
    }
    shared = to;
  }

  // sums[r] += low . vector r, sums[kRows + r] += high . vector r; vectors are `stride` floats apart.
  template <int kRows>
  SERVAL_DEVICE void multiply(const float* vectors, int stride, float* sums) const {
    float even[2 * kRows] = {}, odd[2 * kRows] = {};
    SERVAL_UNROLL
    for (int k = 0; k < kKept; k += 4) {
      SERVAL_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const float4 v = *reinterpret_cast<const float4*>(vectors + r * stride + k);
        even[r] = fmaf(low[k], v.x, even[r]);
        odd[r] = fmaf(low[k + 1], v.y, odd[r]);
        even[r] = fmaf(low[k + 2], v.z, even[r]);
        odd[r] = fmaf(low[k + 3], v.w, odd[r]);
        even[kRows + r] = fmaf(high[k], v.x, even[kRows + r]);
        odd[kRows + r] = fmaf(high[k + 1], v.y, odd[kRows + r]);
        even[kRows + r] = fmaf(high[k + 2], v.z, even[kRows + r]);
        odd[kRows + r] = fmaf(high[k + 3], v.w, odd[kRows + r]);
      }
    }
    for (int q = 0; q < quads; ++q) {
      const float4 l = shared[2 * q * threads + thread];
      const float4 h = shared[(2 * q + 1) * threads + thread];
      SERVAL_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const float4 v = *reinterpret_cast<const float4*>(vectors + r * stride + kKept + 4 * q);
        even[r] = fmaf(l.x, v.x, even[r]);
        odd[r] = fmaf(l.y, v.y, odd[r]);
        even[r] = fmaf(l.z, v.z, even[r]);
        odd[r] = fmaf(l.w, v.w, odd[r]);
        even[kRows + r] = fmaf(h.x, v.x, even[kRows + r]);
        odd[kRows + r] = fmaf(h.y, v.y, odd[kRows + r]);
        even[kRows + r] = fmaf(h.z, v.z, even[kRows + r]);
        odd[kRows + r] = fmaf(h.w, v.w, odd[kRows + r]);
      }
    }
    SERVAL_UNROLL
    for (int r = 0; r < 2 * kRows; ++r) sums[r] += even[r] + odd[r];
  }
};

// Vectors in shared memory reach kKept numbers at least, zeros behind the hidden units.
SERVAL_HD inline int resident_stride(int hidden, int kept) {
  return resident_width(hidden) > kept ? resident_width(hidden) : kept;
}

SERVAL_DEVICE float resident_sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// The sequences of this block: lengths, 0 for those that do not exist.
template <int kRows>
struct ResidentRows {
  int first = 0, longest = 0;
  int length[kRows];

  SERVAL_DEVICE explicit ResidentRows(const ResidentArgs& a) {
    first = static_cast<int>(blockIdx.x) * kRows;
    SERVAL_UNROLL
    for (int r = 0; r < kRows; ++r) {
      length[r] = first + r < a.batch ? a.lengths[first + r] : 0;
      longest = length[r] > longest ? length[r] : longest;
    }
  }
  // f(the memory's row) for each step in the padding.
  template <class F>
  SERVAL_DEVICE void for_padding(const ResidentArgs& a, const F& f) const {
    SERVAL_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (length[r] == 0) continue;
      for (int t = length[r]; t < a.time; ++t) f(static_cast<std::int64_t>(t) * a.batch + first + r);
    }
  }
};

// Shared: weights, h [kRows, stride], gates [kRows, 4H].
template <int kRows>
std::size_t resident_forward_bytes(int hidden, int kept) {
  return sizeof(float) * (resident_weight_floats(hidden, kept) +
                          static_cast<std::size_t>(kRows * (resident_stride(hidden, kept) + 4 * hidden)));
}

template <int kKept, int kRows>
SERVAL_KERNEL __launch_bounds__(kMostResidentThreads, 1) resident_forward_kernel(ResidentArgs a) {
  SERVAL_DYNAMIC_SHARED(float, memory);
  const int thread = static_cast<int>(threadIdx.x);
  const int hidden = a.hidden;
  const int width = resident_width(hidden);
  const int stride = resident_stride(hidden, kKept);
  // This thread's gates: i and g of its unit, or f and o; and the rows whose unit it keeps up.
  const bool used = thread < 2 * hidden;
  const bool first_half = thread < hidden;
  const int unit = first_half ? thread : thread - hidden;
  const int first_row = first_half ? 0 : 1;
  constexpr int kOwn = (kRows + 1) / 2;

  ResidentWeights<kKept> weights;
  weights.load(memory, width, [&](int half, int k) {
    return used && k < hidden ? a.w_h[static_cast<std::int64_t>(thread + half * 2 * hidden) * hidden + k]
                              : 0.0f;
  });
  float* const h = memory + (weights.quads > 0 ? 8 * weights.quads * weights.threads : 0);
  float* const gates = h + kRows * stride;
  for (int i = thread; i < kRows * stride; i += weights.threads) h[i] = 0;
  const ResidentRows<kRows> rows(a);
  const float bias[2] = {used ? a.bias[thread] : 0.0f, used ? a.bias[thread + 2 * hidden] : 0.0f};

  float next[2 * kRows] = {};
  const auto fetch = [&](int s) {
    SERVAL_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (!used || s >= rows.length[r]) continue;
      const float* from = a.gates + a.row(s, rows.length[r], rows.first + r) * 4 * hidden + thread;
      next[r] = from[0];
      next[kRows + r] = from[2 * hidden];
    }
  };
  fetch(0);
  float c[kOwn] = {};
  __syncthreads();

  for (int s = 0; s < rows.longest; ++s) {
    float sums[2 * kRows];
    SERVAL_UNROLL
    for (int r = 0; r < 2 * kRows; ++r) sums[r] = next[r] + bias[r / kRows];
    fetch(s + 1);
    weights.template multiply<kRows>(h, stride, sums);
    SERVAL_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (!used) continue;
      gates[r * 4 * hidden + thread] = resident_sigmoid(sums[r]);
      gates[r * 4 * hidden + 2 * hidden + thread] =
          first_half ? tanhf(sums[kRows + r]) : resident_sigmoid(sums[kRows + r]);
    }
    __syncthreads();
    SERVAL_UNROLL
    for (int n = 0; n < kOwn; ++n) {
      const int r = first_row + 2 * n;
      if (!used || r >= kRows) continue;
      int length = 0;
      SERVAL_UNROLL
      for (int k = 0; k < kRows; ++k) length = k == r ? rows.length[k] : length;
      if (s >= length) continue;
      const float* const own = gates + r * 4 * hidden + unit;
      const float i = own[0], f = own[hidden], g = own[2 * hidden], o = own[3 * hidden];
      c[n] = f * c[n] + i * g;
      const float out = o * tanhf(c[n]);
      h[r * stride + unit] = out;
      const std::int64_t row = a.row(s, length, rows.first + r);
      a.y[row * a.y_stride + unit] = out;
      if (!a.training) continue;
      a.h[row * hidden + unit] = out;
      a.c[row * hidden + unit] = c[n];
      float* const kept = a.gates + row * 4 * hidden + unit;
      kept[0] = i;
      kept[hidden] = f;
      kept[2 * hidden] = g;
      kept[3 * hidden] = o;
    }
    __syncthreads();
  }

  rows.for_padding(a, [&](std::int64_t row) {
    if (thread >= hidden) return;
    a.y[row * a.y_stride + thread] = 0;
    if (a.training) a.h[row * hidden + thread] = 0;
  });
}

// Shared: weights, dgates [kRows, 4, stride], their products [kRows, 4, H].
template <int kRows>
std::size_t resident_backward_bytes(int hidden, int kept) {
  return sizeof(float) * (resident_weight_floats(hidden, kept) +
                          static_cast<std::size_t>(kRows * 4 * (resident_stride(hidden, kept) + hidden)));
}

template <int kKept, int kRows>
SERVAL_KERNEL __launch_bounds__(kMostResidentThreads, 1) resident_backward_kernel(ResidentArgs a) {
  SERVAL_DYNAMIC_SHARED(float, memory);
  const int thread = static_cast<int>(threadIdx.x);
  const int hidden = a.hidden;
  const int width = resident_width(hidden);
  const int stride = resident_stride(hidden, kKept);
  // This thread's columns of W_h, within the rows of one gate; and the rows whose unit it keeps up.
  const int half_columns = (hidden + 1) / 2;
  const int gate = thread / half_columns;  // 4 and more: none
  const int column = thread % half_columns;
  const bool two = column + half_columns < hidden;
  const bool used = thread < 2 * hidden;
  const int unit = thread < hidden ? thread : thread - hidden;
  const int first_row = thread < hidden ? 0 : 1;
  constexpr int kOwn = (kRows + 1) / 2;

  ResidentWeights<kKept> weights;
  weights.load(memory, width, [&](int half, int k) {
    const bool any = gate < 4 && k < hidden && (half == 0 || two);
    return any ? a.w_h[static_cast<std::int64_t>(gate * hidden + k) * hidden + column + half * half_columns]
               : 0.0f;
  });
  float* const dgates = memory + (weights.quads > 0 ? 8 * weights.quads * weights.threads : 0);
  float* const products = dgates + kRows * 4 * stride;
  for (int i = thread; i < kRows * 4 * stride; i += weights.threads) dgates[i] = 0;
  const ResidentRows<kRows> rows(a);

  // What a step reads, of each own row; fetched before the product that the step waits for.
  float values[kOwn][7] = {};  // i, f, g, o, c, c before, dy
  int lengths[kOwn];
  SERVAL_UNROLL
  for (int n = 0; n < kOwn; ++n) {
    lengths[n] = 0;
    SERVAL_UNROLL
    for (int k = 0; k < kRows; ++k) lengths[n] = used && k == first_row + 2 * n ? rows.length[k] : lengths[n];
  }
  const auto fetch = [&](int s) {
    SERVAL_UNROLL
    for (int n = 0; n < kOwn; ++n) {
      if (s < 0 || s >= lengths[n]) continue;
      const int b = rows.first + first_row + 2 * n;
      const std::int64_t row = a.row(s, lengths[n], b);
      const float* const from = a.gates + row * 4 * hidden + unit;
      for (int k = 0; k < 4; ++k) values[n][k] = from[k * hidden];
      values[n][4] = a.c[row * hidden + unit];
      values[n][5] = s > 0 ? a.c[a.row(s - 1, lengths[n], b) * hidden + unit] : 0.0f;
      values[n][6] = a.dy[row * a.y_stride + unit];
    }
  };
  fetch(rows.longest - 1);
  float dc[kOwn] = {};
  __syncthreads();

  for (int s = rows.longest - 1; s >= 0; --s) {
    SERVAL_UNROLL
    for (int n = 0; n < kOwn; ++n) {
      if (s >= lengths[n]) continue;
      const int r = first_row + 2 * n;
      const float i = values[n][0], f = values[n][1], g = values[n][2], o = values[n][3];
      float dh = values[n][6];
      if (s + 1 < lengths[n]) {
        const float* const from = products + r * 4 * hidden + unit;
        dh += (from[0] + from[hidden]) + (from[2 * hidden] + from[3 * hidden]);
      }
      const float tanh_c = tanhf(values[n][4]);
      const float d = dh * o * (1 - tanh_c * tanh_c) + dc[n];
      dc[n] = d * f;
      const float to[4] = {d * g * i * (1 - i), d * values[n][5] * f * (1 - f), d * i * (1 - g * g),
                           dh * tanh_c * o * (1 - o)};
      float* const kept = a.gates + a.row(s, lengths[n], rows.first + r) * 4 * hidden + unit;
      for (int k = 0; k < 4; ++k) {
        kept[k * hidden] = to[k];
        dgates[(r * 4 + k) * stride + unit] = to[k];
      }
    }
    fetch(s - 1);
    if (s == 0) break;
    __syncthreads();
    float sums[2 * kRows] = {};
    if (gate < 4) {
      weights.template multiply<kRows>(dgates + gate * stride, 4 * stride, sums);
      SERVAL_UNROLL
      for (int r = 0; r < kRows; ++r) {
        float* const to = products + (r * 4 + gate) * hidden + column;
        to[0] = sums[r];
        if (two) to[half_columns] = sums[kRows + r];
      }
    }
    __syncthreads();
  }

  rows.for_padding(a, [&](std::int64_t row) {
    for (int j = thread; j < 4 * hidden; j += weights.threads) a.gates[row * 4 * hidden + j] = 0;
  });
}

}  // namespace serval::nn
