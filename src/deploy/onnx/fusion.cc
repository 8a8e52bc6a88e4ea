#include "fusion.h"

#include "serval/core/error.h"

namespace serval::deploy::onnx {

namespace {

// Rows of nothing but zeros say nothing.
Name normalised(Graph& g, const Name& rows, std::size_t classes) {
  const Name total = sum(g, rows, {1}, true);
  const Name some = g.op("Greater", {total, g.number(0)});
  const Name sure = divide(g, rows, where(g, some, total, g.number(1)));
  return where(g, some, sure, g.number(1 / static_cast<float>(classes)));
}

// sum over models of weight times f.
template <class Function>
Name weighted(Graph& g, const std::vector<Name>& models, const std::vector<double>& weights, Function f) {
  Name total;
  for (std::size_t m = 0; m < models.size(); ++m) {
    const Name term = multiply(g, f(models[m]), g.number(static_cast<float>(weights[m])));
    total = m == 0 ? term : add(g, total, term);
  }
  return total;
}

std::vector<double> each(const std::vector<Name>& models, double weight) {
  return std::vector<double>(models.size(), weight);
}
std::vector<double> even(const std::vector<Name>& models) {
  return each(models, 1 / static_cast<double>(models.size()));
}

Name mean(Graph& g, const std::vector<Name>& rows, std::size_t classes) {
  if (rows.size() == 1) return rows.front();
  return normalised(g, weighted(g, rows, even(rows), [](const Name& x) { return x; }), classes);
}

Name fused(Graph& g, const Bundle& bundle, const BundleGroup& group, const std::vector<Name>& models) {
  const std::size_t classes = bundle.classes.size();
  const auto itself = [](const Name& x) { return x; };
  const auto log = [&](const Name& x) { return g.op("Log", {larger(g, x, g.number(2.220446049e-16f))}); };
  switch (bundle.rule) {
    case BundleRule::kNone:
      return models.front();
    case BundleRule::kMean:
      return normalised(g, weighted(g, models, even(models), itself), classes);
    case BundleRule::kWeighted:
      return normalised(g, weighted(g, models, group.weights, itself), classes);
    case BundleRule::kProduct:
      return softmax(g, weighted(g, models, each(models, 1), log));
    case BundleRule::kLogitAverage:
      return softmax(g, weighted(g, models, even(models), log));
    case BundleRule::kMaximum:
      return normalised(g, models.size() > 1 ? g.op("Max", models) : models.front(), classes);
    case BundleRule::kVote: {
      // Half the mean beside the votes, which breaks ties.
      const Name depth = g.integer(static_cast<std::int64_t>(classes));
      Name total = weighted(g, models, each(models, 0.5 / static_cast<double>(models.size())), itself);
      for (const Name& model : models) {
        const Name best = g.op("ArgMax", {model}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}});
        total = add(g, total, g.op("OneHot", {best, depth, g.floats({2}, {0, 1})}));
      }
      return normalised(g, total, classes);
    }
    case BundleRule::kStacking:
      break;  // refused before
  }
  throw InternalError("an unknown rule of fusion");
}

}  // namespace

Name write_fusion(Graph& g, const Bundle& bundle, const std::vector<Name>& members) {
  std::vector<Name> groups;
  for (const BundleGroup& group : bundle.groups) {
    std::vector<Name> models;
    for (const std::vector<std::int64_t>& places : group.members) {
      std::vector<Name> of_model;
      for (const std::int64_t place : places) of_model.push_back(members[static_cast<std::size_t>(place)]);
      models.push_back(mean(g, of_model, bundle.classes.size()));
    }
    groups.push_back(fused(g, bundle, group, models));
  }
  return mean(g, groups, bundle.classes.size());
}

}  // namespace serval::deploy::onnx
