#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include <cufft.h>

#include "serval/core/parallel.h"

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/features/dequantise.cuh"
#include "cuda/features/extractor.cuh"
#include "cuda/features/fused_extractor.cuh"
#include "cuda/features/pipeline.cuh"

namespace serval::features::cuda {

namespace {

// What one round of clips takes at most, so that memory does not grow with the batch. One clip may be larger.
constexpr std::int64_t kRoundFrames = 1 << 20;
constexpr std::int64_t kRoundSamples = 1 << 28;

class FftPlan {
 public:
  FftPlan(int n_fft, std::int64_t batch, cudaStream_t stream) : FftPlan() {
    int size = n_fft;
    std::size_t work_bytes = 0;
    SERVAL_CUFFT_CHECK(cufftMakePlanMany(plan_, 1, &size, nullptr, 1, n_fft, nullptr, 1, n_fft / 2 + 1,
                                         CUFFT_R2C, static_cast<int>(batch), &work_bytes));
    SERVAL_CUFFT_CHECK(cufftSetStream(plan_, stream));
  }
  ~FftPlan() { cufftDestroy(plan_); }
  FftPlan(const FftPlan&) = delete;
  FftPlan& operator=(const FftPlan&) = delete;
  void run(float* frames, float2* spectra) const { SERVAL_CUFFT_CHECK(cufftExecR2C(plan_, frames, spectra)); }

 private:
  FftPlan() { SERVAL_CUFFT_CHECK(cufftCreate(&plan_)); }
  cufftHandle plan_ = 0;
};

// cuFFT's plans by length and batch.
class Transforms {
 public:
  Transforms(const detail::ExtractionPlan& plan, cudaStream_t stream) : plan_(plan), stream_(stream) {}
  void operator()(int framing, std::int64_t rows, float* frames, float2* spectra) {
    const int n_fft = plan_.framings[static_cast<std::size_t>(framing)].n_fft;
    std::unique_ptr<FftPlan>& fft = plans_[{n_fft, rows}];
    if (!fft) fft = std::make_unique<FftPlan>(n_fft, rows, stream_);
    fft->run(frames, spectra);
  }

 private:
  const detail::ExtractionPlan& plan_;
  cudaStream_t stream_;
  std::map<std::pair<int, std::int64_t>, std::unique_ptr<FftPlan>> plans_;
};

// Grown as needed and kept from call to call.
class DeviceMemory {
 public:
  DeviceMemory(Device device, cudaStream_t stream) : device_(device), stream_(stream) {}

  template <class T>
  T* get(int slot, std::int64_t size) {
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(T);
    Buffer& buffer = buffers_[slot];
    if (buffer.bytes() < bytes) {
      SERVAL_CUDA_CHECK(cudaStreamSynchronize(stream_));  // kernels under way may still use the old one
      buffer = Buffer();                                  // which goes first, so that both need not fit
      buffer = Buffer(device_, bytes);
    }
    return static_cast<T*>(buffer.data());
  }
  template <class T>
  T* put(int slot, const std::vector<T>& values) {
    T* to = get<T>(slot, static_cast<std::int64_t>(values.size()));
    // From pageable memory: the values are taken before the call returns.
    SERVAL_CUDA_CHECK(
        cudaMemcpyAsync(to, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, stream_));
    return to;
  }

 private:
  Device device_;
  cudaStream_t stream_;
  std::map<int, Buffer> buffers_;
};

// The general engine on this GPU.
struct General {
  General(const detail::ExtractionPlan& plan, DeviceMemory& memory, cudaStream_t stream)
      : transforms(plan, stream), pipeline(plan, memory) {}
  Transforms transforms;
  Pipeline<DeviceMemory> pipeline;
};

class CudaExtractor final : public detail::ExtractorBody {
 public:
  CudaExtractor(const Context& context, const detail::ExtractionPlan& plan, FeatureEngine engine)
      : context_(context), plan_(plan), memory_(context.device(), stream()) {
    FusedMatch match = match_fused(plan);
    if (match.refusal.empty()) match.refusal = fused_refusal(match.spec, fused_limits(context));
    if (engine == FeatureEngine::kFused && !match.refusal.empty())
      throw UnsupportedError(cat("features: the fused engine cannot take this set: ", match.refusal));
    if (engine != FeatureEngine::kGeneral && match.refusal.empty()) {
      fused_ = std::make_unique<FusedExtractor>(context, std::move(match.spec));
    } else {
      general_ = std::make_unique<General>(plan, memory_, stream());
    }
  }

  void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out,
           const Prepare& prepare) override {
    std::atomic<bool> refused = false;
    parallel_for(clips.size(), context_.threads(), [&](std::size_t i) {
      if (!prepare(i)) refused = true;
    });
    if (refused) return;
    std::vector<std::int64_t> lengths;
    for (const audio::Waveform& clip : clips)
      lengths.push_back(static_cast<std::int64_t>(clip.samples.size()));
    for_rounds(lengths, [&](std::size_t first, std::size_t last) {
      run_round(clips.subspan(first, last - first), out.subspan(first, last - first));
    });
  }

