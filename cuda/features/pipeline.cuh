// The general road to features on a GPU: frames, batched transforms in chunks, parts, columns, deltas, statistics.
// It says what is launched in which order; memory and transforms come from outside, so that a test can walk the
// same road on the host.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "serval/features/detail/plan.h"

#include "cuda/features/stages.cuh"

namespace serval::features::cuda {

// Frames and spectra of one chunk stay within the second-level cache of a large GPU.
constexpr std::int64_t kChunkBytes = 32 << 20;
constexpr std::int64_t kSmallestChunk = 64;

inline std::int64_t chunk_frames(int n_fft) {
  const std::int64_t frame_bytes =
      static_cast<std::int64_t>(n_fft) * 2 * static_cast<std::int64_t>(sizeof(float));
  return std::max(kSmallestChunk, static_cast<std::int64_t>(
                                      std::bit_floor(static_cast<std::uint64_t>(kChunkBytes / frame_bytes))));
}

// Memory offers, for a number that names a purpose and keeps its memory from call to call,
//   T* get<T>(slot, size)         at least `size` values, with old or unknown content
//   T* put(slot, vector<T>)       a copy of the values; the copy may be under way until the stream is done
template <class Memory>
class Pipeline {
 public:
  Pipeline(const detail::ExtractionPlan& plan, Memory& memory) : plan_(plan), memory_(memory) {
    put_tables();
  }

  // `samples` of all clips and `out`, [rows, dimension], are where kernels reach them. fft(framing, rows, frames,
  // spectra) transforms `rows` frames, whole powers of two or chunk_frames().
  template <class Fft>
  void run(const float* samples, const std::vector<ClipSpan>& clips, float* out, Fft& fft,
           serval::cuda::Stream stream) {
    clips_ = static_cast<std::int64_t>(clips.size());
    put_batch(samples, clips);
    for (std::size_t s = 0; s < plan_.sheets.size(); ++s) {
      const detail::SheetPlan& sheet = plan_.sheets[s];
      sheets_[s] = plan_.has_statistics
                       ? memory_.template get<float>(slot(kSheet, s), frames(sheet.framing) * sheet.dimension)
                       : out;
    }
    for (int round = 0; round < plan_.rounds; ++round) {
      for (std::size_t f = 0; f < plan_.framings.size(); ++f) run_frames(f, round, fft, stream);
      for (std::size_t p = 0; p < plan_.parts.size(); ++p) run_clips(p, round, stream);
    }
    for (std::size_t p = 0; p < plan_.parts.size(); ++p) run_columns(p, stream);
    for (std::size_t s = 0; s < plan_.sheets.size(); ++s) run_sheet(s, out, stream);
  }

 private:
  enum Purpose {
    kWindow,
    kFirstBin,
    kOffset,
    kWeights,
    kTables,
    kTaps1,
    kTaps2,
    kClips,
    kFirstFrame,
    kFrameClip,
    kMel,
    kPeaks,
    kScratch,
    kClipScratch,
    kSheet,
    kFrames,
    kSpectra,
    kPower,
    kPurposes
  };
  static int slot(Purpose purpose, std::size_t number) {
    return static_cast<int>(number) * kPurposes + purpose;
  }
  std::int64_t frames(int framing) const { return frames_[static_cast<std::size_t>(framing)]; }
  const Batch& batch(int framing) const { return batches_[static_cast<std::size_t>(framing)]; }

  void put_tables() {
    frames_.resize(plan_.framings.size());
    batches_.resize(plan_.framings.size());
    banks_.resize(plan_.banks.size());
    sheets_.resize(plan_.sheets.size());
    for (const detail::FramePlan& framing : plan_.framings) {
      windows_.push_back(memory_.put(slot(kWindow, windows_.size()), framing.window));
    }
    for (std::size_t b = 0; b < banks_.size(); ++b) {
      banks_[b].first_bin = memory_.put(slot(kFirstBin, b), plan_.banks[b].first_bin);
      banks_[b].offset = memory_.put(slot(kOffset, b), plan_.banks[b].offset);
      banks_[b].weights = memory_.put(slot(kWeights, b), plan_.banks[b].weights);
    }
    for (const detail::PartPlan& part : plan_.parts) {
      tables_.push_back(part.tables.empty() ? nullptr
                                            : memory_.put(slot(kTables, tables_.size()), part.tables));
    }
    for (const detail::SheetPlan& sheet : plan_.sheets) {
      for (const detail::DeltaPlan& deltas : sheet.deltas) {
        const std::size_t number = taps_.size();
        taps_.push_back(
            {memory_.put(slot(kTaps1, number), deltas.taps[0]),
             deltas.taps[1].empty() ? nullptr : memory_.put(slot(kTaps2, number), deltas.taps[1])});
      }
    }
  }

