#include "augmentation.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <span>
#include <utility>

#include "serval/audio/quantise.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/parallel.h"
#include "serval/core/text.h"
#include "serval/features/extractor.h"
#include "serval/train/augmentation.h"

#include "gender_stage.h"
#include "model_inputs.h"

namespace serval::experiment {

namespace {

// Recordings whose waveforms are in memory at a time, and their copies.
constexpr std::size_t kRecordingsABlock = 32;

std::int64_t length_of(const audio::AudioSettings& settings) {
  if (!settings.length_s) return 0;
  return std::max<std::int64_t>(1, std::llround(*settings.length_s * settings.sample_rate_hz));
}

class ModelCopies : public train::Augmentation {
 public:
  ModelCopies(std::shared_ptr<const CopyMaker> maker, const NamedList<InputSettings>& inputs,
              const std::vector<features::FeatureSettings>& features, const train::Task& task,
              const Context& context, int threads)
      : maker_(std::move(maker)),
        inputs_(inputs),
        fold_(static_cast<std::uint32_t>(task.fold)),
        seed_(task.seed),
        sources_(copied_recordings(task.sides, task.protocol)),
        threads_(threads),
        extractors_(inputs.size()) {
    // On a GPU the model's own stream; on the CPU one extractor a thread.
    const int workers = context.device().kind == DeviceKind::kCuda ? 1 : threads;
    for (int i = 1; i < workers; ++i) contexts_.push_back(std::make_unique<Context>(context.device(), 1));
    for (std::size_t input = 0; input < inputs.size(); ++input) {
      if (features[input].type == features::FeatureType::kGender) continue;
      for (int i = 0; i < workers; ++i) {
        const Context& own = i == 0 ? context : *contexts_[static_cast<std::size_t>(i - 1)];
        extractors_[input].emplace_back(features[input], maker_->sample_rate_hz(), own);
      }
    }
  }

  bool redraws() const override { return settings().redraw == audio::Redraw::kEveryEpoch; }

  std::int64_t longest_item(std::size_t input) const override {
    if (of_speaker(input)) return 1;
    std::int64_t frames = 0;
    for (const std::int64_t r : sources_)
      frames = std::max(frames, extractors_[input].front().frames(maker_->longest(r)));
    // A segment of another input than the first may round up by a frame.
    if (inputs_.front().second.whole() || input > 0) return frames;
    const std::vector<std::int64_t>& lengths = inputs_.front().second.segments.segment_frames;
    return std::min(frames, *std::max_element(lengths.begin(), lengths.end()));
  }

  train::Copies make(int epoch) override {
    train::Copies out;
    out.inputs.resize(inputs_.size());
    std::vector<std::vector<std::int64_t>> offsets(inputs_.size(), {0});  // [input][copies + 1], in frames
    for (std::size_t first = 0; first < sources_.size(); first += kRecordingsABlock) {
      const std::span<const std::int64_t> block =
          std::span(sources_).subspan(first, std::min(kRecordingsABlock, sources_.size() - first));
      const std::vector<audio::Waveform> waveforms = make_waveforms(block, epoch);
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (of_speaker(i)) {
          for (const std::int64_t r : block) {
            out.inputs[i].values.insert(out.inputs[i].values.end(), copies(), maker_->gender(r));
            for (std::size_t copy = 0; copy < copies(); ++copy) offsets[i].push_back(offsets[i].back() + 1);
          }
          continue;
        }
        for (const features::FeatureMatrix& matrix : extract(i, waveforms)) {
          std::vector<float>& values = out.inputs[i].values;
          values.insert(values.end(), matrix.values.begin(), matrix.values.end());
          offsets[i].push_back(offsets[i].back() + matrix.frames);
        }
      }
      for (const std::int64_t r : block) out.sources.insert(out.sources.end(), copies(), r);
    }
    std::vector<features::InputSource> sources;
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      sources.push_back(
          {inputs_[i].second.features, &offsets[i], of_speaker(i) ? 0 : extractors_[i].front().hop_samples(),
           out.inputs[i].values.data(), of_speaker(i) ? 1 : extractors_[i].front().dimension()});
    const auto items = model_items(inputs_, sources);
    for (std::size_t i = 0; i < inputs_.size(); ++i) out.inputs[i].items = *items[i];
    return out;
  }

  void write_lineage(const std::string& path, int epochs) const override {
    write_atomically(path, [&](const std::filesystem::path& temporary) {
      std::ofstream file(temporary, std::ios::binary);
      file << "epoch,copy,recording,effect,parameters\n";
      const int first = redraws() ? 1 : 0;
      const int last = redraws() ? epochs : 0;
      for (int epoch = first; epoch <= last; ++epoch) {
        for (const std::int64_t r : sources_) {
          for (std::size_t copy = 0; copy < copies(); ++copy) file << rows(epoch, copy, r);
        }
      }
      file.flush();
      if (!file) throw DiskError(cat(path, ": cannot be written; is the disk full?"));
    });
  }

 private:
  const audio::AugmentSettings& settings() const { return maker_->augmenter().settings(); }
  std::size_t copies() const { return static_cast<std::size_t>(settings().copies); }

  // Whether an input says something of the speaker, which a copy has from its recording.
  bool of_speaker(std::size_t input) const { return extractors_[input].empty(); }

  audio::CopyKey key(std::int64_t recording, std::size_t copy, int epoch) const {
    return {seed_, fold_, redraws() ? static_cast<std::uint32_t>(epoch) : 0u,
            static_cast<std::uint32_t>(copy), maker_->content(recording)};
  }

