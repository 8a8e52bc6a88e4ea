#include "session.h"

#include <algorithm>
#include <numeric>

#include "serval/core/error.h"
#include "serval/nn/activate.h"
#include "serval/nn/blend.h"
#include "serval/nn/loss.h"

namespace serval::deploy {

Session::Session(const Bundle& bundle, const Device& device, int batch)
    : bundle_(bundle), context_(std::make_unique<Context>(device, 1)), batch_(std::max(batch, 1)) {
  for (const auto& [name, settings] : bundle.features)
    extractors_.emplace_back(settings, bundle.audio.sample_rate_hz, *context_);
  for (const auto& [name, settings] : bundle.models) add_model(name, settings);
}

void Session::add_model(const std::string& name, const BundleModel& settings) {
  Model& model = models_.emplace_back();
  model.settings = &settings;
  if (!settings.learner) model.network = scored_network(settings);
  for (const auto& [input_name, input] : settings.inputs) {
    const auto set =
        std::find_if(bundle_.features.begin(), bundle_.features.end(),
                     [&wanted = input.features](const auto& named) { return named.first == wanted; });
    if (set == bundle_.features.end())
      throw DataError(cat("model ", name, ": there are no features \"", input.features, "\""));
    model.sets.push_back(static_cast<std::size_t>(set - bundle_.features.begin()));
    model.inputs.emplace_back(*context_, input, input_kind(settings.network, input_name),
                              extractors_[model.sets.back()].dimension());
  }
  model.room_time.assign(model.inputs.size(), 1);
  for (std::size_t m = 0; m < bundle_.members.size(); ++m) {
    if (bundle_.members[m].model == name) model.members.push_back(static_cast<std::int64_t>(m));
  }
  if (settings.learner) add_learners(model);
}

void Session::add_learners(Model& model) {
  const std::int64_t columns = extractors_[model.sets.front()].dimension();
  const auto classes = static_cast<std::int64_t>(bundle_.classes.size());
  for (const std::int64_t place : model.members) {
    const BundleMember& member = bundle_.members[static_cast<std::size_t>(place)];
    try {
      model.learners.push_back(learners::restore(*model.settings->learner, member.state));
    } catch (const DataError& error) {
      throw DataError(cat(member.file, ": ", error.what()));
    }
    const learners::Learner& learner = *model.learners.back();
    if (learner.columns() != columns || learner.classes() != classes) {
      throw DataError(cat(member.file, ": reads ", learner.columns(), " columns and tells ",
                          learner.classes(), " classes apart; the bundle has ", columns, " and ", classes));
    }
  }
}

void Session::load_weights(nn::Network& network, const BundleMember& member) const {
  std::vector<float> parameters(static_cast<std::size_t>(network.parameter_count()));
  for (const nn::ParameterBlock& block : network.blocks()) {
    const NamedArray& array = member.array(block.name);
    if (!(array.shape == block.shape)) {
      throw DataError(cat(member.file, ": ", block.name, " is ", to_string(array.shape), ", the network has ",
                          to_string(block.shape)));
    }
    std::copy(array.values.begin(), array.values.end(), parameters.begin() + block.offset);
  }
  network.parameters().assign(parameters);
}

void Session::make_room(Model& model, const Items& items) {
  const std::int64_t count = std::min<std::int64_t>(static_cast<std::int64_t>(items.front().size()), batch_);
  bool fits = count <= model.room;
  std::vector<std::int64_t> time = model.room_time;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (model.inputs[i].kind() != nn::InputKind::kSequence) continue;
    for (const features::Segment& segment : items[i]) time[i] = std::max(time[i], segment.real_frames);
    fits = fits && time[i] == model.room_time[i];
  }
  if (fits) return;
  const std::int64_t room = std::max(count, model.room);
  model.room = 0;  // until all is made: what follows may throw, and the session is used again
  const auto classes = static_cast<std::int64_t>(bundle_.classes.size());
  nn::NetworkSizes sizes{
      .inputs = {}, .classes = classes, .max_batch = room, .training = false, .lean = true};
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    model.inputs[i].make_room(room, time[i]);
    sizes.inputs.push_back({model.inputs[i].item(), time[i]});
  }
  model.networks.clear();
  for (const std::int64_t member : model.members) {
    model.networks.push_back(std::make_unique<nn::Network>(*context_, model.network, sizes));
    load_weights(*model.networks.back(), bundle_.members[static_cast<std::size_t>(member)]);
  }
  const nn::Network& first = *model.networks.front();
  for (std::size_t i = 0; i < model.settings->outputs.size(); ++i) {
    if (!(first.output_type(i).item == Shape{classes}))
      throw DataError(
          cat("output ", i, " gives ", nn::to_string(first.output_type(i)), " for ", classes, " classes"));
  }
  model.scores = Tensor(context_->device(), {room, classes});
  model.mean_output = Tensor(context_->device(), {room, classes});
  model.room_time = std::move(time);
  model.room = room;
}

Session::Items Session::plan(const Model& model, const std::vector<features::FeatureMatrix>& matrices) const {
  std::vector<std::vector<std::int64_t>> offsets;
  for (const std::size_t set : model.sets) offsets.push_back({0, matrices[set].frames});
  std::vector<features::InputSource> sources;
  for (std::size_t i = 0; i < model.sets.size(); ++i) {
    const std::size_t set = model.sets[i];
    sources.push_back({.name = bundle_.features[set].first,
                       .offsets = &offsets[i],
                       .hop_samples = extractors_[set].hop_samples(),
                       .values = matrices[set].values.data(),
                       .dimension = matrices[set].dimension});
  }
  Items out;
  for (features::SegmentIndex& index : features::plan_inputs(model.settings->inputs, sources))
    out.push_back(std::move(index.segments));
  if (out.front().empty())
    throw DataError(cat("too short: no segment of ", matrices[model.sets.front()].frames, " frames"));
  return out;
}

