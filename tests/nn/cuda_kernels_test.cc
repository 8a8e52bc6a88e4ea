// The CUDA kernels of the pointwise, gather, loss and optimiser ops, run on the host, against the CPU's
// bodies. Shapes are uneven on purpose, and every kernel runs with several block sizes and orders of threads.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/context.h"

#include "cuda/nn/column_sum.cuh"
#include "cuda/nn/gather.cuh"
#include "cuda/nn/loss.cuh"
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

TEST(CudaKernels, SoftmaxCrossEntropyMatchesTheCpu) {
  const Context cpu;
  for (const std::int64_t batch : {1, 50, 300}) {
    constexpr std::int64_t kClasses = 7;
    std::vector<float> logit_values = random_values(batch * kClasses, 1);
    for (float& logit : logit_values) logit *= 100;  // overflows without the subtraction of the largest
    Guarded<float> logits(logit_values);
    std::vector<std::int32_t> label_values(static_cast<std::size_t>(batch));
    for (std::size_t b = 0; b < label_values.size(); ++b)
      label_values[b] = static_cast<std::int32_t>(b * 5 % 7);
    Guarded<std::int32_t> labels(label_values);
    Guarded<float> weights({0.5f, 1, 2, 0, 3, 1, 0.25f});
    for (const bool with_labels : {true, false}) {
      for (const bool full : {true, false}) {
        struct Outputs {
          explicit Outputs(std::int64_t count)
              : probabilities(random_values(count, 2)),
                dlogits(random_values(count, 3)),
                loss({1.5f, 2.5f}) {}
          Guarded<float> probabilities, dlogits, loss;
        };
        const auto args = [&](Outputs& out) {
          return SoftmaxCrossEntropyArgs{.batch = batch,
                                         .classes = kClasses,
                                         .logits = logits.view(),
                                         .labels = with_labels ? labels.view() : View<std::int32_t>{},
                                         .class_weights = full ? weights.view() : TensorView{},
                                         .probabilities = out.probabilities.view(),
                                         .dlogits = full ? out.dlogits.view() : TensorView{},
                                         .loss = out.loss.view()};
        };
        Outputs expected(batch * kClasses);
        run<SoftmaxCrossEntropy>(cpu, args(expected));
        for_each_launch([&](int threads) {
          Outputs actual(batch * kClasses);
          softmax_cross_entropy(nullptr, args(actual), threads);
          expect_close(actual.probabilities.values(), expected.probabilities.values(), 1e-7, 1e-6);
          expect_close(actual.dlogits.values(), expected.dlogits.values(), 1e-7, 1e-5);
          expect_close(actual.loss.values(), expected.loss.values(), 0, 1e-5);
        });
      }
    }
  }
}

TEST(CudaKernels, AdamMatchesTheCpu) {
  const Context cpu;
  // Less than a block of the norm, and three with a short last one; clipped, not clipped, and never clipped.
  for (const std::int64_t count : {1, 300, 2 * 4096 + 77}) {
    for (const double clip_norm : {0.0, 0.25, 1e6}) {
      struct Model {
        explicit Model(std::int64_t n)
            : parameters(random_values(n, 1)),
              gradients(random_values(n, 2)),
              first(random_values(n, 3)),
              second(random_values(n, 4)),
              scratch(random_values(adam_scratch_size(n), 5)) {
          for (std::int64_t i = 0; i < n; ++i) second.data()[i] = std::fabs(second.data()[i]);
        }
        AdamArgs args(double clip, std::int64_t step) {
          return {.settings = {.learning_rate = 0.01, .weight_decay = 0.1, .clip_norm = clip},
                  .step = step,
                  .parameters = parameters.view(),
                  .gradients = gradients.view(),
                  .first_moment = first.view(),
                  .second_moment = second.view(),
                  .scratch = scratch.view()};
        }
        Guarded<float> parameters, gradients, first, second, scratch;
      };
      Model expected(count);
      run<AdamStep>(cpu, expected.args(clip_norm, 3));
      for_each_launch([&](int threads) {
        Model actual(count);
        adam_step(nullptr, actual.args(clip_norm, 3), threads);
        expect_close(actual.parameters.values(), expected.parameters.values(), 1e-7, 1e-5);
        expect_close(actual.first.values(), expected.first.values(), 1e-7, 1e-5);
        expect_close(actual.second.values(), expected.second.values(), 1e-7, 1e-5);
        expect_close(actual.scratch.values(), expected.scratch.values(), 0, 1e-5);
        EXPECT_EQ(actual.gradients.values(), expected.gradients.values());  // zeros
      });
    }
  }
}

}  // namespace
}  // namespace serval::nn
