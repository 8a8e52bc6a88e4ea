// The CUDA body of the extractor: frames, cuFFT in chunks, mel and logarithm, cosine transform, deltas.
#pragma once

#include <memory>

#include "serval/features/detail/extractor_body.h"

namespace serval::features::cuda {

std::unique_ptr<detail::ExtractorBody> make_cuda_extractor(const Context& context,
                                                           const detail::ExtractionPlan& plan);

}  // namespace serval::features::cuda
