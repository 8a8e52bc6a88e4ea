// What conv1d and conv2d have in common, and how layers that hold a convolution or a pool make one.
#pragma once

#include "serval/nn/initialiser.h"
#include "serval/nn/pointwise.h"

#include "../layer_body.h"
#include "window.h"

namespace serval::nn {

struct ConvolutionSettings {
  std::int64_t channels = 0;
  WindowSettings window;
  std::int64_t groups = 1;
  Activation activation = Activation::kNone;
  bool bias = true;
  InitKind init = InitKind::kGlorotUniform;
};
void describe_convolution(SettingsVisitor& v, ConvolutionSettings& s, int axes);
void check_channels(const NodePlan& node, const ConvolutionSettings& s, std::int64_t in);

std::unique_ptr<LayerBody> make_conv1d(ConvolutionSettings settings);
std::unique_ptr<LayerBody> make_conv2d(ConvolutionSettings settings);

// A pool's stride is its kernel when empty; it has no dilation.
struct PoolSettings {
  WindowSettings window{.kernel = {2}, .stride = {}, .dilation = {1}, .padding = {}};
  bool count_padding = false;  // average
};
void describe_pool(SettingsVisitor& v, PoolSettings& s, int axes);
void describe_count_padding(SettingsVisitor& v, PoolSettings& s);
// As PyTorch: at most half the window, so that none is without input. "same" never has more.
void check_pool_padding(const NodePlan& node, const PoolSettings& s, const Window& one);

std::unique_ptr<LayerBody> make_max_pool2d(PoolSettings settings);
std::unique_ptr<LayerBody> make_average_pool2d(PoolSettings settings);

}  // namespace serval::nn
