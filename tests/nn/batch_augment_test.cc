#include "serval/nn/batch_augment.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/host_ops.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

constexpr std::int64_t kTime = 12, kBatch = 3, kFeature = 6;
const std::vector<std::int32_t> kLengths{12, 7, 3};
const std::vector<std::int64_t> kItems{40, 2, 17};

// A batch on a device whose values are all above 0, 0 past the ends.
struct Rig {
  explicit Rig(const Device& device)
      : context(device),
        lengths(Array<std::int32_t>::from_host(device, kLengths)),
        items(Array<std::int64_t>::from_host(device, kItems)) {
    std::vector<float> values(kTime * kBatch * kFeature, 0.0f);
    for (std::int64_t i = 0; i < kTime * kBatch * kFeature; ++i) {
      if (i / (kBatch * kFeature) < kLengths[static_cast<std::size_t>(i / kFeature % kBatch)])
        values[static_cast<std::size_t>(i)] = 1 + static_cast<float>(i % 97);
    }
    before = values;
    x = Tensor::from_host(device, values);
  }
  std::vector<float> result() {
    context.synchronize();
    return x.to_host();
  }
  MaskSpectrumArgs masks() {
    return {.time = kTime,
            .batch = kBatch,
            .feature = kFeature,
            .x = x.view(),
            .lengths = lengths.view(),
            .items = items.view(),
            .random = {.seed = 3, .purpose = RandomPurpose::kBatchAugment, .step = 8},
            .bands = kFeature};
  }
  Context context;
  Array<std::int32_t> lengths;
  Array<std::int64_t> items;
  Tensor x;
  std::vector<float> before;
};
std::size_t at(std::int64_t t, std::int64_t b, std::int64_t f) {
  return static_cast<std::size_t>((t * kBatch + b) * kFeature + f);
}

class BatchAugmentTest : public testing_support::DeviceTest {};

TEST_P(BatchAugmentTest, MasksOverTimeAreRunsWithinTheItem) {
  int masked = 0;
  for (std::uint32_t step = 1; step <= 40; ++step) {
    Rig rig(device());
    MaskSpectrumArgs args = rig.masks();
    args.random.step = step;
    args.time_masks = 1;
    args.time_width = 5;
    args.time_share = 0.5f;
    run<MaskSpectrum>(rig.context, args);
    const std::vector<float> y = rig.result();
    for (std::int64_t b = 0; b < kBatch; ++b) {
      const std::int64_t length = kLengths[static_cast<std::size_t>(b)];
      std::int64_t zeros = 0, changes = 0;
      for (std::int64_t t = 0; t < length; ++t) {
        const bool zero = y[at(t, b, 0)] == 0;
        zeros += zero;
        if (t > 0) changes += zero != (y[at(t - 1, b, 0)] == 0);
        for (std::int64_t f = 0; f < kFeature; ++f)
          EXPECT_EQ(y[at(t, b, f)], zero ? 0 : rig.before[at(t, b, f)]);
      }
      EXPECT_LE(zeros, std::min<std::int64_t>(5, length / 2));
      EXPECT_LE(changes, 2);
      masked += zeros > 0;
    }
  }
  EXPECT_GT(masked, 60);  // of 120
}

TEST_P(BatchAugmentTest, MasksOverBandsRepeatWithTheBandsAndFillWithTheMean) {
  int masked = 0;
  for (std::uint32_t step = 1; step <= 20; ++step) {
    Rig rig(device());
    MaskSpectrumArgs args = rig.masks();
    args.random.step = step;
    args.band_masks = 2;
    args.band_width = 1;
    args.bands = 3;  // each twice
    args.fill_mean = true;
    run<MaskSpectrum>(rig.context, args);
    const std::vector<float> y = rig.result();
    for (std::int64_t b = 0; b < kBatch; ++b) {
      const std::int64_t length = kLengths[static_cast<std::size_t>(b)];
      for (std::int64_t f = 0; f < kFeature; ++f) {
        double mean = 0;
        for (std::int64_t t = 0; t < length; ++t)
          mean += rig.before[at(t, b, f)] / static_cast<double>(length);
        const bool changed = y[at(0, b, f)] != rig.before[at(0, b, f)];
        const bool twin = y[at(0, b, (f + 3) % 6)] != rig.before[at(0, b, (f + 3) % 6)];
        EXPECT_EQ(changed, twin);
        masked += changed;
        for (std::int64_t t = 0; t < kTime; ++t) {
          if (t >= length) {
            EXPECT_EQ(y[at(t, b, f)], 0);
          } else if (changed) {
            EXPECT_NEAR(y[at(t, b, f)], mean, 1e-4 * mean);
          } else {
            EXPECT_EQ(y[at(t, b, f)], rig.before[at(t, b, f)]);
          }
        }
      }
    }
  }
  EXPECT_GT(masked, 40);
}

