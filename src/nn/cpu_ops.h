// The CPU bodies of the ops; register_ops.cc hands them to the registry.
#pragma once

#include "serval/nn/activate.h"
#include "serval/nn/attention.h"
#include "serval/nn/batch_augment.h"
#include "serval/nn/batch_norm_backward.h"
#include "serval/nn/conv.h"
#include "serval/nn/gather.h"
#include "serval/nn/gemm.h"
#include "serval/nn/image_pool.h"
#include "serval/nn/lstm.h"
#include "serval/nn/optimiser.h"
#include "serval/nn/pointwise.h"
#include "serval/nn/pooling.h"

namespace serval::nn::cpu {

void gemm(const Context& context, const GemmArgs& args);
void gemm_batched(const Context& context, const GemmBatchedArgs& args);
void gemm_pack(const Context& context, const GemmPackArgs& args);
void gemm_packed(const Context& context, const GemmPackArgs& args);

void activate_row(Activation activation, std::int64_t count, float* y);  // in place
void bias_activation(const Context& context, const BiasActivationArgs& args);
void activation_backward(const Context& context, const ActivationBackwardArgs& args);
void column_sum(const Context& context, const ColumnSumArgs& args);
void dropout(const Context& context, const DropoutArgs& args);
void fill_zero(const Context& context, const TensorView& values);

void conv2d_workspace_size(const Context& context, const ConvShape& shape, bool training,
                           std::int64_t* floats);
void conv2d_forward(const Context& context, const Conv2dForwardArgs& args);
void conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args);
void conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args);

// In the place of the portable bodies.
void max_pool2d(const Context& context, const MaxPool2dArgs& args);
void max_pool2d_backward(const Context& context, const MaxPool2dBackwardArgs& args);
void max_pool2d_scatter(const Context& context, const MaxPool2dScatterArgs& args);
void average_pool2d(const Context& context, const AveragePool2dArgs& args);
void average_pool2d_backward(const Context& context, const AveragePool2dBackwardArgs& args);
void stretch_spectrum(const Context& context, const StretchSpectrumArgs& args);

void lstm_reserve_size(const Context& context, const LstmShape& shape, std::int64_t* floats);
void lstm_forward(const Context& context, const LstmForwardArgs& args);
void lstm_backward(const Context& context, const LstmBackwardArgs& args);

void mean_pool_forward(const Context& context, const PoolArgs& args);
void mean_pool_backward(const Context& context, const PoolArgs& args);
void last_pool_forward(const Context& context, const PoolArgs& args);
void last_pool_backward(const Context& context, const PoolArgs& args);
void attention_pool_forward(const Context& context, const AttentionPoolArgs& args);
void attention_pool_backward(const Context& context, const AttentionPoolArgs& args);

void optimiser_step(const Context& context, const OptimiserArgs& args);
void gather_sequences(const Context& context, const GatherArgs& args);

// Portable ops whose loops the CPU does on vectors. The others it runs as they stand.
void activate(const Context& context, const ActivateArgs& args);
void activate_backward(const Context& context, const ActivateBackwardArgs& args);
void attention_weights(const Context& context, const AttentionWeightsArgs& args);
void attention_weights_backward(const Context& context, const AttentionWeightsBackwardArgs& args);
void norm_sums(const Context& context, const NormSumsArgs& args);
void clear_uncounted(const NormShape& shape, float* y);  // what lies beyond a recording's length: zeros
void norm_apply(const Context& context, const NormApplyArgs& args);
void norm_backward(const Context& context, const NormBackwardArgs& args);

template <class Op>
constexpr typename Op::Signature* kPortableBody = serval::cpu::portable<Op>;
template <>
inline constexpr Activate::Signature* kPortableBody<Activate> = activate;
template <>
inline constexpr ActivateBackward::Signature* kPortableBody<ActivateBackward> = activate_backward;
template <>
inline constexpr AttentionWeights::Signature* kPortableBody<AttentionWeights> = attention_weights;
template <>
inline constexpr AttentionWeightsBackward::Signature* kPortableBody<AttentionWeightsBackward> =
    attention_weights_backward;
template <>
inline constexpr NormSums::Signature* kPortableBody<NormSums> = norm_sums;
template <>
inline constexpr NormApply::Signature* kPortableBody<NormApply> = norm_apply;
template <>
inline constexpr NormBackward::Signature* kPortableBody<NormBackward> = norm_backward;

}  // namespace serval::nn::cpu
