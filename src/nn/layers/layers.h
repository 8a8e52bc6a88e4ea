// One function for each type of layer, in the file of its name or family.
#pragma once

#include "serval/nn/pointwise.h"

#include "../layer_body.h"

namespace serval::nn {

std::unique_ptr<LayerBody> make_activation();
std::unique_ptr<LayerBody> make_softmax();
std::unique_ptr<LayerBody> make_layer_norm();
std::unique_ptr<LayerBody> make_layer_norm(double epsilon);  // for layers that hold one
std::unique_ptr<LayerBody> make_dense();
std::unique_ptr<LayerBody> make_dense(std::int64_t units, InitKind init);  // for layers that hold one
std::unique_ptr<LayerBody> make_dropout();
std::unique_ptr<LayerBody> make_dropout(double rate);  // for layers that hold one

std::unique_ptr<LayerBody> make_concat();
std::unique_ptr<LayerBody> make_concat(int axis);
std::unique_ptr<LayerBody> make_add();
std::unique_ptr<LayerBody> make_multiply();
std::unique_ptr<LayerBody> make_slice();
std::unique_ptr<LayerBody> make_slice(std::int64_t start, std::int64_t size);  // for layers that hold one
std::unique_ptr<LayerBody> make_flatten();
std::unique_ptr<LayerBody> make_reshape();
std::unique_ptr<LayerBody> make_permute();
std::unique_ptr<LayerBody> make_resize();

std::unique_ptr<LayerBody> make_batch_norm();
std::unique_ptr<LayerBody> make_batch_norm(Activation activation);  // with the defaults
std::unique_ptr<LayerBody> make_step_norm(std::int64_t max_steps);  // of steps; 0: one statistic for all
std::unique_ptr<LayerBody> make_local_response_norm();
std::unique_ptr<LayerBody> make_spatial_dropout();
std::unique_ptr<LayerBody> make_gaussian_noise();

std::unique_ptr<LayerBody> make_to_sequence();
std::unique_ptr<LayerBody> make_to_image();
std::unique_ptr<LayerBody> make_select_step();
std::unique_ptr<LayerBody> make_match_steps();
std::unique_ptr<LayerBody> make_align_pairwise();
std::unique_ptr<LayerBody> make_segments();

std::unique_ptr<LayerBody> make_conv2d();
std::unique_ptr<LayerBody> make_max_pool2d();
std::unique_ptr<LayerBody> make_average_pool2d();
std::unique_ptr<LayerBody> make_global_max_pool();
std::unique_ptr<LayerBody> make_global_average_pool();

std::unique_ptr<LayerBody> make_conv1d();
std::unique_ptr<LayerBody> make_max_pool1d();
std::unique_ptr<LayerBody> make_average_pool1d();

std::unique_ptr<LayerBody> make_lstm();
std::unique_ptr<LayerBody> make_gru();
std::unique_ptr<LayerBody> make_simple_rnn();
std::unique_ptr<LayerBody> make_ds_lstm();
std::unique_ptr<LayerBody> make_conv_lstm1d();
std::unique_ptr<LayerBody> make_mean_pool();
std::unique_ptr<LayerBody> make_last_pool();
std::unique_ptr<LayerBody> make_attention_pool();
std::unique_ptr<LayerBody> make_sequence_max_pool();

std::unique_ptr<LayerBody> make_multi_head_attention();
std::unique_ptr<LayerBody> make_positional_embedding();
std::unique_ptr<LayerBody> make_class_tokens();
std::unique_ptr<LayerBody> make_token_mean();
std::unique_ptr<LayerBody> make_patch_embed();
std::unique_ptr<LayerBody> make_transformer_block();
std::unique_ptr<LayerBody> make_transformer();
std::unique_ptr<LayerBody> make_ast();

std::unique_ptr<LayerBody> make_residual_block();
std::unique_ptr<LayerBody> make_squeeze_excitation();
std::unique_ptr<LayerBody> make_dense_block();
std::unique_ptr<LayerBody> make_transition();
std::unique_ptr<LayerBody> make_densenet121();
std::unique_ptr<LayerBody> make_vgg16();
std::unique_ptr<LayerBody> make_alexnet();

}  // namespace serval::nn
