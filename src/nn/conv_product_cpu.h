// A product with images laid out as planes (conv_planes_cpu.h), and where its results are among the columns.
#pragma once

#include <algorithm>
#include <vector>

#include "conv_planes_cpu.h"

namespace serval::nn::cpu {

// Hands out pieces of the workspace; with a null start it only adds up.
class Pieces {
 public:
  explicit Pieces(float* start) : start_(start) {}
  float* floats(std::int64_t count) {
    constexpr std::int64_t kStep = 16;  // a cache line
    const std::int64_t first = used_;
    used_ += (count + kStep - 1) / kStep * kStep;
    return start_ == nullptr ? nullptr : start_ + first;
  }
  std::int32_t* integers(std::int64_t count) { return reinterpret_cast<std::int32_t*>(floats(count)); }
  std::int64_t used() const { return used_; }

 private:
  float* start_;
  std::int64_t used_ = 0;
};

// Columns computed at a time: a block of them stays in the second cache until it is written out.
inline std::int64_t chunk_columns(std::int64_t rows) {
  constexpr std::int64_t kMost = 512;
  constexpr std::int64_t kMostFloats = std::int64_t{1} << 18;
  return std::clamp(kMostFloats / rows / kGemmPanel * kGemmPanel, kGemmPanel, kMost);
}

// [rows, depth] times [depth, columns].
struct PlaneProduct {
  std::int64_t rows = 0, depth = 0;
  Planes planes;
  std::int64_t out_rows = 0, out_columns = 0;  // results of one image

  std::int32_t* a_offsets = nullptr;
  std::int32_t* offsets = nullptr;
  float* packed = nullptr;
  float* memory = nullptr;  // of the planes
  float* chunk = nullptr;

  void place(Pieces& pieces) {
    a_offsets = pieces.integers(depth);
    offsets = pieces.integers(depth);
    packed = pieces.floats(packed_rows_size(rows, depth));
    memory = pieces.floats(planes.size());
    chunk = pieces.floats(rows * chunk_columns(rows) + kGemmPanel);
  }

  // Columns up to the last result of `images`.
  std::int64_t columns(std::int64_t images) const {
    return (images - 1) * planes.image() + (out_rows - 1) * planes.columns + out_columns;
  }

  // body(image, i, j, count, place) for the results (i, j) to (i, j + count - 1) of an image that lie in columns [j0, j1);
  // place: of the first, from j0 on.
  template <class Body>
  void for_each_run(std::int64_t j0, std::int64_t j1, Body body) const {
    std::int64_t n = j0 / planes.image();
    std::int64_t i = j0 % planes.image() / planes.columns;
    std::int64_t start = n * planes.image() + i * planes.columns;  // column of (n, i, 0)
    while (start < j1) {
      const std::int64_t first = std::max(start, j0);
      const std::int64_t last = std::min(start + out_columns, j1);
      if (i < out_rows && first < last) body(n, i, first - start, last - first, first - j0);
      start += planes.columns;
      if (++i == planes.rows) {
        i = 0;
        ++n;
      }
    }
  }

  // write(chunk, floats from one row of it to the next, j0, j1) for one stretch of columns [j0, j1) after the other.
  template <class Write>
  void run(const CpuKernels& kernels, std::int64_t images, Write write) const {
    const std::int64_t width = chunk_columns(rows);
    const std::int64_t all = columns(images);
    for (std::int64_t j0 = 0; j0 < all; j0 += width) {
      const std::int64_t j1 = std::min(all, j0 + width);
      kernels.offset_product({.rows = rows,
                              .columns = j1 - j0,
                              .depth = depth,
                              .b = memory + j0,
                              .offsets = offsets,
                              .c = chunk,
                              .ldc = width},
                             packed);
      write(chunk, width, j0, j1);
    }
  }
};

// Where the results of columns [j0, j1) go: (n, i, j) to n * image_step + i * row_step + j, beside others of their row.
inline void list_runs(const PlaneProduct& product, std::int64_t j0, std::int64_t j1, std::int64_t image_step,
                      std::int64_t row_step, std::vector<ResultRun>& runs) {
  runs.clear();
  product.for_each_run(
      j0, j1, [&](std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t count, std::int64_t place) {
        runs.push_back({place, n * image_step + i * row_step + j, count, count});
      });
  // What a run writes behind itself is written again by the next.
  for (std::size_t k = runs.size(); k-- > 1;) {
    ResultRun& run = runs[k - 1];
    if (run.to + run.count == runs[k].to) run.room += runs[k].room;
  }
}

PlaneProduct forward_product(const ConvShape& shape);
void forward_offsets(const ConvShape& shape, const PlaneProduct& product);
PlaneSource forward_source(const ConvShape& shape, const float* x, std::int64_t first_image,
                           std::int64_t group);

// Floats of the workspace.
std::int64_t conv2d_weights_workspace(const ConvShape& shape);

}  // namespace serval::nn::cpu
