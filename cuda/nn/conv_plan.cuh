// What cuDNN must be told about a convolution of one shape, and the algorithms it runs with, worked out once.
#pragma once

#include <optional>

#include <cudnn.h>

#include "serval/nn/conv.h"

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/nn/lstm_plan.cuh"

namespace serval::nn {

using FilterDescriptor =
    CudnnDescriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor = CudnnDescriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor,
                                              cudnnDestroyConvolutionDescriptor>;

// Of a shape whose padding is equal on opposite sides.
class ConvPlan {
 public:
  ConvPlan(cudnnHandle_t handle, const ConvShape& shape, const Arithmetic& arithmetic);

  template <class Algorithm>
  struct Choice {
    Algorithm algorithm{};
    std::size_t bytes = 0;  // of workspace
  };
  // Empty where cuDNN has no algorithm that gives the same bits each time, and these are asked for.
  const std::optional<Choice<cudnnConvolutionFwdAlgo_t>>& forward() const { return forward_; }
  const std::optional<Choice<cudnnConvolutionBwdDataAlgo_t>>& input() const { return input_; }
  const std::optional<Choice<cudnnConvolutionBwdFilterAlgo_t>>& weights() const { return weights_; }
  bool complete() const { return forward_ && input_ && weights_; }

  cudnnTensorDescriptor_t x() const { return x_.get(); }
  cudnnTensorDescriptor_t y() const { return y_.get(); }
  cudnnFilterDescriptor_t w() const { return w_.get(); }
  cudnnConvolutionDescriptor_t convolution() const { return convolution_.get(); }

 private:
  void choose(cudnnHandle_t handle, const Arithmetic& arithmetic);
  void measure(cudnnHandle_t handle);

  TensorDescriptor x_, y_;
  FilterDescriptor w_;
  ConvolutionDescriptor convolution_;
  std::optional<Choice<cudnnConvolutionFwdAlgo_t>> forward_;
  std::optional<Choice<cudnnConvolutionBwdDataAlgo_t>> input_;
  std::optional<Choice<cudnnConvolutionBwdFilterAlgo_t>> weights_;
};

// The calling thread's plan for that shape, made on first use.
const ConvPlan& conv_plan(cuda::CudaState& state, const Device& device, const ConvShape& shape);

}  // namespace serval::nn
