// The CUDA body of the extractor: one fused kernel where it can take the set, otherwise the general engine with
// frames, cuFFT in chunks, mel and logarithm, cosine transform, deltas.
#pragma once

#include <memory>

#include "serval/features/detail/extractor_body.h"

namespace serval::features::cuda {

std::unique_ptr<detail::ExtractorBody> make_cuda_extractor(const Context& context,
                                                           const detail::ExtractionPlan& plan,
                                                           FeatureEngine engine);

}  // namespace serval::features::cuda
