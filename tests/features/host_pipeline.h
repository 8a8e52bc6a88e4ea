// Walks the CUDA pipeline of the features on the host, for comparisons with the CPU's body. What stands in its
// middle on a GPU, cuFFT, is the transform by definition here.
#pragma once

#include <map>
#include <vector>

#include "serval/features/extractor.h"

#include "cuda/features/pipeline.cuh"
#include "tests/features/naive_features.h"
#include "tests/features/signals.h"
#include "tests/support/expect_close.h"

namespace serval::features::cuda {

class HostMemory {
 public:
  template <class T>
  T* get(int slot, std::int64_t size) {
    // Filled with bytes that are NaN as floats: nothing may be read that was not written.
    std::vector<unsigned char>& bytes = slots_[slot];
    const std::size_t wanted = static_cast<std::size_t>(size) * sizeof(T);
    if (bytes.size() < wanted) bytes.resize(wanted, 0xFF);
    return reinterpret_cast<T*>(bytes.data());
  }
  template <class T>
  T* put(int slot, const std::vector<T>& values) {
    T* to = get<T>(slot, static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), to);
    return to;
  }

 private:
  std::map<int, std::vector<unsigned char>> slots_;
};

struct HostTransforms {
  const detail::ExtractionPlan& plan;
  void operator()(int framing, std::int64_t rows, const float* frames, float2* spectra) const {
    const detail::FramePlan& shape = plan.framings[static_cast<std::size_t>(framing)];
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = frames + row * shape.n_fft;
      // Rows behind the last frame of the batch were never written.
      if (std::isnan(from[0])) continue;
      const std::vector<std::complex<double>> bins =
          naive::dft(std::vector<double>(from, from + shape.n_fft));
      for (std::size_t k = 0; k < bins.size(); ++k) {
        spectra[row * shape.bins() + static_cast<std::int64_t>(k)] = {static_cast<float>(bins[k].real()),
                                                                      static_cast<float>(bins[k].imag())};
      }
    }
  }
};

inline std::vector<float> run_pipeline(const detail::ExtractionPlan& plan,
                                       const std::vector<audio::Waveform>& waveforms) {
  std::vector<float> samples;
  std::vector<ClipSpan> clips;
  std::int64_t rows = 0;
  for (const audio::Waveform& waveform : waveforms) {
    const std::int64_t count = static_cast<std::int64_t>(waveform.samples.size());
    clips.push_back({static_cast<std::int64_t>(samples.size()), count});
    samples.insert(samples.end(), waveform.samples.begin(), waveform.samples.end());
    rows += plan.frames(count);
  }
  HostMemory memory;
  Pipeline<HostMemory> pipeline(plan, memory);
  HostTransforms transforms{plan};
  std::vector<float> out(static_cast<std::size_t>(rows * plan.dimension), NAN);
  pipeline.run(samples.data(), clips, out.data(), transforms, nullptr);
  return out;
}

constexpr int kPipelineRateHz = 8000;

// Clips of these lengths on both roads, and with the threads in other orders.
inline void compare(const FeatureSettings& settings, const std::vector<int>& lengths,
                    double tolerance = 2e-3) {
  using host_gpu::Order;
  const detail::ExtractionPlan plan(settings, kPipelineRateHz);
  std::vector<audio::Waveform> waveforms;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    waveforms.push_back(test_clip(lengths[i], kPipelineRateHz, i));
  std::vector<float> expected;
  const Context context;
  for (const FeatureMatrix& matrix : Extractor(settings, kPipelineRateHz, context).run(waveforms)) {
    expected.insert(expected.end(), matrix.values.begin(), matrix.values.end());
  }
  const std::vector<float> out = run_pipeline(plan, waveforms);
  const std::int64_t rows = static_cast<std::int64_t>(out.size()) / plan.dimension;
  testing_support::expect_close(out, expected, tolerance, 1e-5, Shape{rows, plan.dimension});
  for (const Order order : {Order::kReverse, Order::kEvenThenOdd}) {
    const host_gpu::OrderScope scope(order);
    EXPECT_EQ(run_pipeline(plan, waveforms), out);
  }
}

}  // namespace serval::features::cuda
