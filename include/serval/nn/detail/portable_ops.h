// Every portable op of this room, for whoever registers or tests them: list.op<Op>() is called for each.
#pragma once

#include "serval/nn/activate.h"
#include "serval/nn/arithmetic.h"
#include "serval/nn/attention.h"
#include "serval/nn/batch_norm_backward.h"
#include "serval/nn/detail/training_ops.h"
#include "serval/nn/ds_cell.h"
#include "serval/nn/gru_cell.h"
#include "serval/nn/image_pool.h"
#include "serval/nn/joining.h"
#include "serval/nn/layer_norm.h"
#include "serval/nn/line_windows.h"
#include "serval/nn/local_response_norm.h"
#include "serval/nn/lstm_cell.h"
#include "serval/nn/noise.h"
#include "serval/nn/patches.h"
#include "serval/nn/rearrange.h"
#include "serval/nn/recurrent.h"
#include "serval/nn/resize.h"
#include "serval/nn/tokens.h"
#include "serval/nn/unfold.h"
#include "serval/nn/unfold_steps.h"

namespace serval::nn::detail {

template <class List>
void list_portable_ops(List& list) {
  list_arithmetic_ops(list);
  list_activation_ops(list);
  list_layer_norm_ops(list);
  list_attention_ops(list);
  list_token_ops(list);
  list_patch_ops(list);
  list_joining_ops(list);
  list_batch_norm_ops(list);
  list_local_response_ops(list);
  list_noise_ops(list);
  list_rearrange_ops(list);
  list_resize_ops(list);
  list_training_ops(list);
  list_unfold_ops(list);
  list_step_window_ops(list);
  list_image_pool_ops(list);
  list_recurrent_ops(list);
  list_gru_ops(list);
  list_lstm_cell_ops(list);
  list_ds_cell_ops(list);
  list_line_window_ops(list);
}

}  // namespace serval::nn::detail
