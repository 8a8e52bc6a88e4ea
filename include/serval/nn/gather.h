// A padded batch out of ragged recordings, normalised with the fold's own training statistics.
//   x[t, b, f] = (values[starts[b] + t, f] - mean[f]) * scale[f]   for t < lengths[b], else 0
#pragma once

#include "serval/core/context.h"

namespace serval::nn {

struct GatherArgs {
  std::int64_t time = 0, batch = 0, feature = 0;
  ConstTensorView values;       // [total frames, feature]
  ConstTensorView more_values;  // [more frames, feature]: frames numbered on behind those of values
  View<const std::int64_t>
      starts;  // [batch]: first frame of each item; no item reaches from one into the other
  View<const std::int32_t> lengths;  // [batch], each in [1, time]
  ConstTensorView mean, scale;       // [feature]
  TensorView x;                      // [time, batch, feature]
};
struct GatherSequences {
  static constexpr const char* kName = "gather_sequences";
  using Signature = void(const Context&, const GatherArgs&);
};

}  // namespace serval::nn
