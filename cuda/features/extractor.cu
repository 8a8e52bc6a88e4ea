#include <algorithm>
#include <bit>
#include <map>

#include <cufft.h>

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/features/extractor.cuh"
#include "cuda/features/stages.cuh"

namespace serval::features::cuda {

namespace {

using serval::cuda::CudaState;

// Frames and spectra of one chunk stay within the second-level cache of a large GPU.
constexpr std::int64_t kChunkBytes = 32 << 20;
constexpr std::int64_t kSmallestChunk = 64;
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

class CudaExtractor final : public detail::ExtractorBody {
 public:
  CudaExtractor(const Context& context, const detail::ExtractionPlan& plan)
      : context_(context),
        plan_(plan),
        window_(on_device(plan.window)),
        mel_first_bin_(on_device(plan.mel_first_bin)),
        mel_offset_(on_device(plan.mel_offset)),
        mel_weights_(on_device(plan.mel_weights)),
        dct_(on_device(plan.dct)),
        taps_{on_device(plan.delta_taps[0]), on_device(plan.delta_taps[1])} {
    tables_.window = window_.data();
    tables_.mel_first_bin = mel_first_bin_.data();
    tables_.mel_offset = mel_offset_.data();
    tables_.mel_weights = mel_weights_.data();
    tables_.dct = dct_.data();
    for (int i = 0; i < 2; ++i) tables_.delta_taps[i] = taps_[i].data();
    const std::int64_t frame_bytes =
        static_cast<std::int64_t>(plan.n_fft) * 2 * static_cast<std::int64_t>(sizeof(float));
    chunk_ = std::max(
        kSmallestChunk,
        static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(kChunkBytes / frame_bytes))));
  }

