// Stretched spectra on the CPU: where bands are read is worked out once an item, and what a step's bands become once for
// the steps that lie beside it. The arithmetic of each number is that of the portable body.
#include <algorithm>
#include <vector>

#include "cpu_ops.h"

namespace serval::nn::cpu {

void stretch_spectrum(const Context&, const StretchSpectrumArgs& given) {
  given.check();
  const StretchSpectrumArgs args = given;  // a copy that no store through a pointer can be thought to change
  std::vector<StretchSpectrumArgs::Place> places(static_cast<std::size_t>(args.bands));
  std::vector<float> rows(static_cast<std::size_t>(2 * args.feature));
  for (std::int64_t b = 0; b < args.batch; ++b) {
    const float factor = args.factor(b);
    for (std::size_t band = 0; band < places.size(); ++band)
      places[band] = args.band_of(static_cast<std::int64_t>(band), factor);
    // An even step and an odd one, which are in `rows` with their bands moved.
    std::int64_t held[2] = {-1, -1};
    const auto moved = [&](std::int64_t step) -> const float* {
      float* row = rows.data() + step % 2 * args.feature;
      if (held[step % 2] == step) return row;
      held[step % 2] = step;
      const float* from = args.x.data + (step * args.batch + b) * args.feature;
      for (std::int64_t first = 0; first < args.feature; first += args.bands)
        for (std::int64_t band = 0; band < args.bands; ++band)
          row[first + band] = places[static_cast<std::size_t>(band)].value(from + first);
      return row;
    };
    for (std::int64_t t = 0; t < args.time; ++t) {
      float* y = args.y.data + (t * args.batch + b) * args.feature;
      if (t >= args.lengths.data[b]) {
        std::fill_n(y, args.feature, 0.0f);
        continue;
      }
      const StretchSpectrumArgs::Place step = args.step_of(b, t);
      const float* low = moved(step.at);
      const float* high = moved(step.next);
      for (std::int64_t f = 0; f < args.feature; ++f)
        y[f] = StretchSpectrumArgs::between(low[f], high[f], step.share);
    }
  }
}

}  // namespace serval::nn::cpu