  void put_batch(const float* samples, const std::vector<ClipSpan>& clips) {
    const ClipSpan* spans = memory_.put(slot(kClips, 0), clips);
    for (std::size_t f = 0; f < plan_.framings.size(); ++f) {
      std::vector<std::int64_t> first_frame{0};
      std::vector<std::int32_t> frame_clip;
      for (std::size_t c = 0; c < clips.size(); ++c) {
        first_frame.push_back(first_frame.back() + plan_.framings[f].frames(clips[c].samples));
        frame_clip.resize(static_cast<std::size_t>(first_frame.back()), static_cast<std::int32_t>(c));
      }
      frames_[f] = first_frame.back();
      batches_[f] = {samples, spans, memory_.put(slot(kFirstFrame, f), first_frame),
                     memory_.put(slot(kFrameClip, f), frame_clip)};
    }
    for (std::size_t b = 0; b < banks_.size(); ++b) {
      banks_[b].mel =
          memory_.template get<float>(slot(kMel, b), frames(plan_.banks[b].framing) * plan_.banks[b].n_mels);
      banks_[b].peaks = memory_.put(slot(kPeaks, b),
                                    std::vector<std::int32_t>(clips.size(), detail::ordered_bits(-INFINITY)));
    }
  }

  PartBuffers buffers(std::size_t p) {
    const detail::PartPlan& part = plan_.parts[p];
    const std::int64_t stride = plan_.sheets[static_cast<std::size_t>(part.sheet)].dimension;
    PartBuffers out;
    out.tables = tables_[p];
    out.scratch = memory_.template get<float>(slot(kScratch, p), frames(part.framing) * part.frame_scratch);
    out.clip_scratch = memory_.template get<float>(slot(kClipScratch, p), clips_ * part.clip_scratch);
    if (part.builds_on >= 0) {
      const std::size_t other = static_cast<std::size_t>(part.builds_on);
      out.other_scratch = plan_.parts[other].clip_scratch;
      out.other = memory_.template get<float>(slot(kClipScratch, other), clips_ * out.other_scratch);
    }
    out.work = part.work;
    out.frame_scratch = part.frame_scratch;
    out.clip_scratch_size = part.clip_scratch;
    out.columns = sheets_[static_cast<std::size_t>(part.sheet)] + part.column;
    out.stride = stride;
    return out;
  }

  PartFrameArgs frame_args(std::size_t p, std::int64_t first, std::int64_t count, const float* power) {
    const std::size_t f = static_cast<std::size_t>(plan_.parts[p].framing);
    PartFrameArgs a;
    a.batch = batches_[f];
    a.shape = shape_of(plan_.framings[f]);
    a.buffers = buffers(p);
    a.power = power;
    a.bins = plan_.framings[f].bins();
    a.first_frame = first;
    a.frames = count;
    return a;
  }

  template <class Fft>
  void run_frames(std::size_t f, int round, Fft& fft, serval::cuda::Stream stream) {
    const int framing = static_cast<int>(f);
    if (plan_.wants_transform(framing, round)) {
      const std::int64_t chunk = chunk_frames(plan_.framings[f].n_fft);
      for (std::int64_t first = 0; first < frames_[f]; first += chunk) {
        run_chunk(f, round, first, std::min(chunk, frames_[f] - first), fft, stream);
      }
      for (std::size_t b = 0; b < banks_.size() && round == 0; ++b) {
        if (plan_.banks[b].framing == framing)
          launch_settle(plan_.banks[b], banks_[b], batches_[f], frames_[f], stream);
      }
    }
    for (std::size_t p = 0; p < plan_.parts.size(); ++p) {
      const detail::PartPlan& part = plan_.parts[p];
      if (part.framing != framing || part.round != round || part.transforms) continue;
      launch_part_frames(part, frame_args(p, 0, frames_[f], nullptr), stream);
    }
  }

