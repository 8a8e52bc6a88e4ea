// LSTM bodies: our own recurrence where its weights fit on chip, cuDNN's elsewhere.
#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/lstm_cudnn_body.cuh"
#include "cuda/nn/lstm_resident_body.cuh"

namespace serval::nn {

namespace {

bool fits_on_chip(cuda::CudaState& state, const LstmShape& shape) {
  return shape.hidden <= kMostResidentHidden && resident_bytes(shape.hidden) <= state.most_shared_bytes();
}

int rows_a_block(cuda::CudaState& state, const LstmShape& shape) {
  return resident_rows(shape.batch, state.beside(), state.processors());
}

}  // namespace

void bodies::lstm_reserve_size(const Context& context, const LstmShape& shape, std::int64_t* floats) {
  *floats = fits_on_chip(cuda::cuda_state(context), shape) ? resident_reserve_floats(shape)
                                                           : cudnn_lstm_reserve_size(context, shape);
}

void bodies::lstm_forward(const Context& context, const LstmForwardArgs& args) {
  cuda::CudaState& state = cuda::cuda_state(context);
  if (!fits_on_chip(state, args.shape)) return cudnn_lstm_forward(context, args);
  resident_lstm_forward(context, state.stream(), args, rows_a_block(state, args.shape));
}

void bodies::lstm_backward(const Context& context, const LstmBackwardArgs& args) {
  cuda::CudaState& state = cuda::cuda_state(context);
  if (!fits_on_chip(state, args.shape)) return cudnn_lstm_backward(context, args);
  resident_lstm_backward(context, state.stream(), args, rows_a_block(state, args.shape));
}

}  // namespace serval::nn