  void run_resident(const DeviceBatch& batch, std::span<const std::int64_t> first_row, float* out) override {
    if (fused_) {
      if (prepared_ != batch.serial()) prepare(batch, first_row);
      fused_->run(batch.codes(), resident_, out);
      return;
    }
    for_rounds(batch.samples(), [&](std::size_t first, std::size_t last) {
      std::vector<ClipSpan> spans;
      std::vector<CodeSpan> codes;
      std::int64_t samples = 0;
      for (std::size_t i = first; i < last; ++i) {
        spans.push_back({samples, batch.samples()[i]});
        codes.push_back({batch.first()[i], batch.scales()[i]});
        samples += batch.samples()[i];
      }
      float* to = memory_.get<float>(kSamples, samples);
      launch_dequantise(batch.codes(), memory_.put(kCodeSpans, codes), memory_.put(kSampleSpans, spans),
                        static_cast<std::int64_t>(spans.size()), to, stream());
      general_->pipeline.run(to, spans, out + first_row[first] * plan_.dimension, general_->transforms,
                             stream());
    });
  }

  FeatureEngine engine() const override { return fused_ ? FeatureEngine::kFused : FeatureEngine::kGeneral; }

 private:
  static constexpr int kSamples = -1;  // slots of memory_ beside the pipeline's
  static constexpr int kOut = -2;
  static constexpr int kCodeSpans = -3;
  static constexpr int kSampleSpans = -4;

  cudaStream_t stream() const { return serval::cuda::cuda_state(context_).stream(); }

  // A set that reads samples one by one has as many frames as samples.
  std::int64_t most_frames(std::int64_t samples) const {
    std::int64_t most = 0;
    for (const detail::FramePlan& framing : plan_.framings) most = std::max(most, framing.frames(samples));
    return most;
  }

  template <class Round>
  void for_rounds(const std::vector<std::int64_t>& lengths, Round&& round) const {
    std::size_t first = 0;
    while (first < lengths.size()) {
      std::size_t last = first;
      std::int64_t frames = 0;
      std::int64_t samples = 0;
      do {
        frames += most_frames(lengths[last]);
        samples += lengths[last];
        ++last;
      } while (last < lengths.size() && frames + most_frames(lengths[last]) <= kRoundFrames &&
               samples + lengths[last] <= kRoundSamples);
      round(first, last);
      first = last;
    }
  }

  void prepare(const DeviceBatch& batch, std::span<const std::int64_t> first_row) {
    prepared_ = 0;
    fused_->prepare(fused_clips(batch, first_row), resident_);
    prepared_ = batch.serial();
  }

  // Samples on the device to rows on the device.
  void compute(const float* samples, const std::vector<ClipSpan>& spans, float* out) {
    if (!fused_) {
      general_->pipeline.run(samples, spans, out, general_->transforms, stream());
      return;
    }
    std::vector<FusedClip> clips(spans.size());
    std::int64_t row = 0;
    for (std::size_t i = 0; i < clips.size(); ++i) {
      constexpr std::int64_t kMostSamples = (std::int64_t{1} << 30) - 1;
      if (spans[i].samples > kMostSamples) {
        throw DataError(cat("features: a clip has ", spans[i].samples, " samples; at most ", kMostSamples,
                            " are possible"));
      }
      clips[i].first_sample = spans[i].first_sample;
      clips[i].first_row = row;
      clips[i].samples = static_cast<std::int32_t>(spans[i].samples);
      clips[i].frames = static_cast<std::int32_t>(plan_.frames(spans[i].samples));
      row += clips[i].frames;
    }
    fused_->prepare(clips, work_);
    fused_->run(samples, work_, out);
  }

  void run_round(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) {
    host_samples_.clear();
    std::vector<ClipSpan> spans;
    std::size_t values = 0;
    for (std::size_t i = 0; i < clips.size(); ++i) {
      spans.push_back({static_cast<std::int64_t>(host_samples_.size()),
                       static_cast<std::int64_t>(clips[i].samples.size())});
      host_samples_.insert(host_samples_.end(), clips[i].samples.begin(), clips[i].samples.end());
      // Clips start at even places, so that two samples can be read at once.
      host_samples_.resize((host_samples_.size() + 1) / 2 * 2);
      values += out[i].values.size();
    }
    const float* samples = memory_.put(kSamples, host_samples_);
    float* device_out = memory_.get<float>(kOut, static_cast<std::int64_t>(values));
    compute(samples, spans, device_out);
    host_out_.resize(values);
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(host_out_.data(), device_out, values * sizeof(float),
                                      cudaMemcpyDeviceToHost, stream()));
    serval::cuda::cuda_state(context_).synchronize();
    auto from = host_out_.begin();
    for (FeatureMatrix& matrix : out) {
      const auto end = from + static_cast<std::ptrdiff_t>(matrix.values.size());
      std::copy(from, end, matrix.values.begin());
      from = end;
    }
  }

  const Context& context_;
  const detail::ExtractionPlan& plan_;
  DeviceMemory memory_;
  std::unique_ptr<General> general_;  // one of the two
  std::unique_ptr<FusedExtractor> fused_;
  FusedExtractor::Work work_;
  FusedExtractor::Work resident_;  // of the batch with this number
  std::uint64_t prepared_ = 0;
  std::vector<float> host_samples_;
  std::vector<float> host_out_;
};

}  // namespace

std::unique_ptr<detail::ExtractorBody> make_cuda_extractor(const Context& context,
                                                           const detail::ExtractionPlan& plan,
                                                           FeatureEngine engine) {
  return std::make_unique<CudaExtractor>(context, plan, engine);
}

}  // namespace serval::features::cuda
