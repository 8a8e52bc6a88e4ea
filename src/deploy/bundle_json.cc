#include "bundle_json.h"

#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"

namespace serval::deploy {

namespace {

using Kind = JsonValue::Kind;

constexpr const char* kFormat = "serval-bundle";
constexpr const char* kDivides = "divides";
constexpr const char* kMultiplies = "multiplies";
constexpr std::size_t kMostMembers = 100'000;

const Options<BundleRule> kRules = {{"none", BundleRule::kNone},
                                    {"mean", BundleRule::kMean},
                                    {"weighted", BundleRule::kWeighted},
                                    {"product", BundleRule::kProduct},
                                    {"logit_average", BundleRule::kLogitAverage},
                                    {"maximum", BundleRule::kMaximum},
                                    {"vote", BundleRule::kVote},
                                    {"stacking", BundleRule::kStacking}};

const Options<WeightForm> kForms = {
    {"float32", WeightForm::kFloat32}, {"float16", WeightForm::kFloat16}, {"int8", WeightForm::kInt8}};

// The choice of that name. DataError for another.
template <class T>
T choice_of(const Options<T>& options, const JsonValue& name, const char* what) {
  const auto known = std::find_if(options.begin(), options.end(),
                                  [&](const auto& option) { return option.first == name.text; });
  if (known == options.end())
    throw DataError(cat(to_string(name.place), ": ", what, " \"", name.text, "\" is not known"));
  return known->second;
}

JsonValue model_json(const BundleModel& model) {
  JsonValue inputs = JsonValue::object(), outputs = JsonValue::list(), out = JsonValue::object();
  for (const auto& [name, input] : model.inputs) inputs.set(name, settings_to_json(input));
  for (const BundleOutput& output : model.outputs) {
    JsonValue item = JsonValue::object();
    item.set("layer", JsonValue::of(output.layer));
    item.set("weight", JsonValue::of(output.weight));
    outputs.items.push_back(std::move(item));
  }
  out.set("inputs", std::move(inputs));
  if (model.learner) {
    out.set("learner", settings_to_json(*model.learner));
    return out;
  }
  out.set("network", settings_to_json(model.network));
  out.set("outputs", std::move(outputs));
  out.set("softmax", JsonValue::of(model.divides ? kDivides : kMultiplies));
  return out;
}

JsonValue group_json(const BundleGroup& group) {
  JsonValue members = JsonValue::list(), weights = JsonValue::list();
  for (const std::vector<std::int64_t>& of_model : group.members) {
    JsonValue places = JsonValue::list();
    for (const std::int64_t place : of_model) places.items.push_back(JsonValue::of(place));
    members.items.push_back(std::move(places));
  }
  for (const double weight : group.weights) weights.items.push_back(JsonValue::of(weight));
  JsonValue out = JsonValue::object();
  out.set("fold", JsonValue::of(group.fold + 1));
  out.set("seed", JsonValue::of(static_cast<std::int64_t>(group.seed)));
  out.set("members", std::move(members));
  if (!group.weights.empty()) out.set("weights", std::move(weights));
  if (group.stacking) out.set("stacking", JsonValue::of(group.stacking->file));
  return out;
}

const JsonValue& field(const JsonValue& object, const char* key, Kind kind) {
  const JsonValue& value = need_member(object, key);
  const bool number = kind == Kind::kReal && value.kind == Kind::kInteger;
  if (value.kind != kind && !number)
    throw DataError(
        cat(to_string(value.place), ": ", key, " is ", to_string(value.kind), ", not ", to_string(kind)));
  return value;
}

std::vector<std::string> texts(const JsonValue& list) {
  std::vector<std::string> out;
  for (const JsonValue& item : list.items) out.push_back(item.text);
  return out;
}

template <class T>
T settings_of(const JsonValue& json) {
  std::vector<std::string> errors;
  T out = read_settings<T>(json, errors);
  if (!errors.empty()) throw DataError(join(errors, "\n"));
  return out;
}

BundleModel model_of(const JsonValue& json) {
  BundleModel out;
  for (const auto& [name, input] : field(json, "inputs", Kind::kObject).members)
    out.inputs.emplace_back(name, settings_of<features::InputSettings>(input));
  if (json.find("learner") != nullptr) {
    out.learner = settings_of<learners::LearnerSettings>(field(json, "learner", Kind::kObject));
    if (out.inputs.size() != 1)
      throw DataError(cat(to_string(json.place), ": a learner with ", out.inputs.size(), " inputs"));
    return out;
  }
  out.network = settings_of<nn::NetworkSettings>(field(json, "network", Kind::kObject));
  for (const JsonValue& output : field(json, "outputs", Kind::kList).items)
    out.outputs.push_back(
        {field(output, "layer", Kind::kText).text, field(output, "weight", Kind::kReal).real});
  const JsonValue& softmax = field(json, "softmax", Kind::kText);
  out.divides = softmax.text == kDivides;
  if (!out.divides && softmax.text != kMultiplies)
    throw DataError(cat(to_string(softmax.place), ": softmax \"", softmax.text, "\" is not known"));
  const std::size_t wanted = std::max<std::size_t>(out.network.inputs.size(), 1);
  if (out.inputs.size() != wanted || out.outputs.empty())
    throw DataError(cat(to_string(json.place), ": a network with ", wanted, " inputs and ", out.inputs.size(),
                        " of them described, ", out.outputs.size(), " outputs"));
  return out;
}

BundleGroup group_of(const JsonValue& json, const Bundle& bundle) {
  BundleGroup out;
  out.fold = static_cast<int>(field(json, "fold", Kind::kInteger).integer) - 1;
  out.seed = static_cast<std::uint64_t>(field(json, "seed", Kind::kInteger).integer);
  const auto fail = [&](const std::string& why) { throw DataError(cat(to_string(json.place), ": ", why)); };
  for (const JsonValue& of_model : field(json, "members", Kind::kList).items) {
    std::vector<std::int64_t>& places = out.members.emplace_back();
    for (const JsonValue& place : of_model.items) {
      if (place.kind != Kind::kInteger || place.integer < 0 ||
          place.integer >= static_cast<std::int64_t>(bundle.members.size()))
        fail(cat("there are ", bundle.members.size(), " members"));
      places.push_back(place.integer);
      if (bundle.members[static_cast<std::size_t>(place.integer)].model !=
          bundle.models[std::min(out.members.size(), bundle.models.size()) - 1].first)
        fail("a member of another model");
    }
    if (places.empty()) fail("a model without members");
  }
  if (out.members.size() != bundle.models.size())
    fail(cat(out.members.size(), " models in a group, ", bundle.models.size(), " in the bundle"));
  if (const JsonValue* weights = json.find("weights")) {
    for (const JsonValue& weight : weights->items) out.weights.push_back(weight.real);
  }
  if (bundle.rule == BundleRule::kStacking) {
    BundleMember& stacking = out.stacking.emplace();
    stacking.model = "stacking";
    stacking.file = field(json, "stacking", Kind::kText).text;
  }
  if (out.weights.size() != (bundle.rule == BundleRule::kWeighted ? bundle.models.size() : 0))
    fail(cat(out.weights.size(), " weights"));
  return out;
}

}  // namespace

const Options<WeightForm>& weight_forms() { return kForms; }

JsonValue bundle_json(const Bundle& bundle) {
  JsonValue out = JsonValue::object(), features = JsonValue::object(), models = JsonValue::object();
  JsonValue members = JsonValue::list(), groups = JsonValue::list(), fusion = JsonValue::object();
  for (const auto& [name, settings] : bundle.features) features.set(name, settings_to_json(settings));
  for (const auto& [name, model] : bundle.models) models.set(name, model_json(model));
  for (const BundleMember& member : bundle.members) {
    JsonValue item = JsonValue::object();
    item.set("model", JsonValue::of(member.model));
    item.set("fold", JsonValue::of(member.fold + 1));
    item.set("seed", JsonValue::of(static_cast<std::int64_t>(member.seed)));
    item.set("file", JsonValue::of(member.file));
    members.items.push_back(std::move(item));
  }
  for (const BundleGroup& group : bundle.groups) groups.items.push_back(group_json(group));
  fusion.set("rule", JsonValue::of(name_of(kRules, bundle.rule)));
  fusion.set("groups", std::move(groups));
  out.set("format", JsonValue::of(kFormat));
  out.set("version", JsonValue::of(kBundleVersion));
  out.set("made_by", JsonValue::of(cat("serval ", kVersion)));
  out.set("name", JsonValue::of(bundle.name));
  out.set("classes", JsonValue::of(bundle.classes));
  out.set("audio", settings_to_json(bundle.audio));
  out.set("features", std::move(features));
  out.set("models", std::move(models));
  out.set("weights", JsonValue::of(name_of(kForms, bundle.weights)));
  out.set("members", std::move(members));
  out.set("fusion", std::move(fusion));
  out.set("audit", JsonValue::of(bundle.audit));
  out.set("stamps", JsonValue::of(bundle.stamps));
  out.set("provenance", bundle.provenance);
  return out;
}

std::vector<std::pair<std::string, std::string>> bundle_properties(const Bundle& bundle) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : bundle_json(bundle).members) {
    out.emplace_back(key == "format" || key == "version" ? "bundle_" + key : key,
                     value.kind == Kind::kText ? value.text : write_json(value));
  }
  out.emplace_back("sample_rate_hz", cat(bundle.audio.sample_rate_hz));
  return out;
}

