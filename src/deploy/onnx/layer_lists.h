// Translations of layers, a file a family. They are listed in layer_table.cc.
#pragma once

#include "network.h"

namespace serval::deploy::onnx {

// layers_vectors.cc: item by item
Name write_dense(LayerWriter& layer);
Name write_activation(LayerWriter& layer);
Name write_softmax(LayerWriter& layer);
Name write_batch_norm(LayerWriter& layer);
Name write_layer_norm(LayerWriter& layer);
Name write_nothing(LayerWriter& layer);  // what does something in training alone
Name write_concat(LayerWriter& layer);
Name write_add(LayerWriter& layer);
Name write_multiply(LayerWriter& layer);
Name write_slice(LayerWriter& layer);
Name write_permute(LayerWriter& layer);

// layers_images.cc
Name write_conv2d(LayerWriter& layer);
Name write_max_pool2d(LayerWriter& layer);
Name write_average_pool2d(LayerWriter& layer);
Name write_global_max_pool(LayerWriter& layer);
Name write_global_average_pool(LayerWriter& layer);
Name write_local_response_norm(LayerWriter& layer);
Name write_resize(LayerWriter& layer);
Name write_patch_embed(LayerWriter& layer);
Name write_to_sequence(LayerWriter& layer);
Name write_to_image(LayerWriter& layer);

// layers_steps.cc: windows along time
Name write_conv1d(LayerWriter& layer);
Name write_max_pool1d(LayerWriter& layer);
Name write_average_pool1d(LayerWriter& layer);
Name write_segments(LayerWriter& layer);
Name write_align_pairwise(LayerWriter& layer);

// layers_sequences.cc: sequences as a whole
Name write_mean_pool(LayerWriter& layer);
Name write_last_pool(LayerWriter& layer);
Name write_sequence_max_pool(LayerWriter& layer);
Name write_attention_pool(LayerWriter& layer);
Name write_select_step(LayerWriter& layer);
Name write_match_steps(LayerWriter& layer);
Name write_class_tokens(LayerWriter& layer);
Name write_token_mean(LayerWriter& layer);
Name write_positional_embedding(LayerWriter& layer);
Name write_multi_head_attention(LayerWriter& layer);

// layers_recurrent.cc
Name write_lstm(LayerWriter& layer);
Name write_gru(LayerWriter& layer);
Name write_simple_rnn(LayerWriter& layer);

// layers_scan.cc: recurrences that no operator has
Name write_peephole_lstm(LayerWriter& layer);
Name write_conv_lstm1d(LayerWriter& layer);
Name write_ds_lstm(LayerWriter& layer);

}  // namespace serval::deploy::onnx
