// The CUDA kernels of the pointwise, gather and optimiser ops, run on the host, against the CPU's
// bodies. Shapes are uneven on purpose, and every kernel runs with several block sizes and orders of threads.
#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/context.h"

#include "cuda/nn/column_sum.cuh"
#include "cuda/nn/gather.cuh"
#include "cuda/nn/optimiser.cuh"
#include "cuda/nn/pointwise.cuh"
#include "tests/nn/guarded.h"
#include "tests/support/expect_close.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::for_each_launch;
using testing_support::Guarded;
using testing_support::random_values;

TEST(CudaKernels, BiasActivationMatchesTheCpu) {
  const Context cpu;
  constexpr std::int64_t kRows = 37, kColumns = 45;
  Guarded<float> bias(random_values(kColumns, 1));
  const std::vector<float> y = random_values(kRows * kColumns, 2);
  for (const Activation activation :
       {Activation::kNone, Activation::kRelu, Activation::kTanh, Activation::kSigmoid}) {
    for (const bool with_bias : {true, false}) {
      const auto args = [&](Guarded<float>& values) {
        return BiasActivationArgs{.rows = kRows,
                                  .columns = kColumns,
                                  .y = values.view(),
                                  .bias = with_bias ? bias.view() : TensorView{},
                                  .activation = activation};
      };
      Guarded<float> expected(y);
      run<BiasActivation>(cpu, args(expected));
      for_each_launch([&](int threads) {
        Guarded<float> actual(y);
        bias_activation(nullptr, args(actual), threads);
        expect_close(actual.values(), expected.values(), 2e-7, 1e-6);
      });
    }
  }
}

TEST(CudaKernels, ActivationBackwardMatchesTheCpu) {
  const Context cpu;
  constexpr std::int64_t kCount = 1501;
  Guarded<float> y(random_values(kCount, 1));
  const std::vector<float> dy = random_values(kCount, 2);
  for (const Activation activation :
       {Activation::kNone, Activation::kRelu, Activation::kTanh, Activation::kSigmoid}) {
    Guarded<float> expected(dy);
    run<ActivationBackward>(cpu, ActivationBackwardArgs{y.view(), expected.view(), activation});
    for_each_launch([&](int threads) {
      Guarded<float> actual(dy);
      activation_backward(nullptr, {y.view(), actual.view(), activation}, threads);
      EXPECT_EQ(actual.values(), expected.values());
    });
  }
}

TEST(CudaKernels, DropoutDrawsTheMaskOfTheCpu) {
  const Context cpu;
  const std::vector<float> x = random_values(7 * 5 * 41, 1);
  DropoutArgs args;
  args.time = 7;
  args.batch = 5;
  args.columns = 41;
  args.time_stride = 11;
  args.rate = 0.4f;
  args.random = {.seed = 9, .fold = 2, .purpose = RandomPurpose::kDropout, .step = 3, .layer = 1};
  Guarded<float> expected(x);
  args.x = args.y = expected.view();
  run<Dropout>(cpu, args);
  for_each_launch([&](int threads) {
    Guarded<float> actual(x);
    args.x = args.y = actual.view();
    dropout(nullptr, args, threads);
    EXPECT_EQ(actual.values(), expected.values());
  });
}

TEST(CudaKernels, ColumnSumAddsUp) {
  constexpr std::int64_t kColumns = 70;
  // Nothing, one block of rows, exactly one, one row more, and several with a short last one.
  for (const std::int64_t rows : {0, 1, 45, 128, 129, 500}) {
    const std::vector<float> x = random_values(rows * kColumns, 1);
    const std::vector<float> before = random_values(kColumns, 2);
    std::vector<double> expected(before.begin(), before.end());
    for (std::int64_t i = 0; i < rows * kColumns; ++i) {
      expected[static_cast<std::size_t>(i % kColumns)] += static_cast<double>(x[static_cast<std::size_t>(i)]);
    }
    std::vector<float> first;
    for_each_launch([&](int threads) {
      Guarded<float> values(x);
      Guarded<float> sums(before);
      const ColumnSumArgs args{rows, kColumns, values.view(), sums.view()};
      Guarded<float> scratch(random_values(column_sum_scratch(args), 3));
      column_sum(nullptr, args, scratch.data(), threads);
      expect_close(sums.values(), expected, 1e-5, 1e-5);
      if (threads != kColumnSumThreads) return;
      if (first.empty()) first = sums.values();
      EXPECT_EQ(sums.values(), first) << "the order of threads changed the bits";
    });
  }
}