Bundle bundle_of(const JsonValue& json) {
  const std::string place = to_string(json.place);
  if (json.kind != Kind::kObject || field(json, "format", Kind::kText).text != kFormat)
    throw DataError(cat(place, ": this is no bundle"));
  const std::int64_t version = field(json, "version", Kind::kInteger).integer;
  if (version != kBundleVersion) {
    throw DataError(cat(place, ": a bundle of format version ", version, "; this program reads version ",
                        kBundleVersion, version > kBundleVersion ? ", so a newer one is needed" : ""));
  }
  Bundle out;
  out.name = field(json, "name", Kind::kText).text;
  out.classes = texts(field(json, "classes", Kind::kList));
  out.audio = settings_of<audio::AudioSettings>(field(json, "audio", Kind::kObject));
  for (const auto& [name, settings] : field(json, "features", Kind::kObject).members) {
    out.features.emplace_back(name, settings_of<features::FeatureSettings>(settings));
    if (!features::from_audio(out.features.back().second.type))
      throw DataError(cat(to_string(settings.place), ": features.", name, " are not computed from sound"));
  }
  for (const auto& [name, model] : field(json, "models", Kind::kObject).members)
    out.models.emplace_back(name, model_of(model));
  if (json.find("weights") != nullptr)  // bundles of before there was a choice have float32
    out.weights = choice_of(kForms, field(json, "weights", Kind::kText), "weights");
  const JsonValue& members = field(json, "members", Kind::kList);
  if (members.items.size() > kMostMembers)
    throw DataError(cat(place, ": ", members.items.size(), " members"));
  for (const JsonValue& item : members.items) {
    BundleMember& member = out.members.emplace_back();
    member.model = field(item, "model", Kind::kText).text;
    member.fold = static_cast<int>(field(item, "fold", Kind::kInteger).integer) - 1;
    member.seed = static_cast<std::uint64_t>(field(item, "seed", Kind::kInteger).integer);
    member.file = field(item, "file", Kind::kText).text;
  }
  const JsonValue& fusion = field(json, "fusion", Kind::kObject);
  const JsonValue& rule = field(fusion, "rule", Kind::kText);
  out.rule = choice_of(kRules, rule, "fusion.rule");
  for (const JsonValue& group : field(fusion, "groups", Kind::kList).items)
    out.groups.push_back(group_of(group, out));
  if (out.classes.empty() || out.models.empty() || out.groups.empty() ||
      (out.rule == BundleRule::kNone && out.models.size() != 1))
    throw DataError(cat(place, ": ", out.classes.size(), " classes, ", out.models.size(), " models, ",
                        out.groups.size(), " groups and the rule ", rule.text, " make no system"));
  out.audit = field(json, "audit", Kind::kText).text;
  out.stamps = texts(field(json, "stamps", Kind::kList));
  out.provenance = field(json, "provenance", Kind::kObject);
  return out;
}

}  // namespace serval::deploy
