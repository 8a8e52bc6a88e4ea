// The CUDA bodies of the ops in include/serval/nn, one .cu file a header; register_ops.cu registers them.
#pragma once

#include "serval/nn/conv.h"
#include "serval/nn/gather.h"
#include "serval/nn/gemm.h"
#include "serval/nn/lstm.h"
#include "serval/nn/optimiser.h"
#include "serval/nn/pointwise.h"
#include "serval/nn/pooling.h"

namespace serval::nn::bodies {

Gemm::Signature gemm;
GemmBatched::Signature gemm_batched;
GemmPack::Signature gemm_pack;
GemmPacked::Signature gemm_packed;
GatherSequences::Signature gather_sequences;
BiasActivation::Signature bias_activation;
ActivationBackward::Signature activation_backward;
ColumnSum::Signature column_sum;
Dropout::Signature dropout;
FillZero::Signature fill_zero;
Conv2dWorkspaceSize::Signature conv2d_workspace_size;
Conv2dForward::Signature conv2d_forward;
Conv2dBackwardInput::Signature conv2d_backward_input;
Conv2dBackwardWeights::Signature conv2d_backward_weights;
LstmReserveSize::Signature lstm_reserve_size;
LstmForward::Signature lstm_forward;
LstmBackward::Signature lstm_backward;
MeanPoolForward::Signature mean_pool_forward;
MeanPoolBackward::Signature mean_pool_backward;
LastPoolForward::Signature last_pool_forward;
LastPoolBackward::Signature last_pool_backward;
AttentionPoolForward::Signature attention_pool_forward;
AttentionPoolBackward::Signature attention_pool_backward;
OptimiserStep::Signature optimiser_step;

}  // namespace serval::nn::bodies
