// Patches of images, for layers that see an image as a sequence of them.
//
// Rectangles [kernel_height, kernel_width], a stride apart, that fit into the image: (height - kernel) / stride + 1 down
// and likewise across. The patch at row i and column j is number i * across + j.
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

struct PatchShape {
  std::int64_t batch = 0, channels = 0, height = 0, width = 0;  // of the images
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;

  SERVAL_HD std::int64_t down() const { return (height - kernel_height) / stride_height + 1; }
  SERVAL_HD std::int64_t across() const { return (width - kernel_width) / stride_width + 1; }
  SERVAL_HD std::int64_t patch_floats() const { return channels * kernel_height * kernel_width; }
  SERVAL_HD std::int64_t image_floats() const { return channels * height * width; }
  SERVAL_HD std::int64_t patches() const { return down() * across(); }
};

// patches[n, b, c, y, x] = images[b, c, row of n * stride + y, column of n * stride + x]
struct TakePatchesArgs {
  PatchShape shape;
  ConstTensorView images;  // [batch, channels, height, width]
  TensorView patches;      // [patches, batch, channels, kernel_height, kernel_width]

  void check() const {
    SERVAL_CHECK(images.size() == shape.batch * shape.image_floats() &&
                     patches.size() == shape.patches() * shape.batch * shape.patch_floats(),
                 "take_patches ", to_string(images.shape), " to ", to_string(patches.shape));
  }
  // One row of a patch.
  SERVAL_HD std::int64_t count() const { return patches.size() / shape.kernel_width; }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t y = i % shape.kernel_height;
    const std::int64_t c = i / shape.kernel_height % shape.channels;
    const std::int64_t b = i / (shape.kernel_height * shape.channels) % shape.batch;
    const std::int64_t n = i / (shape.kernel_height * shape.channels * shape.batch);
    const std::int64_t top = n / shape.across() * shape.stride_height + y;
    const float* from = images.data + ((b * shape.channels + c) * shape.height + top) * shape.width +
                        n % shape.across() * shape.stride_width;
    float* to = patches.data + i * shape.kernel_width;
    for (std::int64_t x = 0; x < shape.kernel_width; ++x) to[x] = from[x];
  }
};
struct TakePatches : PortableOp<TakePatchesArgs> {
  static constexpr const char* kName = "take_patches";
};

// dimages = what arrives from all patches that hold a pixel, in their order; 0 where none does.
struct TakePatchesBackwardArgs {
  PatchShape shape;
  ConstTensorView dpatches;
  TensorView dimages;

  void check() const {
    SERVAL_CHECK(dimages.size() == shape.batch * shape.image_floats() &&
                     dpatches.size() == shape.patches() * shape.batch * shape.patch_floats(),
                 "take_patches_backward ", to_string(dpatches.shape), " to ", to_string(dimages.shape));
  }
  SERVAL_HD std::int64_t count() const { return dimages.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t column = i % shape.width;
    const std::int64_t row = i / shape.width % shape.height;
    const std::int64_t c = i / (shape.width * shape.height) % shape.channels;
    const std::int64_t b = i / shape.image_floats();
    double sum = 0;
    for (std::int64_t p = first(row, shape.kernel_height, shape.stride_height);
         p < shape.down() && p * shape.stride_height <= row; ++p) {
      for (std::int64_t q = first(column, shape.kernel_width, shape.stride_width);
           q < shape.across() && q * shape.stride_width <= column; ++q) {
        const std::int64_t n = p * shape.across() + q;
        const std::int64_t y = row - p * shape.stride_height;
        const std::int64_t x = column - q * shape.stride_width;
        sum += static_cast<double>(
            dpatches.data[(((n * shape.batch + b) * shape.channels + c) * shape.kernel_height + y) *
                              shape.kernel_width +
                          x]);
      }
    }
    dimages.data[i] = static_cast<float>(sum);
  }
  // The first patch that reaches as far as `place`.
  SERVAL_HD static std::int64_t first(std::int64_t place, std::int64_t kernel, std::int64_t stride) {
    return place < kernel ? 0 : (place - kernel) / stride + 1;
  }
};
struct TakePatchesBackward : PortableOp<TakePatchesBackwardArgs> {
  static constexpr const char* kName = "take_patches_backward";
};

template <class List>
void list_patch_ops(List& list) {
  list.template op<TakePatches>();
  list.template op<TakePatchesBackward>();
}

}  // namespace serval::nn
