// Images laid out so that every tap of a kernel reads consecutive results' inputs from consecutive places: padded with
// zeros, and split by what remains of a position when the stride divides it. A product with them needs no unfolding:
// its right side is one row for each channel and tap, and each row starts at an offset into the same memory.
//
//   planes [channel, phase_y, phase_x, image, row, column];  a result at (n, i, j) has column (n * rows + i) * columns + j
//
// The zeros behind a row are those before the next one, and so below an image. Columns between the results of two rows or
// images are computed too and dropped: with a 3 x 3 kernel one of each row.
#pragma once

#include <algorithm>

#include "serval/nn/conv.h"

#include "cpu_kernels.h"

namespace serval::nn::cpu {

struct Planes {
  std::int64_t channels = 0, phases_y = 1, phases_x = 1, images = 1;
  std::int64_t rows = 0, columns = 0;            // from one image, and one row, to the next
  std::int64_t over_rows = 0, over_columns = 0;  // read behind them, zeros that belong to the next

  std::int64_t image() const { return rows * columns; }
  std::int64_t plane() const { return images * image(); }
  std::int64_t over() const { return over_rows * columns + over_columns; }
  std::int64_t size() const { return channels * phases_y * phases_x * plane() + over() + 2 * kGemmPanel; }
  std::int64_t offset(std::int64_t channel, std::int64_t phase_y, std::int64_t phase_x, std::int64_t row,
                      std::int64_t column) const {
    return ((channel * phases_y + phase_y) * phases_x + phase_x) * plane() + row * columns + column;
  }
};

// One axis of images that are read one by one, not split by a stride: `before` zeros, `size` pixels, then zeros up to `extent`.
// Results start at `results` places. How far apart rows, or images, can be.
inline std::int64_t apart(std::int64_t before, std::int64_t size, std::int64_t extent, std::int64_t results) {
  const std::int64_t after = extent - before - size;
  return before < 0 || after < 0 ? extent : std::max(size + std::max(before, after), results);
}

// Images [image_step apart][channel, height, width]. Row r of phase p is row r * step_y + p - top of the image.
struct PlaneSource {
  const float* data = nullptr;
  std::int64_t image_step = 0, height = 0, width = 0;
  std::int64_t step_y = 1, step_x = 1, top = 0, left = 0;
};

inline std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return -floor_div(-a, b); }

// to[k] = from[k * step + start] for k in [0, count), 0 where that lies outside [0, size).
inline void copy_strided(const float* from, std::int64_t size, std::int64_t start, std::int64_t step,
                         std::int64_t count, float* to) {
  // Divisions take as long as dozens of numbers.
  const std::int64_t inside = step == 1 ? -start : ceil_div(-start, step);
  const std::int64_t past = step == 1 ? size - start : floor_div(size - 1 - start, step) + 1;
  const std::int64_t first = std::clamp<std::int64_t>(inside, 0, count);
  const std::int64_t last = std::clamp<std::int64_t>(past, first, count);
  std::fill_n(to, first, 0.0f);
  if (step == 1) {
    std::copy_n(from + start + first, last - first, to + first);
  } else {
    for (std::int64_t k = first; k < last; ++k) to[k] = from[k * step + start];
  }
  std::fill_n(to + last, count - last, 0.0f);
}

// Of the first `images`, which may be fewer than there is room for.
inline void fill_planes(const PlaneSource& source, const Planes& planes, std::int64_t images, float* to) {
  const std::int64_t unused = (planes.images - images) * planes.image();
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    for (std::int64_t phase = 0; phase < planes.phases_y * planes.phases_x; ++phase) {
      const std::int64_t phase_y = phase / planes.phases_x;
      const std::int64_t phase_x = phase % planes.phases_x;
      for (std::int64_t n = 0; n < images; ++n) {
        const float* image = source.data + n * source.image_step + c * source.height * source.width;
        for (std::int64_t r = 0; r < planes.rows; ++r, to += planes.columns) {
          const std::int64_t y = r * source.step_y + phase_y - source.top;
          if (y < 0 || y >= source.height) {
            std::fill_n(to, planes.columns, 0.0f);
          } else {
            copy_strided(image + y * source.width, source.width, phase_x - source.left, source.step_x,
                         planes.columns, to);
          }
        }
      }
      std::fill_n(to, std::min(planes.over(), unused), 0.0f);
      to += unused;
    }
  }
  std::fill_n(to, planes.over() + 2 * kGemmPanel, 0.0f);
}

// How many images to lay out together: several where one alone would leave much of a tile's columns unused.
inline std::int64_t images_together(std::int64_t batch, const Planes& planes, std::int64_t rows,
                                    std::int64_t columns) {
  constexpr std::int64_t kMostFloats = std::int64_t{1} << 18;
  const std::int64_t alone = (rows - 1) * planes.columns + columns;
  const std::int64_t rounded = (alone + kGemmPanel - 1) / kGemmPanel * kGemmPanel;
  if (planes.image() >= rounded) return 1;
  const std::int64_t floats = planes.channels * planes.phases_y * planes.phases_x * planes.image();
  return std::clamp<std::int64_t>(kMostFloats / floats, 1, batch);
}

}  // namespace serval::nn::cpu