TEST_P(BatchAugmentTest, MixingTakesTheNextItemAndTheLastTheFirst) {
  Rig rig(device());
  Tensor y(device(), {rig.x.size()});
  const Tensor shares = Tensor::from_host(device(), {0.75f, 0.5f, 1});
  run<MixNeighbours>(rig.context, MixNeighboursArgs{kTime, kBatch, kFeature, rig.x.view(), y.view(),
                                                    rig.lengths.view(), shares.view()});
  rig.context.synchronize();
  const std::vector<float> mixed = y.to_host();
  EXPECT_EQ(mixed[at(1, 0, 2)], 0.75f * rig.before[at(1, 0, 2)] + 0.25f * rig.before[at(1, 1, 2)]);
  EXPECT_EQ(mixed[at(9, 0, 2)], 0.75f * rig.before[at(9, 0, 2)]);  // where the other has ended
  EXPECT_EQ(mixed[at(2, 1, 0)], 0.5f * rig.before[at(2, 1, 0)] + 0.5f * rig.before[at(2, 2, 0)]);
  EXPECT_EQ(mixed[at(2, 2, 5)], rig.before[at(2, 2, 5)]);
  EXPECT_EQ(mixed[at(3, 2, 5)], 0);
}

TEST_P(BatchAugmentTest, NoiseIsNormalAndDoesNotDependOnTheBatch) {
  constexpr std::int64_t kMany = 400;
  const Context context(device());
  const auto noise = [&](const std::vector<std::int64_t>& numbers, std::int64_t padded) {
    const auto batch = static_cast<std::int64_t>(numbers.size());
    const std::vector<std::int32_t> full(numbers.size(), static_cast<std::int32_t>(kMany));
    const auto lengths = Array<std::int32_t>::from_host(device(), full);
    const auto items = Array<std::int64_t>::from_host(device(), numbers);
    Tensor x(device(), {padded, batch, 5});
    run<AddNoise>(context, AddNoiseArgs{.time = padded,
                                        .batch = batch,
                                        .feature = 5,
                                        .item_stride = 4000,
                                        .x = x.view(),
                                        .lengths = lengths.view(),
                                        .items = items.view(),
                                        .random = {.seed = 5},
                                        .deviation = 2});
    context.synchronize();
    return x.to_host();
  };
  const std::vector<float> alone = noise({7}, kMany), beside = noise({3, 7}, kMany + 2);
  double sum = 0, squares = 0, lag = 0;
  for (std::int64_t i = 0; i < kMany * 5; ++i) {
    const auto place = static_cast<std::size_t>(i);
    EXPECT_EQ(alone[place], beside[static_cast<std::size_t>((i / 5 * 2 + 1) * 5 + i % 5)]);
    sum += alone[place];
    squares += alone[place] * alone[place];
    if (i > 0) lag += alone[place] * alone[place - 1];
  }
  for (std::size_t i = kMany * 10; i < beside.size(); ++i) EXPECT_EQ(beside[i], 0);  // past the end
  EXPECT_NEAR(sum / 2000, 0, 0.15);
  EXPECT_NEAR(squares / 2000, 4, 0.4);
  EXPECT_NEAR(lag / 2000, 0, 0.3);
}

// What the stretched batch must be, in double, with the factors that were drawn.
std::vector<double> stretched(const std::vector<float>& x, const std::vector<std::int32_t>& lengths,
                              std::int64_t time, std::int64_t bands, const std::vector<double>& factors) {
  std::vector<double> out(static_cast<std::size_t>(time * kBatch * kFeature), 0.0);
  for (std::int64_t b = 0; b < kBatch; ++b) {
    const std::int64_t before = kLengths[static_cast<std::size_t>(b)];
    const std::int64_t after = lengths[static_cast<std::size_t>(b)];
    for (std::int64_t t = 0; t < after; ++t) {
      const double step = std::clamp(
          (static_cast<double>(t) + 0.5) * static_cast<double>(before) / static_cast<double>(after) - 0.5,
          0.0, static_cast<double>(before - 1));
      for (std::int64_t f = 0; f < kFeature; ++f) {
        const double band = std::clamp(static_cast<double>(f % bands) * factors[static_cast<std::size_t>(b)],
                                       0.0, static_cast<double>(bands - 1));
        double sum = 0;
        for (std::int64_t s = 0; s < before; ++s) {
          for (std::int64_t k = 0; k < bands; ++k) {
            const double near = std::max(0.0, 1 - std::abs(step - static_cast<double>(s))) *
                                std::max(0.0, 1 - std::abs(band - static_cast<double>(k)));
            sum += near * static_cast<double>(x[at(s, b, f / bands * bands + k)]);
          }
        }
        out[at(t, b, f)] = sum;
      }
    }
  }
  return out;
}

