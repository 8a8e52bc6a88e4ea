// The seam between Extractor and its devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  // Gives clip i's matrix its size and says whether its samples are numbers. Called once for each clip before it
  // is read, by any thread: on the CPU by the one that works on the clip next, which then has it in its cache.
  using Prepare = std::function<bool(std::size_t)>;
  // A clip that prepare() refuses is left out, and the caller throws.
  virtual void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out,
                   const Prepare& prepare) = 0;
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