// Probabilities of the items in the last batch, as training makes them of the network's outputs.
void Session::write_scores(Model& model, const nn::Network& network, std::int64_t count) {
  const auto classes = static_cast<std::int64_t>(bundle_.classes.size());
  const std::vector<BundleOutput>& outputs = model.settings->outputs;
  ConstTensorView logits = network.output(0);
  if (outputs.size() > 1) {
    float total = 0;
    for (const BundleOutput& output : outputs) total += static_cast<float>(output.weight);
    const TensorView mean = model.mean_output.view(0, {count, classes});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      run<nn::BlendInto>(*context_, nn::BlendIntoArgs{.from = network.output(i),
                                                      .to = mean,
                                                      .share = static_cast<float>(outputs[i].weight) / total,
                                                      .keep = i == 0 ? 0.0f : 1.0f});
    }
    logits = mean;
  }
  const TensorView scores = model.scores.view(0, {count, classes});
  if (model.settings->divides) {
    run<nn::Softmax>(*context_, nn::SoftmaxArgs{count, classes, logits, scores});
    return;
  }
  nn::SoftmaxCrossEntropyArgs args;
  args.batch = count;
  args.classes = classes;
  args.logits = logits;
  args.probabilities = scores;
  run<nn::SoftmaxCrossEntropy>(*context_, args);
}

evaluate::Probabilities Session::run_member(Model& model, std::size_t member, const Items& items) {
  const BundleMember& of = bundle_.members[static_cast<std::size_t>(model.members[member])];
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const std::string group = "input/" + model.settings->inputs[i].first;
    model.inputs[i].set_statistics(of.array(group + "/mean").values, of.array(group + "/scale").values);
  }
  // Longest first, as layers over sequences want it.
  std::vector<std::size_t> order(items.front().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return items.front()[a].real_frames > items.front()[b].real_frames;
  });
  evaluate::Probabilities out(order.size());
  const std::size_t classes = bundle_.classes.size();
  for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(model.room)) {
    const std::size_t count = std::min(order.size() - begin, static_cast<std::size_t>(model.room));
    nn::Batch batch;
    batch.size = static_cast<std::int64_t>(count);
    for (std::size_t i = 0; i < model.inputs.size(); ++i) {
      std::vector<features::Segment> chosen;
      for (std::size_t k = 0; k < count; ++k) chosen.push_back(items[i][order[begin + k]]);
      batch.inputs.push_back(model.inputs[i].gather(*context_, chosen));
    }
    nn::Network& network = *model.networks[member];
    network.forward(*context_, batch, nn::Mode::kInfer, {});
    write_scores(model, network, batch.size);
    context_->synchronize();
    const std::vector<float> scores = model.scores.to_host();
    for (std::size_t k = 0; k < count; ++k) {
      const auto row = scores.begin() + static_cast<std::ptrdiff_t>(k * classes);
      out[order[begin + k]].assign(row, row + static_cast<std::ptrdiff_t>(classes));
    }
  }
  return out;
}

evaluate::Probabilities Session::run_learner(const Model& model, std::size_t member, const Items& items,
                                             const features::FeatureMatrix& matrix) const {
  const BundleMember& of = bundle_.members[static_cast<std::size_t>(model.members[member])];
  const std::string group = "input/" + model.settings->inputs.front().first;
  evaluate::Probabilities out;
  for (const features::Segment& item : items.front()) {
    SERVAL_CHECK(item.real_frames == 1, "a learner reads one vector, not ", item.real_frames, " frames");
    const std::vector<float> vector = learners::normalised(
        {matrix.values.data() + item.first_frame * matrix.dimension, 1, matrix.dimension},
        of.array(group + "/mean").values, of.array(group + "/scale").values);
    out.push_back(model.learners[member]->scores({vector.data(), 1, matrix.dimension}).front());
  }
  return out;
}

std::vector<features::FeatureMatrix> Session::feature_matrices(const audio::Waveform& waveform) {
  std::vector<features::FeatureMatrix> matrices;
  const auto samples = static_cast<std::int64_t>(waveform.samples.size());
  for (std::size_t set = 0; set < extractors_.size(); ++set) {
    if (extractors_[set].frames(samples) == 0)
      throw DataError(
          cat("too short: ", samples, " samples make no frame of features.", bundle_.features[set].first));
    matrices.push_back(std::move(extractors_[set].run({&waveform, 1}).front()));
  }
  return matrices;
}

std::vector<ModelScores> Session::score(const audio::Waveform& waveform) {
  const std::vector<features::FeatureMatrix> matrices = feature_matrices(waveform);
  std::vector<ModelScores> out;
  for (Model& model : models_) {
    const Items items = plan(model, matrices);
    if (!model.settings->learner) make_room(model, items);
    ModelScores& scores = out.emplace_back();
    scores.items = items.front();
    if (!model.settings->inputs.front().second.whole())
      scores.hop_s =
          static_cast<double>(extractors_[model.sets.front()].hop_samples()) / waveform.sample_rate_hz;
    scores.members.resize(bundle_.members.size());
    if (!model.settings->learner) {
      for (std::size_t i = 0; i < model.inputs.size(); ++i)
        model.inputs[i].set_features(matrices[model.sets[i]]);
    }
    for (std::size_t m = 0; m < model.members.size(); ++m) {
      scores.members[static_cast<std::size_t>(model.members[m])] =
          model.settings->learner ? run_learner(model, m, items, matrices[model.sets.front()])
                                  : run_member(model, m, items);
    }
  }
  return out;
}

}  // namespace serval::deploy
