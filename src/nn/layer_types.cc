// Every type of layer, by its name in files.
#include "layers/layers.h"

namespace serval::nn {

const Options<MakeLayerBody>& layer_types() {
  static const Options<MakeLayerBody> types{
      // items of any shape, one by one
      {"activation", make_activation},
      {"softmax", make_softmax},
      {"layer_norm", make_layer_norm},
      // vectors, one by one
      {"dense", make_dense},
      {"dropout", make_dropout},
      // images, vectors and steps
      {"batch_norm", make_batch_norm},
      {"local_response_norm", make_local_response_norm},
      {"spatial_dropout", make_spatial_dropout},
      {"gaussian_noise", make_gaussian_noise},
      // several inputs
      {"concat", make_concat},
      {"add", make_add},
      {"multiply", make_multiply},
      // shapes
      {"slice", make_slice},
      {"flatten", make_flatten},
      {"reshape", make_reshape},
      {"permute", make_permute},
      {"segments", make_segments},
      {"resize", make_resize},
      {"to_sequence", make_to_sequence},
      {"to_image", make_to_image},
      // images
      {"conv2d", make_conv2d},
      {"max_pool2d", make_max_pool2d},
      {"average_pool2d", make_average_pool2d},
      {"global_max_pool", make_global_max_pool},
      {"global_average_pool", make_global_average_pool},
      // sequences
      {"conv1d", make_conv1d},
      {"max_pool1d", make_max_pool1d},
      {"average_pool1d", make_average_pool1d},
      {"select_step", make_select_step},
      {"match_steps", make_match_steps},
      {"align_pairwise", make_align_pairwise},
      {"lstm", make_lstm},
      {"gru", make_gru},
      {"simple_rnn", make_simple_rnn},
      {"ds_lstm", make_ds_lstm},
      {"conv_lstm1d", make_conv_lstm1d},
      {"mean_pool", make_mean_pool},
      {"last_pool", make_last_pool},
      {"attention_pool", make_attention_pool},
      {"sequence_max_pool", make_sequence_max_pool},
      // transformers
      {"multi_head_attention", make_multi_head_attention},
      {"positional_embedding", make_positional_embedding},
      {"class_tokens", make_class_tokens},
      {"token_mean", make_token_mean},
      {"patch_embed", make_patch_embed},
      {"transformer_block", make_transformer_block},
      {"transformer", make_transformer},
      // made of others
      {"residual_block", make_residual_block},
      {"squeeze_excitation", make_squeeze_excitation},
      {"dense_block", make_dense_block},
      {"transition", make_transition},
      // whole networks, without their heads
      {"densenet121", make_densenet121},
      {"vgg16", make_vgg16},
      {"alexnet", make_alexnet},
      {"ast", make_ast},
  };
  return types;
}

}  // namespace serval::nn