TEST_P(BatchAugmentTest, StretchingReadsStepsAndBandsBetween) {
  const std::vector<std::int32_t> lengths{9, 10, 1};
  for (const float most : {0.0f, 0.4f}) {
    Rig rig(device());
    const auto after = Array<std::int32_t>::from_host(device(), lengths);
    Tensor y(device(), {10 * kBatch * kFeature});
    StretchSpectrumArgs args{.time_in = kTime,
                             .time = 10,
                             .batch = kBatch,
                             .feature = kFeature,
                             .x = rig.x.view(),
                             .y = y.view(),
                             .lengths_in = rig.lengths.view(),
                             .lengths = after.view(),
                             .items = rig.items.view(),
                             .random = rig.masks().random,
                             .band_stretch = most,
                             .bands = 3};
    run<StretchSpectrum>(rig.context, args);
    rig.context.synchronize();
    std::vector<double> factors;
    for (const std::int64_t item : kItems)
      factors.push_back(
          1 + most * (2 * static_cast<double>(args.random.uniform(static_cast<std::uint64_t>(item))) - 1));
    const std::vector<double> expected = stretched(rig.before, lengths, 10, 3, factors);
    const std::vector<float> got = y.to_host();
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 2e-4) << i << " " << most;
  }
}

TEST_P(BatchAugmentTest, StretchingByNothingChangesNoBit) {
  Rig rig(device());
  Tensor y(device(), {rig.x.size()});
  run<StretchSpectrum>(
      rig.context,
      StretchSpectrumArgs{kTime, kTime, kBatch, kFeature, rig.x.view(), y.view(), rig.lengths.view(),
                          rig.lengths.view(), rig.items.view(), rig.masks().random, 0.0f, kFeature});
  rig.context.synchronize();
  EXPECT_EQ(y.to_host(), rig.before);
}

SERVAL_DEVICE_TESTS(BatchAugmentTest);

// Lengths that grow, shrink, stay, and are 1 before or after; features of as many bands and of three times as many.
TEST(BatchAugment, StretchingOnTheCpuGivesTheBitsOfThePortableBody) {
  const std::vector<std::int32_t> before{17, 9, 23, 1, 12, 1}, after{20, 9, 5, 7, 1, 1};
  const std::vector<std::int64_t> items{5, 900000000000, 0, 31, 2, 7};
  constexpr std::int64_t kTimeIn = 23, kTimeOut = 21;
  const auto batch = static_cast<std::int64_t>(before.size());
  const auto lengths_in = Array<std::int32_t>::from_host({}, before);
  const auto lengths = Array<std::int32_t>::from_host({}, after);
  const auto numbers = Array<std::int64_t>::from_host({}, items);
  for (const std::int64_t bands : {1, 13, 64}) {
    for (const std::int64_t times : {1, 3}) {
      for (const float stretch : {0.0f, 0.1f, 0.9f}) {
        const std::int64_t feature = bands * times;
        std::vector<float> values = testing_support::random_values(kTimeIn * batch * feature, 6, 5);
        for (std::size_t i = 0; i < values.size(); i += 7) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
        const Tensor x = Tensor::from_host({}, values);
        const auto stretched_by = [&](StretchSpectrum::Signature* body) {
          Tensor y = Tensor::from_host({}, std::vector<float>(kTimeOut * batch * feature, NAN));
          body(Context(), StretchSpectrumArgs{kTimeIn,
                                              kTimeOut,
                                              batch,
                                              feature,
                                              x.view(),
                                              y.view(),
                                              lengths_in.view(),
                                              lengths.view(),
                                              numbers.view(),
                                              {.seed = 11, .step = 4},
                                              stretch,
                                              bands});
          return y.to_host();
        };
        EXPECT_TRUE(testing_support::same_bits(stretched_by(run<StretchSpectrum>),
                                               stretched_by(cpu::portable<StretchSpectrum>)))
            << bands << " bands, " << feature << " features, " << stretch;
      }
    }
  }
}

TEST(BatchAugmentKernels, GiveTheBitsOfTheCpu) {
  const auto all = [] {
    Rig rig{Device{}};
    MaskSpectrumArgs masks = rig.masks();
    masks.time_masks = 2;
    masks.time_width = 3;
    masks.band_masks = 2;
    masks.band_width = 2;
    masks.fill_mean = true;
    run<AddNoise>(rig.context, AddNoiseArgs{kTime, kBatch, kFeature, kTime * kFeature, rig.x.view(),
                                            rig.lengths.view(), rig.items.view(), masks.random, 0.5f});
    Tensor y(Device{}, {rig.x.size()});
    const Tensor shares = Tensor::from_host({}, {0.75f, 0.5f, 0.25f});
    run<MixNeighbours>(rig.context, MixNeighboursArgs{kTime, kBatch, kFeature, rig.x.view(), y.view(),
                                                      rig.lengths.view(), shares.view()});
    run<StretchSpectrum>(
        rig.context,
        StretchSpectrumArgs{kTime, kTime, kBatch, kFeature, y.view(), rig.x.view(), rig.lengths.view(),
                            rig.lengths.view(), rig.items.view(), masks.random, 0.3f, kFeature});
    run<MaskSpectrum>(rig.context, masks);
    return rig.x.to_host();
  };
  const std::vector<float> cpu = all();
  const testing_support::PortableOpsAsKernels kernels;
  EXPECT_EQ(all(), cpu);
}

}  // namespace
}  // namespace serval::nn
