#include <memory>
#include <mutex>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/parallel.h"
#include "serval/features/detail/extractor_body.h"

#include "clip.h"

namespace serval::features::detail {

namespace {

// Workers keep their memory from clip to clip; a thread takes one that is free.
class WorkerPool {
 public:
  explicit WorkerPool(const ExtractionPlan& plan) : plan_(plan) {}

  std::unique_ptr<ClipWorker> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<ClipWorker> worker = std::move(free_.back());
        free_.pop_back();
        return worker;
      }
    }
    return std::make_unique<ClipWorker>(plan_, instruction_sets().back());
  }
  void give_back(std::unique_ptr<ClipWorker> worker) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(worker));
  }

 private:
  const ExtractionPlan& plan_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ClipWorker>> free_;
};

class CpuExtractor final : public ExtractorBody {
 public:
  CpuExtractor(const Context& context, const ExtractionPlan& plan)
      : threads_(context.threads()), dimension_(plan.dimension), workers_(plan) {}

  void run(std::span<const audio::Waveform> clips, std::span<FeatureMatrix> out,
           const Prepare& prepare) override {
    parallel_for(clips.size(), threads_, [&](std::size_t i) {
      if (!prepare(i)) return;
      std::unique_ptr<ClipWorker> worker = workers_.take();
      worker->run(clips[i].samples, out[i].values.data());
      workers_.give_back(std::move(worker));
    });
  }

  void run_resident(const DeviceBatch& batch, std::span<const std::int64_t> first_row, float* out) override {
    parallel_for(batch.samples().size(), threads_, [&](std::size_t i) {
      const std::int16_t* codes = batch.codes() + batch.first()[i];
      std::vector<float> samples(codes, codes + batch.samples()[i]);
      for (float& sample : samples) sample *= batch.scales()[i];
      std::unique_ptr<ClipWorker> worker = workers_.take();
      worker->run(samples, out + first_row[i] * dimension_);
      workers_.give_back(std::move(worker));
    });
  }

  FeatureEngine engine() const override { return FeatureEngine::kGeneral; }

 private:
  int threads_;
  int dimension_;
  WorkerPool workers_;
};

std::unique_ptr<ExtractorBody> make_cpu_extractor(const Context& context, const ExtractionPlan& plan,
                                                  FeatureEngine engine) {
  if (engine == FeatureEngine::kFused)
    throw UnsupportedError("features: the fused engine is not on device cpu");
  return std::make_unique<CpuExtractor>(context, plan);
}

}  // namespace
}  // namespace serval::features::detail

namespace serval::features {

void register_cpu_ops(OpRegistry& registry) {
  registry.add<detail::MakeExtractor>(DeviceKind::kCpu, detail::make_cpu_extractor);
}

}  // namespace serval::features
