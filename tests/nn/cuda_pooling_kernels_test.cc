// The CUDA kernels of the pooling ops, run on the host, against the CPU's bodies.
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/context.h"

#include "cuda/nn/attention.cuh"
#include "cuda/nn/pooling.cuh"
#include "tests/nn/guarded.h"
#include "tests/support/expect_close.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::for_each_launch;
using testing_support::Guarded;
using testing_support::random_values;

// A ragged batch with a sequence of every kind: full length, one step, and in between. Its padding is NaN, so
// that a step read by mistake shows.
struct Batch {
  explicit Batch(std::int64_t feature)
      : shape{.time = 13, .batch = 5, .feature = feature},
        lengths({13, 1, 6, 12, 2}),
        x(padded(random_values(shape.time * shape.batch * feature, 1))),
        pooled(random_values(shape.batch * feature, 2)) {}

  std::vector<float> padded(std::vector<float> values) {
    for (std::int64_t t = 0; t < shape.time; ++t) {
      for (std::int64_t b = 0; b < shape.batch; ++b) {
        if (t < lengths.data()[b]) continue;
        for (std::int64_t f = 0; f < shape.feature; ++f) {
          values[static_cast<std::size_t>((t * shape.batch + b) * shape.feature + f)] =
              std::numeric_limits<float>::quiet_NaN();
        }
      }
    }
    return values;
  }

  SequenceShape shape;
  Guarded<std::int32_t> lengths;
  Guarded<float> x;
  Guarded<float> pooled;
};

using Launch = void(cuda::Stream, const PoolArgs&, int);

// One pooling op, forward or backward, on both sides.
template <class Op>
void compare(Launch* launch, bool forward, double tolerance) {
  const Context cpu;
  for (const std::int64_t feature : {1, 32, 75}) {
    Batch batch(feature);
    const std::int64_t count =
        forward ? batch.shape.batch * feature : batch.shape.time * batch.shape.batch * feature;
    const auto args = [&](Guarded<float>& out) {
      PoolArgs a;
      a.shape = batch.shape;
      a.lengths = batch.lengths.view();
      a.reversed_from = feature / 3;
      if (forward) {
        a.x = batch.x.view();
        a.y = out.view();
      } else {
        a.dy = batch.pooled.view();
        a.dx = out.view();
      }
      return a;
    };
    Guarded<float> expected(random_values(count, 3));
    run<Op>(cpu, args(expected));
    for_each_launch([&](int threads) {
      SCOPED_TRACE(cat(feature, " features"));
      Guarded<float> actual(random_values(count, 3));
      launch(nullptr, args(actual), threads);
      expect_close(actual.values(), expected.values(), tolerance, tolerance);
    });
  }
}

TEST(CudaPoolingKernels, MeanForward) { compare<MeanPoolForward>(mean_pool_forward, true, 1e-6); }
TEST(CudaPoolingKernels, MeanBackward) { compare<MeanPoolBackward>(mean_pool_backward, false, 1e-6); }
TEST(CudaPoolingKernels, LastForward) { compare<LastPoolForward>(last_pool_forward, true, 0); }
TEST(CudaPoolingKernels, LastBackward) { compare<LastPoolBackward>(last_pool_backward, false, 0); }

TEST(CudaPoolingKernels, AttentionForwardAndBackward) {
  const Context cpu;
  for (const std::int64_t feature : {1, 32, 75}) {
    Batch batch(feature);
    const std::int64_t rows = batch.shape.time * batch.shape.batch;
    std::vector<float> score_values = random_values(rows, 4);
    for (float& score : score_values) score *= 120;  // overflows without the subtraction of the largest
    Guarded<float> scores(score_values);
    struct Outputs {
      Outputs(const SequenceShape& s)
          : weights(random_values(s.time * s.batch, 5)),
            y(random_values(s.batch * s.feature, 6)),
            dx(random_values(s.time * s.batch * s.feature, 7)),
            dscores(random_values(s.time * s.batch, 8)) {}
      Guarded<float> weights, y, dx, dscores;
    };
    const auto args = [&](Outputs& out) {
      return AttentionPoolArgs{.shape = batch.shape,
                               .lengths = batch.lengths.view(),
                               .x = batch.x.view(),
                               .scores = scores.view(),
                               .weights = out.weights.view(),
                               .y = out.y.view(),
                               .dy = batch.pooled.view(),
                               .dx = out.dx.view(),
                               .dscores = out.dscores.view()};
    };
    Outputs expected(batch.shape);
    run<AttentionPoolForward>(cpu, args(expected));
    run<AttentionPoolBackward>(cpu, args(expected));
    for_each_launch([&](int threads) {
      SCOPED_TRACE(cat(feature, " features"));
      Outputs actual(batch.shape);
      attention_pool_forward(nullptr, args(actual), threads);
      expect_close(actual.weights.values(), expected.weights.values(), 1e-6, 1e-5);
      expect_close(actual.y.values(), expected.y.values(), 1e-6, 1e-5);
      attention_pool_backward(nullptr, args(actual), threads);
      expect_close(actual.dscores.values(), expected.dscores.values(), 1e-6, 1e-5);
      expect_close(actual.dx.values(), expected.dx.values(), 1e-6, 1e-5);
    });
  }
}

}  // namespace
}  // namespace serval::nn
