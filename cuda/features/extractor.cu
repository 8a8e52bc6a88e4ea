#include <algorithm>
#include <map>
#include <utility>

#include <cufft.h>

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/features/extractor.cuh"
#include "cuda/features/pipeline.cuh"

namespace serval::features::cuda {

namespace {

using serval::cuda::CudaState;

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

class CudaExtractor final : public detail::ExtractorBody {
 public:
  CudaExtractor(const Context& context, const detail::ExtractionPlan& plan)
      : context_(context),
        plan_(plan),
        memory_(context.device(), serval::cuda::cuda_state(context).stream()),
        transforms_(plan, serval::cuda::cuda_state(context).stream()),
        pipeline_(plan, memory_) {}

  void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) override {
    std::size_t first = 0;
    while (first < clips.size()) {
      std::size_t last = first;
      std::int64_t frames = 0;
      std::int64_t samples = 0;
      do {
        frames += most_frames(clips[last]);
        samples += static_cast<std::int64_t>(clips[last].samples.size());
        ++last;
      } while (last < clips.size() && frames + most_frames(clips[last]) <= kRoundFrames &&
               samples + static_cast<std::int64_t>(clips[last].samples.size()) <= kRoundSamples);
      run_round(clips.subspan(first, last - first), out.subspan(first, last - first));
      first = last;
    }
  }

 private:
  static constexpr int kSamples = -1;  // slots of memory_ beside the pipeline's
  static constexpr int kOut = -2;

  // A set that reads samples one by one has as many frames as samples.
  std::int64_t most_frames(const audio::Waveform& clip) const {
    std::int64_t most = 0;
    for (const detail::FramePlan& framing : plan_.framings) {
      most = std::max(most, framing.frames(static_cast<std::int64_t>(clip.samples.size())));
    }
    return most;
  }

  void run_round(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) {
    CudaState& state = serval::cuda::cuda_state(context_);
    host_samples_.clear();
    std::vector<ClipSpan> spans;
    std::size_t values = 0;
    for (std::size_t i = 0; i < clips.size(); ++i) {
      spans.push_back({static_cast<std::int64_t>(host_samples_.size()),
                       static_cast<std::int64_t>(clips[i].samples.size())});
      host_samples_.insert(host_samples_.end(), clips[i].samples.begin(), clips[i].samples.end());
      values += out[i].values.size();
    }
    const float* samples = memory_.put(kSamples, host_samples_);
    float* device_out = memory_.get<float>(kOut, static_cast<std::int64_t>(values));
    pipeline_.run(samples, spans, device_out, transforms_, state.stream());
    host_out_.resize(values);
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(host_out_.data(), device_out, values * sizeof(float),
                                      cudaMemcpyDeviceToHost, state.stream()));
    state.synchronize();
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
  Transforms transforms_;
  Pipeline<DeviceMemory> pipeline_;
  std::vector<float> host_samples_;
  std::vector<float> host_out_;
};

}  // namespace

std::unique_ptr<detail::ExtractorBody> make_cuda_extractor(const Context& context,
                                                           const detail::ExtractionPlan& plan) {
  return std::make_unique<CudaExtractor>(context, plan);
}

}  // namespace serval::features::cuda
