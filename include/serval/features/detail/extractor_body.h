// The seam between Extractor and its devices.
#pragma once

#include <memory>
#include <span>

#include "serval/audio/waveform.h"
#include "serval/core/context.h"
#include "serval/features/detail/plan.h"
#include "serval/features/feature_matrix.h"

namespace serval::features::detail {

class ExtractorBody {
 public:
  virtual ~ExtractorBody() = default;
  // Clips are checked; each matrix has its size already.
  virtual void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) = 0;
};

// The op that makes a device's body; context and plan outlive it.
struct MakeExtractor {
  static constexpr const char* kName = "extract_features";
  using Signature = std::unique_ptr<ExtractorBody>(const Context&, const ExtractionPlan&);
};

}  // namespace serval::features::detail
