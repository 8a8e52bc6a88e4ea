#include "network_plan.h"

namespace serval::nn {

namespace {

class Planner {
 public:
  Planner(const NetworkSettings& settings, const NetworkSizes& sizes)
      : settings_(settings), sizes_(sizes), feature_(sizes.feature), reversed_from_(sizes.feature) {}

  NetworkPlan plan() {
    for (std::size_t i = 0; i < settings_.layers.size(); ++i) {
      add(settings_.layers[i], cat("layer", i), i + 1 == settings_.layers.size());
    }
    return std::move(plan_);
  }

 private:
  using Init = ParameterBlock::Init;

  void add(const LayerSettings& settings, const std::string& name, bool last) {
    switch (settings.type) {
      case LayerType::kLstm:
        return add_lstms(settings, name);
      case LayerType::kMeanPool:
      case LayerType::kLastPool:
        return add_pool(settings.type, name);
      case LayerType::kAttentionPool:
        return add_attention(settings, name);
      case LayerType::kDense:
        return add_dense(settings, name, last);
      case LayerType::kDropout:
        return add_dropout(settings.rate, name);
    }
  }

  PlannedLayer next(LayerType type, const std::string& name, std::int64_t output) const {
    PlannedLayer layer;
    layer.name = name;
    layer.type = type;
    layer.input = feature_;
    layer.output = output;
    layer.sequence_in = layer.sequence_out = sequence_;
    layer.reversed_from = reversed_from_;
    return layer;
  }
  void add_block(PlannedLayer& layer, const std::string& name, Shape shape, Init init) {
    layer.blocks.push_back(plan_.blocks.size());
    plan_.blocks.push_back({.name = name, .offset = plan_.parameter_count, .shape = shape, .init = init});
    plan_.parameter_count += shape.size();
  }
  void take(PlannedLayer layer) {
    feature_ = layer.output;
    sequence_ = layer.sequence_out;
    plan_.layers.push_back(std::move(layer));
  }

  void add_lstms(const LayerSettings& settings, const std::string& name) {
    const std::int64_t hidden = settings.hidden;
    for (std::int64_t k = 0; k < settings.layers; ++k) {
      const std::string own = settings.layers == 1 ? name : cat(name, ".stack", k);
      PlannedLayer layer = next(LayerType::kLstm, own, settings.bidirectional ? 2 * hidden : hidden);
      layer.bidirectional = settings.bidirectional;
      layer.hidden = hidden;
      for (const char* direction : {"forward", "reversed"}) {
        if (!settings.bidirectional && std::string(direction) == "reversed") continue;
        const std::string prefix = cat(own, ".", direction);
        add_block(layer, prefix + ".w_x", {4 * hidden, feature_}, Init::kGlorotUniform);
        add_block(layer, prefix + ".w_h", {4 * hidden, hidden}, Init::kOrthogonal);
        add_block(layer, prefix + ".b", {4 * hidden}, Init::kForgetBias);
      }
      take(std::move(layer));
      reversed_from_ = hidden;  // of a one-way layer: the whole width
      if (settings.dropout > 0 && k + 1 < settings.layers) add_dropout(settings.dropout, own + ".dropout");
    }
  }
  void add_pool(LayerType type, const std::string& name) {
    PlannedLayer layer = next(type, name, feature_);
    layer.sequence_out = false;
    take(std::move(layer));
  }
  void add_attention(const LayerSettings& settings, const std::string& name) {
    PlannedLayer layer = next(LayerType::kAttentionPool, name, feature_);
    layer.sequence_out = false;
    layer.hidden = settings.units;
    add_block(layer, name + ".w", {settings.units, feature_}, Init::kGlorotUniform);
    add_block(layer, name + ".b", {settings.units}, Init::kZero);
    add_block(layer, name + ".v", {1, settings.units}, Init::kGlorotUniform);
    take(std::move(layer));
  }
  void add_dense(const LayerSettings& settings, const std::string& name, bool last) {
    const std::int64_t units = settings.units == 0 ? sizes_.classes : settings.units;
    if (last && units != sizes_.classes) {
      throw ConfigError(cat("layers[", settings_.layers.size() - 1, "] (dense) is the last and has ", units,
                            " units, but there are ", sizes_.classes, " classes; leave units out, or give ",
                            sizes_.classes));
    }
    PlannedLayer layer = next(LayerType::kDense, name, units);
    layer.activation = settings.activation;
    add_block(layer, name + ".w", {units, feature_}, Init::kGlorotUniform);
    add_block(layer, name + ".b", {units}, Init::kZero);
    take(std::move(layer));
    reversed_from_ = units;
  }
  void add_dropout(double rate, const std::string& name) {
    PlannedLayer layer = next(LayerType::kDropout, name, feature_);
    layer.rate = static_cast<float>(rate);
    layer.dropout_index = dropouts_++;
    take(std::move(layer));
  }

  const NetworkSettings& settings_;
  const NetworkSizes& sizes_;
  NetworkPlan plan_;
  std::int64_t feature_;
  std::int64_t reversed_from_;
  bool sequence_ = true;
  std::uint32_t dropouts_ = 0;
};

}  // namespace

NetworkPlan plan_network(const NetworkSettings& settings, const NetworkSizes& sizes) {
  const std::string problem = network_problem(settings);
  if (!problem.empty()) throw ConfigError(problem);
  SERVAL_CHECK(sizes.feature >= 1 && sizes.classes >= 1, "network for ", sizes.feature, " features and ",
               sizes.classes, " classes");
  return Planner(settings, sizes).plan();
}

std::vector<LayerSummary> summarise(const NetworkSettings& settings, const NetworkSizes& sizes) {
  const NetworkPlan plan = plan_network(settings, sizes);
  std::vector<LayerSummary> out;
  for (const PlannedLayer& layer : plan.layers) {
    std::int64_t parameters = 0;
    for (const std::size_t block : layer.blocks) parameters += plan.blocks[block].shape.size();
    out.push_back(
        {.name = layer.name,
         .type = layer_type_name(layer.type),
         .output_shape = layer.sequence_out ? cat("[time, ", layer.output, "]") : cat("[", layer.output, "]"),
         .parameters = parameters});
  }
  return out;
}

}  // namespace serval::nn
