// The seam between Extractor and its devices.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "serval/audio/waveform.h"
#include "serval/core/context.h"
#include "serval/features/detail/plan.h"
#include "serval/features/engine.h"
#include "serval/features/feature_matrix.h"
#include "serval/features/resident.h"

namespace serval::features::detail {

class ExtractorBody {
 public:
  virtual ~ExtractorBody() = default;
  // Clips are checked; each matrix has its size already.
  virtual void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) = 0;
  // Clips are checked; `out` is [first_row.back(), dimension] on the batch's device. May return before it is done.
  virtual void run_resident(const DeviceBatch& batch, std::span<const std::int64_t> first_row,
                            float* out) = 0;
  virtual FeatureEngine engine() const = 0;  // kGeneral or kFused
};

// The op that makes a device's body; context and plan outlive it. Throws UnsupportedError where the device has no
// such engine or the engine cannot take the plan.
struct MakeExtractor {
  static constexpr const char* kName = "extract_features";
  using Signature = std::unique_ptr<ExtractorBody>(const Context&, const ExtractionPlan&, FeatureEngine);
};

}  // namespace serval::features::detail
