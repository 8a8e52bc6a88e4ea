// LSTM layers too wide for lstm_resident.cuh: cuDNN between the reordering kernels of lstm_steps.cuh.
#pragma once

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/nn/lstm_memory.cuh"
#include "cuda/nn/lstm_plan.cuh"
#include "cuda/nn/lstm_steps.cuh"

namespace serval::nn {

// The memory of one call.
struct CudnnLstmMemory {
  Kept kept;
  Scratch scratch;
  CudnnLstmMemory(cuda::CudaState& state, const LstmPlan& plan, const LstmShape& shape,
                  const TensorView& reserve)
      : CudnnLstmMemory(plan.spaces(), shape, Pieces(align(reserve.data)),
                        Pieces(state.workspace(scratch_bytes(plan.spaces(), shape)))) {
    const std::int64_t floats = kept_floats(plan.spaces(), shape);
    SERVAL_CHECK(floats <= reserve.size(), "an LSTM batch [", shape.time, ", ", shape.batch,
                 "] needs a reserve of ", floats, " floats, there are ", reserve.size());
  }

 private:
  CudnnLstmMemory(const LstmSpaces& spaces, const LstmShape& shape, Pieces in_reserve, Pieces in_workspace)
      : kept(in_reserve, spaces, shape), scratch(in_workspace, spaces, shape) {}
};

inline StepMap step_map(const LstmShape& shape, const View<const std::int32_t>& lengths) {
  return {lengths.data, shape.time, shape.batch, shape.reversed};
}

inline std::int64_t cudnn_lstm_reserve_size(const Context& context, const LstmShape& shape) {
  cuda::CudaState& state = cuda::cuda_state(context);
  const LstmSpaces most = lstm_largest_spaces(state, context.device(), shape);
  state.workspace(scratch_bytes(most, shape));  // now, so that no later call has to allocate
  return kept_floats(most, shape);
}

inline void cudnn_lstm_forward(const Context& context, const LstmForwardArgs& args) {
  cuda::CudaState& state = cuda::cuda_state(context);
  const LstmShape& shape = args.shape;
  const LstmPlan& plan = lstm_plan(state, context.device(), shape);
  const LstmLayerPlan& layer = plan.layer();
  const LstmSpaces& spaces = plan.spaces();
  const CudnnLstmMemory memory(state, plan, shape, args.reserve);
  const Kept& kept = memory.kept;
  const StepMap map = step_map(shape, args.lengths);

  for (const LstmLayerPlan::Segment& segment : layer.segments()) {
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(kept.weights + segment.packed, args.weights.data + segment.canonical,
                                      static_cast<std::size_t>(segment.count) * sizeof(float),
                                      cudaMemcpyDeviceToDevice, state.stream()));
  }
  copy_steps(state.stream(), map, {args.x.data, shape.input}, {kept.x, shape.input}, shape.input);
  // No initial and no final states: null is zero for the former, not wanted for the latter.
  SERVAL_CUDNN_CHECK(cudnnRNNForward(
      state.cudnn(), layer.rnn(), args.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, nullptr,
      plan.x(), kept.x, plan.y(), kept.y, plan.state(), nullptr, nullptr, plan.state(), nullptr, nullptr,
      spaces.weights, kept.weights, spaces.workspace, memory.scratch.workspace,
      args.training ? spaces.reserve : 0, args.training ? kept.cudnn : nullptr));
  copy_steps(state.stream(), map, {kept.y, shape.hidden}, {args.y, args.y_stride}, shape.hidden);
}

inline void cudnn_lstm_backward(const Context& context, const LstmBackwardArgs& args) {
  cuda::CudaState& state = cuda::cuda_state(context);
  const LstmShape& shape = args.shape;
  const LstmPlan& plan = lstm_plan(state, context.device(), shape);
  const LstmLayerPlan& layer = plan.layer();
  const LstmSpaces& spaces = plan.spaces();
  const CudnnLstmMemory memory(state, plan, shape, args.reserve);
  const Kept& kept = memory.kept;
  const Scratch& scratch = memory.scratch;
  const StepMap map = step_map(shape, args.lengths);

  // Padded steps come last in cuDNN's order and receive no gradient, so that none leaves them either.
  copy_steps(state.stream(), map, {args.dy, args.y_stride}, {scratch.dy, shape.hidden}, shape.hidden);
  // Needed even where nobody wants dx: the weights' gradients come out of what it leaves behind.
  SERVAL_CUDNN_CHECK(cudnnRNNBackwardData_v8(
      state.cudnn(), layer.rnn(), nullptr, plan.y(), kept.y, scratch.dy, plan.x(), scratch.dx, plan.state(),
      nullptr, nullptr, nullptr, plan.state(), nullptr, nullptr, nullptr, spaces.weights, kept.weights,
      spaces.workspace, scratch.workspace, spaces.reserve, kept.cudnn));
  if (!args.dx.empty()) {
    add_steps(state.stream(), map, {scratch.dx, shape.input}, {args.dx.data, shape.input}, shape.input);
  }

  if (args.dweights.empty()) return;
  // cuDNN adds; its layout may have gaps, so it adds to a space of its own first.
  SERVAL_CUDA_CHECK(cudaMemsetAsync(scratch.dweights, 0, spaces.weights, state.stream()));
  SERVAL_CUDNN_CHECK(cudnnRNNBackwardWeights_v8(state.cudnn(), layer.rnn(), CUDNN_WGRAD_MODE_ADD, nullptr,
                                                plan.x(), kept.x, plan.state(), nullptr, plan.y(), kept.y,
                                                spaces.weights, scratch.dweights, spaces.workspace,
                                                scratch.workspace, spaces.reserve, kept.cudnn));
  for (const LstmLayerPlan::Segment& segment : layer.segments()) {
    add_values(state.stream(), scratch.dweights + segment.packed, args.dweights.data + segment.canonical,
               segment.count);
  }
}

}  // namespace serval::nn