  template <class Fft>
  void run_chunk(std::size_t f, int round, std::int64_t first, std::int64_t count, Fft& fft,
                 serval::cuda::Stream stream) {
    const detail::FramePlan& plan = plan_.framings[f];
    // Whole powers of two, so that few plans serve every batch; rows behind the last frame hold old numbers that
    // nobody reads.
    const std::int64_t rows =
        std::max(kSmallestChunk, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(count))));
    float* windowed = memory_.template get<float>(slot(kFrames, 0), rows * plan.n_fft);
    float2* spectra = memory_.template get<float2>(slot(kSpectra, 0), rows * plan.bins());
    launch_frames(plan, windows_[f], batches_[f], first, count, windowed, stream);
    fft(static_cast<int>(f), rows, windowed, spectra);
    for (std::size_t b = 0; b < banks_.size() && round == 0; ++b) {
      if (plan_.banks[b].framing != static_cast<int>(f)) continue;
      launch_bank(plan_.banks[b], banks_[b], batches_[f], spectra, plan.bins(), first, count, stream);
    }
    if (!plan_.wants_rows(static_cast<int>(f), round)) return;
    float* power = memory_.template get<float>(slot(kPower, 0), count * plan.bins());
    launch_power(spectra, count * plan.bins(), power, stream);
    for (std::size_t p = 0; p < plan_.parts.size(); ++p) {
      const detail::PartPlan& part = plan_.parts[p];
      if (part.framing != static_cast<int>(f) || part.round != round || !part.transforms) continue;
      launch_part_frames(part, frame_args(p, first, count, power), stream);
    }
  }

  void run_clips(std::size_t p, int round, serval::cuda::Stream stream) {
    const detail::PartPlan& part = plan_.parts[p];
    if (part.round != round || !part.has_clip()) return;
    PartClipArgs a;
    a.batch = batch(part.framing);
    a.buffers = buffers(p);
    if (part.bank >= 0) {
      a.bank = banks_[static_cast<std::size_t>(part.bank)].mel;
      a.n_mels = plan_.banks[static_cast<std::size_t>(part.bank)].n_mels;
    }
    launch_part_clips(part, a, clips_, stream);
  }

  void run_columns(std::size_t p, serval::cuda::Stream stream) {
    const detail::PartPlan& part = plan_.parts[p];
    if (part.bank_part() == nullptr) return;
    const std::size_t sheet = static_cast<std::size_t>(part.sheet);
    launch_columns(part, tables_[p], banks_[static_cast<std::size_t>(part.bank)].mel,
                   plan_.banks[static_cast<std::size_t>(part.bank)].n_mels, frames(part.framing),
                   sheets_[sheet] + part.column, plan_.sheets[sheet].dimension, stream);
  }

  void run_sheet(std::size_t s, float* out, serval::cuda::Stream stream) {
    std::size_t number = 0;
    for (std::size_t before = 0; before < s; ++before) number += plan_.sheets[before].deltas.size();
    const detail::SheetPlan& sheet = plan_.sheets[s];
    for (const detail::DeltaPlan& deltas : sheet.deltas) {
      const float* const taps[2] = {taps_[number].order1, taps_[number].order2};
      launch_deltas(deltas, taps, batch(sheet.framing), frames(sheet.framing), sheets_[s], sheet.dimension,
                    stream);
      ++number;
    }
    launch_statistics(sheet, batch(sheet.framing), clips_, sheets_[s], out, plan_.dimension, stream);
  }

  struct Taps {
    const float* order1;
    const float* order2;
  };

  const detail::ExtractionPlan& plan_;
  Memory& memory_;
  std::vector<const float*> windows_;
  std::vector<const float*> tables_;
  std::vector<Taps> taps_;  // of each DeltaPlan, sheet after sheet

  // Of the batch at hand.
  std::int64_t clips_ = 0;
  std::vector<std::int64_t> frames_;  // of each framing
  std::vector<Batch> batches_;
  std::vector<BankBuffers> banks_;
  std::vector<float*> sheets_;
};

}  // namespace serval::features::cuda
