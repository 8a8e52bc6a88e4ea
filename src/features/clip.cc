#include "clip.h"

#include <algorithm>
#include <type_traits>

#include "serval/features/detail/statistics_math.h"

namespace serval::features::detail {

namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }

void grow(std::vector<float>& memory, std::int64_t size) {
  if (static_cast<std::int64_t>(memory.size()) < size) memory.resize(static_cast<std::size_t>(size));
}

void add_deltas(InstructionSet set, const DeltaPlan& plan, std::int64_t frames, std::int64_t stride,
                float* sheet) {
  const bool regression = plan.method == DeltaMethod::kRegression;
  DeltaColumns job;
  job.frames = frames;
  job.stride = stride;
  job.count = plan.n_static;
  job.method = plan.method;
  job.half = regression ? plan.width / 2 : delta_half(frames, plan.width);
  for (int order = 1; order <= plan.orders; ++order) {
    job.from = sheet + plan.first_column + plan.source_order(order) * plan.n_static;
    job.to = sheet + plan.first_column + order * plan.n_static;
    job.curved = plan.curved(order) && job.half > 0;
    job.taps = plan.taps_of(order).data() + job.half;
    if (!regression && job.half > 0) job.taps += delta_taps_at(job.half);
    delta_columns(set, job);
  }
}

}  // namespace

struct ClipWorker::RowsContext {
  ClipWorker* worker;
  std::size_t framing;
  int round;
};

ClipWorker::ClipWorker(const ExtractionPlan& plan, InstructionSet set)
    : plan_(plan),
      set_(set),
      lanes_(lanes_of(set)),
      framings_(plan.framings.size()),
      tiles_(plan.banks.size()),
      bank_rows_(plan.banks.size()),
      parts_(plan.parts.size()),
      sheet_memory_(plan.sheets.size()),
      sheets_(plan.sheets.size()) {
  int widest = 1;
  for (const PartPlan& part : plan.parts) widest = std::max(widest, part.n_static);
  columns_ = Tensor(Device{}, Shape{widest, lanes_});
  for (std::size_t f = 0; f < framings_.size(); ++f) {
    bool transforms = false;
    for (int round = 0; round < plan.rounds; ++round) {
      transforms = transforms || plan.wants_transform(static_cast<int>(f), round);
    }
    if (!transforms) continue;
    framings_[f].fft = std::make_unique<FftTables>(plan.framings[f].n_fft);
    framings_[f].scratch = std::make_unique<LaneScratch>(plan.framings[f], *framings_[f].fft, lanes_);
  }
  for (const BankPlan& bank : plan.banks) framings_[index(bank.framing)].banks.push_back({&bank, nullptr, 0});
}

PartMemory ClipWorker::memory(std::size_t p, std::int64_t frame) {
  const PartPlan& part = plan_.parts[p];
  Part& own = parts_[p];
  const std::int64_t stride = plan_.sheets[index(part.sheet)].dimension;
  PartMemory memory;
  memory.tables = part.tables.data();
  memory.work = own.work.data();
  memory.scratch = own.scratch.data() + frame * part.frame_scratch;
  memory.clip_scratch = own.clip_scratch.data();
  if (part.builds_on >= 0) memory.other = parts_[index(part.builds_on)].clip_scratch.data();
  memory.columns = sheets_[index(part.sheet)] + frame * stride + part.column;
  memory.stride = stride;
  return memory;
}

// `power` holds the spectra of the frames from `first` on, or is null.
void ClipWorker::part_frames(std::size_t p, std::int64_t first, std::int64_t count, const float* power) {
  const PartPlan& part = plan_.parts[p];
  const FramePlan& frames = plan_.framings[index(part.framing)];
  FrameView view;
  view.samples = samples_.data();
  view.clip_samples = static_cast<std::int64_t>(samples_.size());
  view.length = frames.window_length;
  view.padding = frames.padding;
  view.bins = frames.bins();
  std::visit(
      [&](const auto& body) {
        if constexpr (std::decay_t<decltype(body)>::kFrame) {
          for (std::int64_t i = 0; i < count; ++i) {
            view.start = frames.window_start(first + i);
            view.power = power == nullptr ? nullptr : power + i * view.bins;
            body.frame(SoloTeam{}, view, memory(p, first + i));
          }
        }
      },
      part.body);
}