  // [recording, copy]
  std::vector<audio::Waveform> make_waveforms(std::span<const std::int64_t> recordings, int epoch) const {
    std::vector<audio::Waveform> originals;
    for (const std::int64_t r : recordings) originals.push_back(maker_->original(r));
    std::vector<audio::Waveform> out(recordings.size() * copies());
    parallel_for(out.size(), threads_, [&](std::size_t i) {
      check_interrupted();
      const std::int64_t r = recordings[i / copies()];
      out[i] = maker_->copy(r, originals[i / copies()], key(r, i % copies(), epoch));
      const auto samples = static_cast<std::int64_t>(out[i].samples.size());
      for (std::size_t input = 0; input < inputs_.size(); ++input) {
        if (of_speaker(input) || extractors_[input].front().frames(samples) > 0) continue;
        throw DataError(cat(maker_->id(r), ", copy ", i % copies() + 1, ": ", samples,
                            " samples are too short for one frame of features.",
                            inputs_[input].second.features,
                            "; narrow the rates under augment, or set a larger audio.min_duration_s"));
      }
    });
    return out;
  }

  // A matrix does not depend on which others are extracted beside it.
  std::vector<features::FeatureMatrix> extract(std::size_t input, const std::vector<audio::Waveform>& clips) {
    std::vector<features::FeatureMatrix> out(clips.size());
    std::vector<features::Extractor>& workers = extractors_[input];
    const std::size_t share = (clips.size() + workers.size() - 1) / workers.size();
    parallel_for(workers.size(), static_cast<int>(workers.size()), [&](std::size_t part) {
      const std::size_t begin = std::min(clips.size(), part * share);
      const std::size_t end = std::min(clips.size(), begin + share);
      if (begin == end) return;
      auto matrices = workers[part].run(std::span(clips).subspan(begin, end - begin));
      std::move(matrices.begin(), matrices.end(), out.begin() + static_cast<std::ptrdiff_t>(begin));
    });
    return out;
  }

  std::string rows(int epoch, std::size_t copy, std::int64_t recording) const {
    const std::string start = cat(epoch, ",", copy + 1, ",", csv_field(maker_->id(recording)), ",");
    const std::vector<audio::DrawnEffect> drawn = maker_->augmenter().draw(key(recording, copy, epoch));
    if (drawn.empty()) return start + "none,\n";
    std::string out;
    for (const audio::DrawnEffect& effect : drawn) {
      out += start + to_string(effect.type) + "," + csv_field(maker_->augmenter().parameters(effect)) + "\n";
    }
    return out;
  }

  std::shared_ptr<const CopyMaker> maker_;
  NamedList<InputSettings> inputs_;
  std::uint32_t fold_;
  std::uint64_t seed_;
  std::vector<std::int64_t> sources_;
  int threads_;
  std::vector<std::unique_ptr<Context>> contexts_;
  std::vector<std::vector<features::Extractor>> extractors_;  // [input][thread]; none of gender
};

}  // namespace

std::vector<std::int64_t> copied_recordings(const folds::Fold& fold,
                                            const folds::ProtocolSettings& protocol) {
  std::vector<std::int64_t> out = fold.train;
  if (!protocol.has(folds::Leak::kCopiesBeforeSplit)) return out;
  out.insert(out.end(), fold.validation.begin(), fold.validation.end());
  out.insert(out.end(), fold.test.begin(), fold.test.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

CopyMaker::CopyMaker(const ExperimentSettings& settings, std::shared_ptr<const audio::Augmenter> augmenter,
                     const Dataset& dataset)
    : augmenter_(std::move(augmenter)),
      sample_rate_hz_(settings.audio.sample_rate_hz),
      length_samples_(length_of(settings.audio)),
      audio_(dataset.audio) {
  SERVAL_CHECK(audio_ && audio_->items() == static_cast<std::int64_t>(dataset.manifest.recordings.size()),
               "the audio store does not go with the manifest");
  for (std::size_t r = 0; r < dataset.manifest.recordings.size(); ++r) {
    ids_.push_back(dataset.manifest.recordings[r].id);
    contents_.push_back(audio::recording_key(dataset.waveform_hashes[r]));
    genders_.push_back(dataset.manifest.recordings[r].gender);
  }
}

float CopyMaker::gender(std::int64_t recording) const {
  return gender_number(genders_[static_cast<std::size_t>(recording)], id(recording));
}

audio::Waveform CopyMaker::original(std::int64_t recording) const {
  return {audio::samples(audio_->read_audio(recording)), sample_rate_hz_};
}

audio::Waveform CopyMaker::copy(std::int64_t recording, const audio::Waveform& original,
                                const audio::CopyKey& key) const {
  try {
    audio::Waveform out = augmenter_->copy(original, key);
    if (length_samples_ > 0) out.samples.resize(static_cast<std::size_t>(length_samples_), 0.0f);
    return out;
  } catch (const DataError& error) {
    throw DataError(cat(id(recording), ", copy ", key.copy + 1, ": ", error.what()));
  }
}

std::int64_t CopyMaker::longest(std::int64_t recording) const {
  if (length_samples_ > 0) return length_samples_;
  const auto r = static_cast<std::size_t>(recording);
  const std::int64_t samples = audio_->offsets()[r + 1] - audio_->offsets()[r];
  return static_cast<std::int64_t>(augmenter_->longest(static_cast<std::size_t>(samples)));
}

train::MakeAugmentation augmentation_of(std::shared_ptr<const CopyMaker> copies,
                                        const NamedList<InputSettings>& inputs,
                                        const std::vector<features::FeatureSettings>& features) {
  return [copies = std::move(copies), inputs, features](const train::Task& task, const Context& context,
                                                        int threads) {
    return std::make_unique<ModelCopies>(copies, inputs, features, task, context, threads);
  };
}

}  // namespace serval::experiment
