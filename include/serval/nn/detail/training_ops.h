// The portable ops of training, for detail/portable_ops.h.
#pragma once

#include "serval/nn/batch_augment.h"
#include "serval/nn/blend.h"
#include "serval/nn/center_loss.h"
#include "serval/nn/loss.h"
#include "serval/nn/value_loss.h"

namespace serval::nn {

template <class List>
void list_training_ops(List& list) {
  list.template op<SoftmaxCrossEntropy>();
  list.template op<MeanSquareLoss>();
  list.template op<ConcordanceLoss>();
  list.template op<CenterLoss>();
  list.template op<CenterUpdate>();
  list.template op<BlendInto>();
  list.template op<MaskSpectrum>();
  list.template op<MixNeighbours>();
  list.template op<AddNoise>();
  list.template op<StretchSpectrum>();
}

}  // namespace serval::nn
