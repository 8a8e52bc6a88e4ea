// Waveforms in, feature matrices out, on the device of the context.
//
// For frame f, with x the clip, w the window in the middle of n_fft samples and H the mel filters:
//   X[f, k] = sum_n w[n] x[f hop + n - n_fft/2] exp(-2 pi i k n / n_fft)   (padding none: without - n_fft/2)
//   M[f, m] = sum_k H[m, k] |X[f, k]|^power
//   L[f, m] = 10 log10 max(M, floor), then max(L, (maximum of L over the clip) - top_db);
//             with natural logarithms: log max(M, floor)
//   C[f, c] = lifter[c] * orthonormal DCT-II of L over m   (mfcc alone)
// Other types: docs/features.md. Deltas of all columns follow where asked for, and statistics over time turn
// everything into one row per clip.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "serval/audio/waveform.h"
#include "serval/core/context.h"
#include "serval/features/engine.h"
#include "serval/features/feature_matrix.h"
#include "serval/features/resident.h"
#include "serval/features/settings.h"

namespace serval::features {

namespace detail {
class ExtractorBody;
struct ExtractionPlan;
}  // namespace detail

class Extractor {
 public:
  // Throws ConfigError when the settings do not fit the sample rate, UnsupportedError when the device has no
  // features or `engine` cannot take these. `context` must outlive the extractor; one thread uses both at a time.
  Extractor(const FeatureSettings& settings, int sample_rate_hz, const Context& context,
            FeatureEngine engine = FeatureEngine::kBest);
  ~Extractor();
  Extractor(Extractor&&) noexcept;
  Extractor& operator=(Extractor&&) noexcept;

  std::int64_t dimension() const;          // columns
  std::vector<std::string> names() const;  // "mfcc_0" ... "mfcc_0_delta" ... "mfcc_0_delta2", one a column
  std::int64_t frames(std::int64_t samples) const;  // 0 when a clip of so many samples is too short
  std::int64_t min_samples() const;                 // of the shortest clip that has a frame
  bool one_row() const;                             // statistics: one row a clip, however long
  std::int64_t hop_samples() const;                 // from a frame to the next; 0 with statistics

  // The features of each clip. The result for a clip does not depend on what else is in the batch. Throws
  // DataError, which names the clip by its index, for a clip of another sample rate, without samples, too
  // short for one frame (padding none), or with a sample that is not a finite number.
  std::vector<FeatureMatrix> run(std::span<const audio::Waveform> clips);
  // The same into as many matrices, whose memory is used again: fresh pages cost about as much as the features.
  // After an error they hold nothing of use.
  void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out);

  // The same of a batch on the context's device, and there they stay. On a GPU the work may be under way when
  // this returns; what follows on the context's stream sees it done. `to` is used again where its shape fits: the
  // same batch once more allocates nothing. Throws DataError as run(), and for a batch on another device.
  void run_resident(const DeviceBatch& batch, ResidentFeatures& to);
  ResidentFeatures run_resident(const DeviceBatch& batch);

  FeatureEngine engine() const;  // kGeneral or kFused

 private:
  std::int64_t checked_frames(std::size_t clip, std::int64_t samples) const;

  Device device_;
  std::unique_ptr<detail::ExtractionPlan> plan_;
  std::unique_ptr<detail::ExtractorBody> body_;
};

}  // namespace serval::features
