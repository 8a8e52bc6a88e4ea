#include "serval/core/parallel.h"
#include "serval/features/detail/extractor_body.h"

#include "clip.h"

namespace serval::features::detail {

namespace {

class CpuExtractor final : public ExtractorBody {
 public:
  CpuExtractor(const Context& context, const ExtractionPlan& plan)
      : threads_(context.threads()), plan_(plan), tables_(plan.n_fft), set_(instruction_sets().back()) {}

  void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out) override {
    parallel_for(clips.size(), threads_, [&](std::size_t i) {
      clip_features(set_, plan_, tables_, clips[i].samples, out[i].frames, out[i].values.data());
    });
  }

 private:
  int threads_;
  const ExtractionPlan& plan_;
  FftTables tables_;
  InstructionSet set_;
};

std::unique_ptr<ExtractorBody> make_cpu_extractor(const Context& context, const ExtractionPlan& plan) {
  return std::make_unique<CpuExtractor>(context, plan);
}

}  // namespace
}  // namespace serval::features::detail

namespace serval::features {

void register_cpu_ops(OpRegistry& registry) {
  registry.add<detail::MakeExtractor>(DeviceKind::kCpu, detail::make_cpu_extractor);
}

}  // namespace serval::features
