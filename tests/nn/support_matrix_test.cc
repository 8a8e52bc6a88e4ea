// Every op and the devices that have it, as `serval info --ops` shows them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/context.h"
#include "serval/nn/gemm.h"

namespace serval {
namespace {

TEST(SupportMatrix, NamesEveryOp) {
  std::vector<std::string> names;
  for (const OpRegistry::Row& row : op_registry().support()) names.push_back(row.name);
  const std::vector<std::string> expected{"activate",
                                          "activate_backward",
                                          "activation_backward",
                                          "add_into",
                                          "add_noise",
                                          "add_pair",
                                          "add_positions",
                                          "attention_pool_backward",
                                          "attention_pool_forward",
                                          "attention_weights",
                                          "attention_weights_backward",
                                          "average_pool2d",
                                          "average_pool2d_backward",
                                          "average_pool_steps",
                                          "bias_activation",
                                          "blend_into",
                                          "center_loss",
                                          "center_update",
                                          "channel_bias_activation",
                                          "channel_mask",
                                          "channel_sum",
                                          "column_sum",
                                          "concordance_loss",
                                          "conv2d_backward_input",
                                          "conv2d_backward_weights",
                                          "conv2d_forward",
                                          "conv2d_workspace_size",
                                          "copy_columns",
                                          "derive_lengths",
                                          "dropout",
                                          "ds_state",
                                          "ds_state_backward",
                                          "end_steps",
                                          "extract_features",
                                          "fill_zero",
                                          "first_steps_mean",
                                          "first_steps_mean_backward",
                                          "fold_image",
                                          "fold_steps",
                                          "gate",
                                          "gate_gradient",
                                          "gate_vector_gradient",
                                          "gather_segments",
                                          "gather_sequences",
                                          "gaussian_noise",
                                          "gemm",
                                          "gemm_batched",
                                          "gemm_pack",
                                          "gemm_packed",
                                          "global_pool",
                                          "global_pool_backward",
                                          "gru_reset",
                                          "gru_reset_backward",
                                          "gru_state",
                                          "gru_state_backward",
                                          "last_pool_backward",
                                          "last_pool_forward",
                                          "layer_norm",
                                          "layer_norm_backward",
                                          "layer_norm_gather",
                                          "layer_norm_sums",
                                          "line_windows",
                                          "line_windows_backward",
                                          "local_response",
                                          "local_response_backward",
                                          "lstm_backward",
                                          "lstm_forward",
                                          "lstm_output",
                                          "lstm_output_backward",
                                          "lstm_reserve_size",
                                          "lstm_state",
                                          "lstm_state_backward",
                                          "mask_spectrum",
                                          "max_pool2d",
                                          "max_pool2d_backward",
                                          "max_pool2d_scatter",
                                          "max_pool_steps",
                                          "mean_pool_backward",
                                          "mean_pool_forward",
                                          "mean_square_loss",
                                          "mix_neighbours",
                                          "norm_apply",
                                          "norm_backward",
                                          "norm_gradients",
                                          "norm_running",
                                          "norm_statistics",
                                          "norm_sums",
                                          "optimiser_step",
                                          "pad_images",
                                          "pool_steps_backward",
                                          "prepend_tokens",
                                          "product_sum",
                                          "read_steps",
                                          "resize",
                                          "resize_backward",
                                          "select_step",
                                          "sequence_max",
                                          "sequence_max_backward",
                                          "simple_step_backward",
                                          "softmax",
                                          "softmax_backward",
                                          "softmax_cross_entropy",
                                          "stretch_spectrum",
                                          "strided_copy",
                                          "sum_over_batch",
                                          "take_patches",
                                          "take_patches_backward",
                                          "unfold_image",
                                          "unfold_steps",
                                          "window_mean",
                                          "window_mean_backward"};
  EXPECT_EQ(names, expected);
}

TEST(SupportMatrix, EveryDeviceOfTheBuildHasEveryOp) {
  for (const OpRegistry::Row& row : op_registry().support()) {
    EXPECT_TRUE(row.cpu) << row.name;
    EXPECT_EQ(row.cuda, built_with_cuda()) << row.name;
  }
}

struct NobodyHasIt {
  static constexpr const char* kName = "nobody_has_it";
  using Signature = void(const Context&);
};
TEST(SupportMatrix, AnOpThatIsMissingIsAnErrorAndNothingElse) {
  const Context context;
  try {
    run<NobodyHasIt>(context);
    FAIL() << "ran";
  } catch (const UnsupportedError& error) {
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("nobody_has_it"), ::testing::HasSubstr("cpu")));
    EXPECT_EQ(error.code(), ExitCode::kDevice);
  }
}

}  // namespace
}  // namespace serval
