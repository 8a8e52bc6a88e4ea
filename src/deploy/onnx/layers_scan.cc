#include "layer_lists.h"
namespace serval::deploy::onnx {
Name write_peephole_lstm(LayerWriter& layer) {
  layer.refuse("has peepholes that no operator of ONNX has");
  return layer.x();
}
Name write_conv_lstm1d(LayerWriter& layer) { layer.refuse("is a recurrence that no operator of ONNX has"); return layer.x(); }
Name write_ds_lstm(LayerWriter& layer) { layer.refuse("is a recurrence that no operator of ONNX has"); return layer.x(); }
}
