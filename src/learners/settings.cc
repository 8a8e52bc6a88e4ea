#include "serval/learners/settings.h"

namespace serval::learners {

void describe(SettingsVisitor& v, StepSettings& s) {
  v.variants("type", s.type, Options<StepType>{{"pca", StepType::kPca}, {"k_means", StepType::kKMeans}},
             {.text = "what is done to the vectors", .need = Need::kRequired}, [&s](SettingsVisitor& fields) {
               if (s.type == StepType::kPca) {
                 fields.integer("components", s.components, {.min = 0, .max = 65536},
                                {"how many are kept; 0: as many as variance asks for"});
                 fields.real("variance", s.variance, {.min = 0, .max = 1, .above_min = true},
                             {"share of the variance that is kept, where components is 0"});
                 fields.flag("whiten", s.whiten, {"divides each component by its deviation"});
                 return;
               }
               fields.integer("clusters", s.clusters, {.min = 2, .max = 65536}, {"how many centres"});
               fields.choice("values", s.values,
                             Options<ClusterValue>{{"distances", ClusterValue::kDistances},
                                                   {"nearest", ClusterValue::kNearest}},
                             {"the distance from each centre, or 1 for the nearest and 0 for the others"});
             });
}

void describe(SettingsVisitor& v, LearnerSettings& s) {
  v.variants("type", s.type,
             Options<LearnerType>{{"linear_svm", LearnerType::kLinearSvm},
                                  {"rbf_svm", LearnerType::kRbfSvm},
                                  {"logistic", LearnerType::kLogistic},
                                  {"random_forest", LearnerType::kRandomForest},
                                  {"nearest_neighbours", LearnerType::kNearestNeighbours}},
             {.text = "which model", .need = Need::kRequired}, [&s](SettingsVisitor& fields) {
               switch (s.type) {
                 case LearnerType::kRbfSvm:
                   fields.optional_real(
                       "gamma", s.gamma, {.min = 0, .max = 1e6, .above_min = true},
                       {"of exp(-gamma |a - b|^2); null: 1 / (columns x variance of the training values)"});
                   [[fallthrough]];
                 case LearnerType::kLinearSvm:
                 case LearnerType::kLogistic:
                   fields.real("c", s.c, {.min = 0, .max = 1e9, .above_min = true}, {"price of a mistake"});
                   fields.flag("balanced", s.balanced, {"mistakes in rare classes cost more"});
                   break;
                 case LearnerType::kRandomForest:
                   fields.integer("trees", s.trees, {.min = 1, .max = 100000}, {"how many"});
                   fields.integer("depth", s.depth, {.min = 0, .max = kDeepestTree},
                                  {"of a tree, at most; 0: as deep as may be"});
                   fields.integer("leaf", s.leaf, {.min = 1, .max = 100000},
                                  {"nodes of so many samples or fewer are not split"});
                   break;
                 case LearnerType::kNearestNeighbours:
                   fields.integer("neighbours", s.neighbours, {.min = 1, .max = 10000}, {"how many vote"});
                   break;
               }
             });
  v.list("steps", s.steps, {"done to the vectors first, fitted on the training side"});
}

LearnerSettings stacking_settings() {
  LearnerSettings out;
  out.type = LearnerType::kLogistic;
  return out;
}

}  // namespace serval::learners
