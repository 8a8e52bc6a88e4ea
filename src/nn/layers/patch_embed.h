// For layers that hold one.
#pragma once

#include "../layer_body.h"
#include "shared_settings.h"

namespace serval::nn {

struct PatchEmbed : LayerBodyOf<PatchEmbed> {
  static constexpr const char* kType = "patch_embed";
  std::int64_t units = 0;
  std::vector<std::int64_t> kernel = {16};
  std::vector<std::int64_t> stride = {};
  bool bias = true;
  InitKind init = InitKind::kTruncatedNormal;

  void describe(SettingsVisitor& v) override;
  void plan(NodePlan& node) const override;
};

}  // namespace serval::nn