void ClipWorker::frames_pass(std::size_t f, int round) {
  const int number = static_cast<int>(f);
  const std::int64_t count = frame_count(number);
  if (plan_.wants_transform(number, round)) {
    Framing& framing = framings_[f];
    RowsContext context{this, f, round};
    LanePass pass;
    pass.frames = &plan_.framings[f];
    pass.fft = framing.fft.get();
    pass.samples = samples_;
    pass.count = count;
    if (round == 0) pass.banks = framing.banks;
    for (BankTiles& bank : framing.banks) {
      Tensor& tiles = tiles_[static_cast<std::size_t>(bank.bank - plan_.banks.data())];
      const std::int64_t size = (count + lanes_ - 1) / lanes_ * bank.bank->n_mels * lanes_;
      if (tiles.size() < size) tiles = Tensor(Device{}, Shape{size});
      bank.tiles = tiles.data();
      pass.wants_magnitude = pass.wants_magnitude || bank.bank->power == 1;
    }
    pass.scratch = framing.scratch.get();
    if (plan_.wants_rows(number, round)) {
      pass.rows_context = &context;
      pass.on_rows = [](void* opaque, std::int64_t first, int rows, const float* power) {
        const RowsContext& to = *static_cast<RowsContext*>(opaque);
        const ExtractionPlan& plan = to.worker->plan_;
        for (std::size_t p = 0; p < plan.parts.size(); ++p) {
          const PartPlan& part = plan.parts[p];
          if (index(part.framing) != to.framing || part.round != to.round || !part.transforms) continue;
          to.worker->part_frames(p, first, rows, power);
        }
      };
    }
    lane_pass(set_, pass);
    if (round == 0) {
      for (const BankTiles& bank : framing.banks) settle_bank(set_, bank, count);
    }
  }
  for (std::size_t p = 0; p < plan_.parts.size(); ++p) {
    const PartPlan& part = plan_.parts[p];
    if (part.framing == number && part.round == round && !part.transforms) part_frames(p, 0, count, nullptr);
  }
}

void ClipWorker::clips_pass(int round) {
  for (std::size_t p = 0; p < plan_.parts.size(); ++p) {
    const PartPlan& part = plan_.parts[p];
    if (part.round != round || !part.has_clip()) continue;
    ClipView view;
    view.frames = frame_count(part.framing);
    if (part.bank >= 0) {
      const BankPlan& bank = plan_.banks[index(part.bank)];
      std::vector<float>& rows = bank_rows_[index(part.bank)];
      grow(rows, view.frames * bank.n_mels);
      const float* tiles = tiles_[index(part.bank)].data();
      for (std::int64_t frame = 0; frame < view.frames; ++frame) {
        const float* tile = tiles + frame / lanes_ * bank.n_mels * lanes_ + frame % lanes_;
        for (int m = 0; m < bank.n_mels; ++m)
          rows[static_cast<std::size_t>(frame * bank.n_mels + m)] = tile[m * lanes_];
      }
      view.bank = rows.data();
      view.n_mels = bank.n_mels;
    }
    std::visit(
        [&](const auto& body) {
          if constexpr (std::decay_t<decltype(body)>::kClip) body.clip(SoloTeam{}, view, memory(p, 0));
        },
        part.body);
  }
}

void ClipWorker::columns_pass() {
  for (const PartPlan& part : plan_.parts) {
    const BankPart* bank_part = part.bank_part();
    if (bank_part == nullptr) continue;
    const SheetPlan& sheet = plan_.sheets[index(part.sheet)];
    BankColumns job;
    job.bank = &plan_.banks[index(part.bank)];
    job.tiles = tiles_[index(part.bank)].data();
    job.frames = frame_count(part.framing);
    job.cosines = bank_part->cosine ? part.tables.data() : nullptr;
    job.n_static = part.n_static;
    job.out = sheets_[index(part.sheet)] + part.column;
    job.stride = sheet.dimension;
    job.scratch = columns_.data();
    bank_columns(set_, job);
  }
}

void ClipWorker::finish_sheet(std::size_t s, float* out) {
  const SheetPlan& sheet = plan_.sheets[s];
  const std::int64_t frames = frame_count(sheet.framing);
  for (const DeltaPlan& deltas : sheet.deltas) add_deltas(set_, deltas, frames, sheet.dimension, sheets_[s]);
  float* to = out + sheet.out_column;
  for (const Statistic& statistic : sheet.statistics) {
    if (statistic.kind == StatisticKind::kAllMean) {
      *to++ = column_statistic(SoloTeam{}, Column{sheets_[s], frames * sheet.dimension, 1},
                               {StatisticKind::kMean, 0});
      continue;
    }
    for (int column = 0; column < sheet.dimension; ++column) {
      *to++ = column_statistic(SoloTeam{}, Column{sheets_[s] + column, frames, sheet.dimension}, statistic);
    }
  }
}

void ClipWorker::run(std::span<const float> samples, float* out) {
  samples_ = samples;
  for (std::size_t s = 0; s < sheets_.size(); ++s) {
    const SheetPlan& sheet = plan_.sheets[s];
    if (plan_.has_statistics) grow(sheet_memory_[s], frame_count(sheet.framing) * sheet.dimension);
    sheets_[s] = plan_.has_statistics ? sheet_memory_[s].data() : out;
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const PartPlan& part = plan_.parts[p];
    grow(parts_[p].work, part.work);
    grow(parts_[p].scratch, part.frame_scratch * frame_count(part.framing));
    grow(parts_[p].clip_scratch, part.clip_scratch);
  }
  for (int round = 0; round < plan_.rounds; ++round) {
    for (std::size_t f = 0; f < framings_.size(); ++f) frames_pass(f, round);
    clips_pass(round);
  }
  columns_pass();
  for (std::size_t s = 0; s < sheets_.size(); ++s) finish_sheet(s, out);
}

}  // namespace serval::features::detail
