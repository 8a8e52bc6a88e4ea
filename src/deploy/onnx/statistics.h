// Deltas and statistics over time, of columns that are there.
#pragma once

#include "serval/features/detail/plan.h"

#include "spectra.h"

namespace serval::deploy::onnx {

// Columns of `order` 1 or 2 from those that they are slopes of: both [batch, frame, column].
Name write_delta(Graph& graph, const features::detail::DeltaPlan& plan, int order, const Name& source,
                 Spectra& frames);

// One row a recording: [batch, columns]; one column for all_mean.
Name write_statistic(Graph& graph, const features::Statistic& statistic, const Name& columns,
                     std::int64_t count, Spectra& frames);

}  // namespace serval::deploy::onnx
