#include <algorithm>

#include "cpu_ops.h"

namespace serval::nn::cpu {

void gather_sequences(const Context&, const GatherArgs& args) {
  SERVAL_CHECK(args.x.size() == args.time * args.batch * args.feature, "gather into ",
               to_string(args.x.shape), ", expected [", args.time, ", ", args.batch, ", ", args.feature, "]");
  SERVAL_CHECK(args.starts.size() == args.batch && args.lengths.size() == args.batch, "gather starts ",
               to_string(args.starts.shape), ", lengths ", to_string(args.lengths.shape));
  SERVAL_CHECK(args.mean.size() == args.feature && args.scale.size() == args.feature, "gather mean ",
               to_string(args.mean.shape), ", scale ", to_string(args.scale.shape));
  const std::int64_t frames = args.values.size() / args.feature;
  const std::int64_t all_frames = frames + args.more_values.size() / args.feature;
  for (std::int64_t b = 0; b < args.batch; ++b) {
    const std::int64_t start = args.starts.data[b];
    const std::int64_t length = args.lengths.data[b];
    SERVAL_CHECK(length >= 1 && length <= args.time, "sequence ", b, " has length ", length,
                 ", expected 1 to ", args.time);
    const bool more = start >= frames;
    SERVAL_CHECK(start >= 0 && start + length <= (more ? all_frames : frames), "sequence ", b, " is frames ",
                 start, " to ", start + length, " of ", frames, " and ", all_frames - frames, " more");
    const float* const first = more ? args.more_values.data + (start - frames) * args.feature
                                    : args.values.data + start * args.feature;
    for (std::int64_t t = 0; t < args.time; ++t) {
      float* x = args.x.data + (t * args.batch + b) * args.feature;
      if (t >= length) {
        std::fill_n(x, args.feature, 0.0f);
        continue;
      }
      const float* from = first + t * args.feature;
      for (std::int64_t f = 0; f < args.feature; ++f)
        x[f] = (from[f] - args.mean.data[f]) * args.scale.data[f];
    }
  }
}

}  // namespace serval::nn::cpu
