// Transformer encoders, for layers that hold one.
#pragma once

#include "../layer_body.h"
#include "shared_settings.h"

namespace serval::nn {

struct TransformerSettings {
  std::int64_t heads = 4;
  std::int64_t hidden = 0;
  Activation activation = Activation::kGelu;
  double dropout = 0;
  bool norm_first = true;
  double epsilon = 1e-5;
  InitKind init = InitKind::kTruncatedNormal;

  void describe(SettingsVisitor& v);
};

struct Transformer : LayerBodyOf<Transformer>, TransformerSettings {
  static constexpr const char* kType = "transformer";
  std::int64_t depth = 2;
  bool final_norm = false;

  void describe(SettingsVisitor& v) override;
  void plan(NodePlan& node) const override;
};

}  // namespace serval::nn