TEST(CudaKernels, GatherMatchesTheCpu) {
  const Context cpu;
  constexpr std::int64_t kTime = 9, kBatch = 4, kFeature = 35, kFrames = 30;
  Guarded<float> values(random_values(kFrames * kFeature, 1));
  Guarded<float> mean(random_values(kFeature, 2));
  Guarded<float> scale(random_values(kFeature, 3));
  Guarded<float> more(random_values(10 * kFeature, 5));
  // The second and the fourth end with the last frame of theirs: a padded step of them would lie outside.
  Guarded<std::int64_t> starts({3, 26, 0, kFrames + 4});
  Guarded<std::int32_t> lengths({9, 4, 1, 6});
  const auto args = [&](Guarded<float>& x) {
    return GatherArgs{.time = kTime,
                      .batch = kBatch,
                      .feature = kFeature,
                      .values = values.view(),
                      .more_values = more.view(),
                      .starts = starts.view(),
                      .lengths = lengths.view(),
                      .mean = mean.view(),
                      .scale = scale.view(),
                      .x = x.view()};
  };
  const std::vector<float> before = random_values(kTime * kBatch * kFeature, 4);
  Guarded<float> expected(before);
  run<GatherSequences>(cpu, args(expected));
  for_each_launch([&](int threads) {
    Guarded<float> actual(before);
    gather_sequences(nullptr, args(actual), threads);
    EXPECT_EQ(actual.values(), expected.values());
  });
}

TEST(CudaKernels, OptimisersMatchTheCpu) {
  const Context cpu;
  using Type = OptimiserType;
  const OptimiserSettings variants[] = {
      {.learning_rate = 0.01, .weight_decay = 0.1},
      {.type = Type::kAdamW, .learning_rate = 0.01, .weight_decay = 0.1},
      {.type = Type::kSgd, .learning_rate = 0.01, .weight_decay = 0.1},
      {.type = Type::kSgd, .learning_rate = 0.01, .momentum = 0.9, .nesterov = true},
      {.type = Type::kRmsProp, .learning_rate = 0.01, .momentum = 0.8, .centered = true}};
  // Less than a block of the norm, and three with a short last one; clipped, not clipped, and never clipped.
  for (const std::int64_t count : {1, 300, 2 * 4096 + 77}) {
    for (OptimiserSettings settings : variants) {
      for (const double clip_norm : {0.0, 0.25, 1e6}) {
        settings.clip_norm = clip_norm;
        const auto slots = static_cast<std::int64_t>(optimiser_slots(settings).size());
        struct Model {
          Model(std::int64_t n, std::int64_t kept)
              : parameters(random_values(n, 1)),
                gradients(random_values(n, 2)),
                state(random_values(std::max<std::int64_t>(kept, 1) * n, 3)),
                scratch(random_values(optimiser_scratch_size(n), 5)) {
            // A mean square is above the square of the mean.
            for (std::int64_t i = 0; i < state.view().size(); ++i)
              state.data()[i] = std::fabs(state.data()[i]) + (i < n ? 2.0f : 0.0f);
          }
          OptimiserArgs args(const OptimiserSettings& s) {
            return {s, 3, parameters.view(), gradients.view(), state.view(), scratch.view()};
          }
          Guarded<float> parameters, gradients, state, scratch;
        };
        const auto args_of = [&](Model& model) {
          OptimiserArgs args = model.args(settings);
          if (slots == 0) args.state = {};
          return args;
        };
        Model expected(count, slots);
        run<OptimiserStep>(cpu, args_of(expected));
        for_each_launch([&](int threads) {
          Model actual(count, slots);
          optimiser_step(nullptr, args_of(actual), threads);
          expect_close(actual.parameters.values(), expected.parameters.values(), 1e-7, 1e-5);
          expect_close(actual.state.values(), expected.state.values(), 1e-7, 1e-5);
          expect_close(actual.scratch.values(), expected.scratch.values(), 0, 1e-5);
          EXPECT_EQ(actual.gradients.values(), expected.gradients.values());  // zeros
        });
      }
    }
  }
}

}  // namespace
}  // namespace serval::nn
