// Both forms of a bundle, from its pieces.
#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/version.h"
#include "serval/deploy/onnx.h"

#include "../bundle_json.h"
#include "../input_batches.h"
#include "../model_graph.h"
#include "fusion.h"
#include "items.h"
#include "sound.h"

namespace serval::deploy {

using namespace onnx;

namespace {

// A model without its members' weights.
struct ModelParts {
  const BundleModel* settings = nullptr;
  std::vector<nn::InputKind> kinds;
  std::vector<features::SegmentImage> images;  // of images
  nn::NetworkGraph network;
};

ModelParts parts_of(const Bundle& bundle, const BundleModel& model,
                    const std::vector<std::int64_t>& columns) {
  ModelParts out;
  out.settings = &model;
  out.network = model_graph(bundle, model);
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const auto& [name, input] = model.inputs[i];
    out.kinds.push_back(input_kind(model.network, name));
    out.images.emplace_back();
    if (out.kinds.back() == nn::InputKind::kImage)
      out.images.back() = features::input_image(input, columns[i]);
  }
  return out;
}

// Probabilities [item, class] that a member gives of items.
Name member_scores(Graph& g, const ModelParts& parts, const BundleMember& member,
                   const std::vector<ItemFrames>& items, Problems& problems) {
  std::vector<NetworkInput> inputs;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string group = "input/" + parts.settings->inputs[i].first;
    const NamedArray& mean = member.array(group + "/mean");
    const NamedArray& scale = member.array(group + "/scale");
    switch (parts.kinds[i]) {
      case nn::InputKind::kSequence:
        inputs.push_back(write_sequence(g, items[i], mean, scale));
        break;
      case nn::InputKind::kVector:
        inputs.push_back(write_vector(g, items[i], mean, scale));
        break;
      case nn::InputKind::kImage:
        inputs.push_back(write_image(g, parts.images[i], items[i], mean, scale));
        break;
    }
  }
  const std::vector<Name> outputs = NetworkWriter(g, parts.network, member, problems).write(inputs);
  const std::vector<BundleOutput>& weights = parts.settings->outputs;
  Name logits = outputs.front();
  if (weights.size() > 1) {
    float total = 0;
    for (const BundleOutput& output : weights) total += static_cast<float>(output.weight);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Name term = multiply(g, outputs[i], g.number(static_cast<float>(weights[i].weight) / total));
      logits = i == 0 ? term : add(g, logits, term);
    }
  }
  return softmax(g, logits);
}

// The mean over the items of each recording, [batch, class].
Name recording_scores(Graph& g, const ModelParts& parts, const BundleMember& member,
                      const std::vector<Items>& scales, std::int64_t classes, Problems& problems) {
  Name total, count;
  for (const Items& items : scales) {
    const Name scores = member_scores(g, parts, member, items.inputs, problems);
    const Name shape = join(g, {g.op("Shape", {items.used}), g.integers({classes})}, 0);
    const Name by_place = g.op("Reshape", {scores, shape});
    const Name used = unsqueeze(g, items.used, {2});
    const Name sums = sum(g, where(g, used, by_place, g.number(0)), {1});
    const Name counts = sum(g, cast(g, used, Element::kFloat), {1});  // [batch, 1]
    total = total.empty() ? sums : add(g, total, sums);
    count = count.empty() ? counts : add(g, count, counts);
  }
  return divide(g, total, larger(g, count, g.number(1)));
}

// All that a bundle knows but its weights, a property each.
std::vector<std::pair<std::string, std::string>> metadata_of(const Bundle& bundle, const char* form,
                                                             const std::vector<const BundleMember*>& members,
                                                             bool checked) {
  std::vector<std::pair<std::string, std::string>> out{
      {"form", form},
      {"serval_version", kVersion},
      {"parity", checked ? cat("probabilities within ", kOnnxTolerance, " of Serval's") : "not checked"}};
  const auto properties = bundle_properties(bundle);
  out.insert(out.end(), properties.begin(), properties.end());
  JsonValue normalisers = JsonValue::object();
  for (const BundleMember* member : members) {
    JsonValue arrays = JsonValue::object();
    for (const NamedArray& array : member->arrays) {
      if (!array.name.starts_with("input/")) continue;
      JsonValue values = JsonValue::list();
      for (const float value : array.values)
        values.items.push_back(JsonValue::of(static_cast<double>(value)));
      arrays.set(array.name, std::move(values));
    }
    normalisers.set(member->file, std::move(arrays));
  }
  out.emplace_back("normalisers", write_json(normalisers));
  return out;
}

void fail_on(const Problems& problems, const Bundle& bundle, const char* form) {
  if (problems.all().empty()) return;
  throw UnsupportedError(
      cat(bundle.name, " cannot be written as ONNX (", form, "):\n", serval::join(problems.all(), "\n")));
}