  void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) override {
    std::size_t first = 0;
    while (first < clips.size()) {
      std::size_t last = first;
      std::int64_t frames = 0;
      std::int64_t samples = 0;
      do {
        frames += out[last].frames;
        samples += static_cast<std::int64_t>(clips[last].samples.size());
        ++last;
      } while (last < clips.size() && frames + out[last].frames <= kRoundFrames &&
               samples + static_cast<std::int64_t>(clips[last].samples.size()) <= kRoundSamples);
      run_round(clips.subspan(first, last - first), out.subspan(first, last - first), frames, samples);
      first = last;
    }
  }

 private:
  template <class T>
  Array<T> on_device(const std::vector<T>& values) const {
    return Array<T>::from_host(context_.device(), values);
  }
  template <class T>
  void reserve(Array<T>& array, std::int64_t size) const {
    if (array.size() >= size) return;
    array = Array<T>();
    array = Array<T>(context_.device(), Shape{size});
  }
  template <class T>
  void upload(Array<T>& to, const std::vector<T>& values, cudaStream_t stream) const {
    reserve(to, static_cast<std::int64_t>(values.size()));
    SERVAL_CUDA_CHECK(
        cudaMemcpyAsync(to.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, stream));
  }

  void run_round(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out, std::int64_t frames,
                 std::int64_t samples) {
    CudaState& state = serval::cuda::cuda_state(context_);
    upload_clips(clips, out, frames, samples, state.stream());
    const Batch batch{clips_.data(), frame_clip_.data()};
    reserve(mel_, frames * plan_.n_mels);
    reserve(out_, frames * plan_.dimension);
    for (std::int64_t first = 0; first < frames; first += chunk_) {
      run_chunk(batch, first, std::min(chunk_, frames - first), state.stream());
    }
    launch_columns(plan_, tables_, batch, frames, mel_.data(), peaks_.data(), out_.data(), state.stream());
    host_out_.resize(static_cast<std::size_t>(frames * plan_.dimension));
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(host_out_.data(), out_.data(), host_out_.size() * sizeof(float),
                                      cudaMemcpyDeviceToHost, state.stream()));
    state.synchronize();
    auto from = host_out_.begin();
    for (FeatureMatrix& matrix : out) {
      const auto end = from + static_cast<std::ptrdiff_t>(matrix.values.size());
      std::copy(from, end, matrix.values.begin());
      from = end;
    }
  }

  void upload_clips(std::span<const audio::Waveform> clips, std::span<const FeatureMatrix> out,
                    std::int64_t frames, std::int64_t samples, cudaStream_t stream) {
    host_samples_.clear();
    host_samples_.reserve(static_cast<std::size_t>(samples));
    host_clips_.clear();
    host_frame_clip_.clear();
    host_frame_clip_.reserve(static_cast<std::size_t>(frames));
    for (std::size_t i = 0; i < clips.size(); ++i) {
      host_clips_.push_back({static_cast<std::int64_t>(host_samples_.size()),
                             static_cast<std::int64_t>(clips[i].samples.size()),
                             static_cast<std::int64_t>(host_frame_clip_.size()), out[i].frames});
      host_samples_.insert(host_samples_.end(), clips[i].samples.begin(), clips[i].samples.end());
      host_frame_clip_.insert(host_frame_clip_.end(), static_cast<std::size_t>(out[i].frames),
                              static_cast<std::int32_t>(i));
    }
    host_peaks_.assign(clips.size(), detail::ordered_bits(-INFINITY));
    upload(samples_, host_samples_, stream);
    upload(clips_, host_clips_, stream);
    upload(frame_clip_, host_frame_clip_, stream);
    upload(peaks_, host_peaks_, stream);
  }

  void run_chunk(const Batch& batch, std::int64_t first, std::int64_t frames, cudaStream_t stream) {
    // Whole powers of two, so that few plans serve every batch; rows behind the last frame hold old numbers
    // that nobody reads.
    const std::int64_t rows = std::max(
        kSmallestChunk, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(frames))));
    reserve(frames_, rows * plan_.n_fft);
    reserve(spectra_, rows * (plan_.n_fft / 2 + 1));
    std::unique_ptr<FftPlan>& fft = fft_plans_[rows];
    if (!fft) fft = std::make_unique<FftPlan>(plan_.n_fft, rows, stream);
    launch_frames(plan_, tables_, batch, samples_.data(), first, frames, frames_.data(), stream);
    fft->run(frames_.data(), spectra_.data());
    launch_mel(plan_, tables_, batch, spectra_.data(), first, frames, mel_.data(), peaks_.data(), stream);
  }

  const Context& context_;
  const detail::ExtractionPlan& plan_;
  std::int64_t chunk_ = 0;  // frames
  Tensor window_;
  Array<std::int32_t> mel_first_bin_;
  Array<std::int32_t> mel_offset_;
  Tensor mel_weights_;
  Tensor dct_;
  Tensor taps_[2];
  DeviceTables tables_;
  std::map<std::int64_t, std::unique_ptr<FftPlan>> fft_plans_;  // by batch size

  // Grown as needed and kept from call to call.
  std::vector<float> host_samples_;
  std::vector<ClipSpan> host_clips_;
  std::vector<std::int32_t> host_frame_clip_;
  std::vector<std::int32_t> host_peaks_;
  std::vector<float> host_out_;
  Tensor samples_;
  Array<ClipSpan> clips_;
  Array<std::int32_t> frame_clip_;
  Array<std::int32_t> peaks_;
  Tensor frames_;          // [row, n_fft] of a chunk
  Array<float2> spectra_;  // [row, n_fft / 2 + 1] of a chunk
  Tensor mel_;             // [frame, n_mels]
  Tensor out_;             // [frame, dimension]
};

}  // namespace

std::unique_ptr<detail::ExtractorBody> make_cuda_extractor(const Context& context,
                                                           const detail::ExtractionPlan& plan) {
  return std::make_unique<CudaExtractor>(context, plan);
}

}  // namespace serval::features::cuda
