// A clip's features on the CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "serval/features/detail/plan.h"

#include "fft_tables.h"
#include "lane_pass.h"

namespace serval::features::detail {

// Works on one clip after the other and keeps its memory from one to the next. One thread uses it at a time;
// `plan` must outlive it.
class ClipWorker {
 public:
  ClipWorker(const ExtractionPlan& plan, InstructionSet set);
  // `out` is [plan.frames(samples), dimension]; every value of it is written.
  void run(std::span<const float> samples, float* out);

 private:
  struct Framing {
    std::unique_ptr<FftTables> fft;  // null where no part needs a transform
    std::unique_ptr<LaneScratch> scratch;
    std::vector<BankTiles> banks;
  };
  struct Part {
    std::vector<float> work, scratch, clip_scratch;
  };
  struct RowsContext;

  void frames_pass(std::size_t framing, int round);
  void part_frames(std::size_t part, std::int64_t first, std::int64_t count, const float* power);
  void clips_pass(int round);
  void columns_pass();
  void finish_sheet(std::size_t sheet, float* out);
  PartMemory memory(std::size_t part, std::int64_t frame);
  std::int64_t frame_count(int framing) const {
    return plan_.framings[static_cast<std::size_t>(framing)].frames(
        static_cast<std::int64_t>(samples_.size()));
  }

  const ExtractionPlan& plan_;
  InstructionSet set_;
  int lanes_;
  std::vector<Framing> framings_;
  std::vector<Tensor> tiles_;                  // of each bank
  std::vector<std::vector<float>> bank_rows_;  // [frame, n_mels] of each bank, where a part reads them
  Tensor columns_;                             // [n_static, lane]
  std::vector<Part> parts_;
  std::vector<std::vector<float>> sheet_memory_;  // where statistics follow
  std::vector<float*> sheets_;

  std::span<const float> samples_;  // of the clip at hand
};

}  // namespace serval::features::detail
