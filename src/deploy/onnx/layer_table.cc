#include <array>
#include <utility>

#include "layer_lists.h"

namespace serval::deploy::onnx {

namespace {

constexpr std::array<std::pair<const char*, WriteLayer>, 43> kWriters{{
    {"activation", write_activation},
    {"add", write_add},
    {"align_pairwise", write_align_pairwise},
    {"attention_pool", write_attention_pool},
    {"average_pool1d", write_average_pool1d},
    {"average_pool2d", write_average_pool2d},
    {"batch_norm", write_batch_norm},
    {"class_tokens", write_class_tokens},
    {"concat", write_concat},
    {"conv1d", write_conv1d},
    {"conv2d", write_conv2d},
    {"conv_lstm1d", write_conv_lstm1d},
    {"dense", write_dense},
    {"dropout", write_nothing},
    {"ds_lstm", write_ds_lstm},
    {"gaussian_noise", write_nothing},
    {"global_average_pool", write_global_average_pool},
    {"global_max_pool", write_global_max_pool},
    {"gru", write_gru},
    {"last_pool", write_last_pool},
    {"layer_norm", write_layer_norm},
    {"local_response_norm", write_local_response_norm},
    {"lstm", write_lstm},
    {"match_steps", write_match_steps},
    {"max_pool1d", write_max_pool1d},
    {"max_pool2d", write_max_pool2d},
    {"mean_pool", write_mean_pool},
    {"multi_head_attention", write_multi_head_attention},
    {"multiply", write_multiply},
    {"patch_embed", write_patch_embed},
    {"permute", write_permute},
    {"positional_embedding", write_positional_embedding},
    {"resize", write_resize},
    {"segments", write_segments},
    {"select_step", write_select_step},
    {"sequence_max_pool", write_sequence_max_pool},
    {"simple_rnn", write_simple_rnn},
    {"slice", write_slice},
    {"softmax", write_softmax},
    {"spatial_dropout", write_nothing},
    {"to_image", write_to_image},
    {"to_sequence", write_to_sequence},
    {"token_mean", write_token_mean},
}};

}  // namespace

WriteLayer layer_writer(const std::string& type) {
  for (const auto& [name, writer] : kWriters) {
    if (type == name) return writer;
  }
  return nullptr;
}

}  // namespace serval::deploy::onnx
