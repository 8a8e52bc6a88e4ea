// For layers that hold one.
#pragma once

#include "../layer_body.h"
#include "shared_settings.h"

namespace serval::nn {

struct MultiHeadAttention : LayerBodyOf<MultiHeadAttention> {
  static constexpr const char* kType = "multi_head_attention";
  std::int64_t heads = 4;
  bool bias = true;
  double dropout = 0;
  InitKind init = InitKind::kGlorotUniform;

  void describe(SettingsVisitor& v) override;
  void plan(NodePlan& node) const override;
};

}  // namespace serval::nn
