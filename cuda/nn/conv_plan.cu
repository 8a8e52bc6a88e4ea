#include <array>
#include <limits>
#include <map>
#include <memory>

#include "cuda/nn/conv_plan.cuh"

namespace serval::nn {

namespace {

// The batch for which cuDNN is asked what is fast: a constant, so that the algorithm, and with it the bits of an image's
// result, do not depend on how many others there are.
constexpr std::int64_t kUsualBatch = 32;
constexpr std::size_t kMostBytes = std::size_t{1} << 29;

int to_int(std::int64_t value) {
  SERVAL_CHECK(value >= 0 && value <= std::numeric_limits<std::int32_t>::max(), "a convolution's size of ",
               value);
  return static_cast<int>(value);
}

void set_images(const TensorDescriptor& descriptor, std::int64_t batch, std::int64_t channels,
                std::int64_t height, std::int64_t width) {
  SERVAL_CUDNN_CHECK(cudnnSetTensor4dDescriptor(descriptor.get(), CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT,
                                                to_int(batch), to_int(channels), to_int(height),
                                                to_int(width)));
}

// Of plain float the descriptor is told FMA; the default allows TF32.
cudnnMathType_t math_type(const Arithmetic& arithmetic) {
  return arithmetic.tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

// The fastest by cuDNN's own account (it measures nothing here) in that arithmetic.
template <class Choice, class Result, std::size_t kCount>
std::optional<Choice> first_usable(cudnnStatus_t status, const std::array<Result, kCount>& results, int count,
                                   const Arithmetic& arithmetic) {
  if (status != CUDNN_STATUS_SUCCESS) return {};
  for (int i = 0; i < count; ++i) {
    const Result& result = results[static_cast<std::size_t>(i)];
    const bool plain = result.mathType == CUDNN_FMA_MATH || result.mathType == CUDNN_DEFAULT_MATH;
    const bool same_bits = result.determinism == CUDNN_DETERMINISTIC || !arithmetic.run_to_run;
    if (result.status == CUDNN_STATUS_SUCCESS && same_bits && plain && result.memory <= kMostBytes)
      return Choice{result.algo, result.memory};
  }
  return {};
}

}  // namespace

ConvPlan::ConvPlan(cudnnHandle_t handle, const ConvShape& s, const Arithmetic& arithmetic) {
  SERVAL_CUDNN_CHECK(cudnnSetFilter4dDescriptor(w_.get(), CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW,
                                                to_int(s.out_channels), to_int(s.group_in()),
                                                to_int(s.kernel_height), to_int(s.kernel_width)));
  SERVAL_CUDNN_CHECK(cudnnSetConvolution2dDescriptor(
      convolution_.get(), to_int(s.top), to_int(s.left), to_int(s.stride_height), to_int(s.stride_width),
      to_int(s.dilation_height), to_int(s.dilation_width), CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
  SERVAL_CUDNN_CHECK(cudnnSetConvolutionGroupCount(convolution_.get(), to_int(s.groups)));
  SERVAL_CUDNN_CHECK(cudnnSetConvolutionMathType(convolution_.get(), math_type(arithmetic)));
  set_images(x_, kUsualBatch, s.in_channels, s.height, s.width);
  set_images(y_, kUsualBatch, s.out_channels, s.out_height(), s.out_width());
  choose(handle, arithmetic);
  set_images(x_, s.batch, s.in_channels, s.height, s.width);
  set_images(y_, s.batch, s.out_channels, s.out_height(), s.out_width());
  measure(handle);
}

void ConvPlan::choose(cudnnHandle_t handle, const Arithmetic& arithmetic) {
  constexpr std::size_t kMost = 16;  // more than cuDNN has of any kind
  int count = 0;
  std::array<cudnnConvolutionFwdAlgoPerf_t, kMost> forward{};
  cudnnStatus_t status = cudnnGetConvolutionForwardAlgorithm_v7(handle, x(), w(), convolution(), y(), kMost,
                                                                &count, forward.data());
  forward_ = first_usable<Choice<cudnnConvolutionFwdAlgo_t>>(status, forward, count, arithmetic);
  std::array<cudnnConvolutionBwdDataAlgoPerf_t, kMost> input{};
  status = cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, w(), y(), convolution(), x(), kMost, &count,
                                                       input.data());
  input_ = first_usable<Choice<cudnnConvolutionBwdDataAlgo_t>>(status, input, count, arithmetic);
  std::array<cudnnConvolutionBwdFilterAlgoPerf_t, kMost> weights{};
  status = cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x(), y(), convolution(), w(), kMost, &count,
                                                         weights.data());
  weights_ = first_usable<Choice<cudnnConvolutionBwdFilterAlgo_t>>(status, weights, count, arithmetic);
}

// What the chosen ones need for the batch at hand.
void ConvPlan::measure(cudnnHandle_t handle) {
  if (forward_) {
    SERVAL_CUDNN_CHECK(cudnnGetConvolutionForwardWorkspaceSize(handle, x(), w(), convolution(), y(),
                                                               forward_->algorithm, &forward_->bytes));
  }
  if (input_) {
    SERVAL_CUDNN_CHECK(cudnnGetConvolutionBackwardDataWorkspaceSize(handle, w(), y(), convolution(), x(),
                                                                    input_->algorithm, &input_->bytes));
  }
  if (weights_) {
    SERVAL_CUDNN_CHECK(cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, x(), y(), convolution(), w(),
                                                                      weights_->algorithm, &weights_->bytes));
  }
}

const ConvPlan& conv_plan(cuda::CudaState& state, const Device& device, const ConvShape& s) {
  using Key = std::array<std::int64_t, 17>;
  static thread_local std::map<Key, std::unique_ptr<ConvPlan>> plans;
  const Arithmetic& arithmetic = state.arithmetic();
  const Key key{device.index,
                s.batch,
                s.in_channels,
                s.height,
                s.width,
                s.out_channels,
                s.kernel_height,
                s.kernel_width,
                s.stride_height,
                s.stride_width,
                s.dilation_height,
                s.dilation_width,
                s.top,
                s.left,
                s.groups,
                arithmetic.tf32,
                arithmetic.run_to_run};
  std::unique_ptr<ConvPlan>& plan = plans[key];
  if (!plan) plan = std::make_unique<ConvPlan>(state.cudnn(), s, arithmetic);
  return *plan;
}

}  // namespace serval::nn