OnnxModel waveform_model(const Bundle& bundle, bool checked) {
  Graph g;
  Problems problems;
  const Sound in{g.input("waveform", Element::kFloat, {"batch", "samples"},
                         cat("mono at ", bundle.audio.sample_rate_hz, " Hz, full scale at 1")),
                 g.input("lengths", Element::kInt64, {"batch"}, "samples of each recording")};
  const Sound sound = write_sound(g, bundle.audio, in, problems);
  NamedList<Sheet> sheets;
  for (const auto& [name, settings] : bundle.features)
    sheets.emplace_back(name,
                        write_features(g, name, settings, bundle.audio.sample_rate_hz, sound, problems));
  const auto classes = static_cast<std::int64_t>(bundle.classes.size());
  std::vector<Name> members(bundle.members.size());
  std::vector<const BundleMember*> all;
  for (const auto& [name, model] : bundle.models) {
    if (model.learner) {
      problems.add(cat("model ", name, " is a classical model, which has no form in ONNX"));
      continue;
    }
    std::vector<Sheet> of_inputs;
    std::vector<std::int64_t> columns;
    for (const auto& input : model.inputs) {
      const std::string& features = input.second.features;
      const auto found = std::find_if(sheets.begin(), sheets.end(),
                                      [&](const auto& sheet) { return sheet.first == features; });
      SERVAL_CHECK(found != sheets.end(), "no features ", features);
      of_inputs.push_back(found->second);
      columns.push_back(found->second.columns);
    }
    const ModelParts parts = parts_of(bundle, model, columns);
    const std::vector<Items> items = write_items(g, name, model.inputs, of_inputs, problems);
    for (std::size_t m = 0; m < bundle.members.size(); ++m) {
      if (bundle.members[m].model != name) continue;
      if (items.empty()) continue;
      members[m] = recording_scores(g, parts, bundle.members[m], items, classes, problems);
    }
  }
  if (bundle.rule == BundleRule::kStacking)
    problems.add("fusion.rule: stacking is a classical model, which has no form in ONNX");
  fail_on(problems, bundle, "waveform");
  g.output(write_fusion(g, bundle, members), "probabilities", Element::kFloat, {"batch", classes},
           cat("of ", serval::join(bundle.classes, ", ")));
  for (const BundleMember& member : bundle.members) all.push_back(&member);
  return {-1, model_bytes(g, bundle.name, "Speech emotion recognition: a waveform in, probabilities out",
                          metadata_of(bundle, "waveform", all, checked))};
}

// Frames of one input, as a caller brings them.
ItemFrames brought(Graph& g, const std::string& name, const features::InputSettings& input,
                   nn::InputKind kind, std::int64_t columns, Problems& problems) {
  if (kind == nn::InputKind::kVector) {
    const Name x = g.input(name, Element::kFloat, {"batch", columns}, "features of each recording");
    return {unsqueeze(g, x, {1}), "", ""};
  }
  ItemFrames out;
  out.values = g.input(name, Element::kFloat, {"batch", name + "_frames", columns},
                       "frames of features, as the feature set has them");
  out.real = at_least(g, g.input(name + "_lengths", Element::kInt64, {"batch"}, "frames of each item"), 1);
  out.frames = out.real;
  if (kind != nn::InputKind::kImage) return out;
  if (!input.whole()) {
    const std::vector<std::int64_t>& lengths = input.segments.segment_frames;
    if (lengths.size() > 1)
      problems.add(
          cat("input ", name, ": images of segments of several lengths cannot be told from padded ones"));
    return padded_or_cut(g, out, lengths.front());
  }
  const bool cuts = input.fit && input.fit->fit == features::Fit::kPadOrCut;
  return cuts ? padded_or_cut(g, out, input.fit->frames) : out;
}

OnnxModel network_model(const Bundle& bundle, std::size_t place, bool checked) {
  const BundleMember& member = bundle.members[place];
  const BundleModel& model = bundle.model(member.model);
  Graph g;
  Problems problems;
  if (model.learner)
    problems.add(cat("model ", member.model, " is a classical model, which has no form in ONNX"));
  fail_on(problems, bundle, "network");
  std::vector<std::int64_t> columns;
  for (const auto& [name, input] : model.inputs) columns.push_back(feature_columns(bundle, input.features));
  const ModelParts parts = parts_of(bundle, model, columns);
  std::vector<ItemFrames> items;
  for (std::size_t i = 0; i < model.inputs.size(); ++i)
    items.push_back(
        brought(g, model.inputs[i].first, model.inputs[i].second, parts.kinds[i], columns[i], problems));
  const Name scores = member_scores(g, parts, member, items, problems);
  fail_on(problems, bundle, "network");
  const auto classes = static_cast<std::int64_t>(bundle.classes.size());
  g.output(scores, "probabilities", Element::kFloat, {"batch", classes},
           cat("of ", serval::join(bundle.classes, ", ")));
  auto metadata = metadata_of(bundle, "network", {&member}, checked);
  metadata.emplace_back("member", member.file);
  return {
      static_cast<int>(place),
      model_bytes(g, bundle.name, "Speech emotion recognition: features in, probabilities out", metadata)};
}

}  // namespace

std::vector<OnnxModel> onnx_models(const Bundle& bundle, OnnxForm form, bool checked) {
  if (form == OnnxForm::kWaveform) return {waveform_model(bundle, checked)};
  std::vector<OnnxModel> out;
  for (std::size_t m = 0; m < bundle.members.size(); ++m) out.push_back(network_model(bundle, m, checked));
  return out;
}

}  // namespace serval::deploy
