#include "serval/train/settings.h"

namespace serval::nn {

namespace {
enum class OptimizerType { kAdam };
}

void describe(SettingsVisitor& v, AdamSettings& s) {
  OptimizerType type = OptimizerType::kAdam;
  v.choice("type", type, Options<OptimizerType>{{"adam", OptimizerType::kAdam}}, {"optimiser"});
  v.real("learning_rate", s.learning_rate, {.min = 0, .max = 10, .above_min = true}, {"step size"});
  v.real("beta1", s.beta1, {.min = 0, .max = 0.999999}, {"decay of the first moment"});
  v.real("beta2", s.beta2, {.min = 0, .max = 0.999999}, {"decay of the second moment"});
  v.real("epsilon", s.epsilon, {.min = 0, .max = 1, .above_min = true}, {"keeps the quotient finite"});
  v.real("weight_decay", s.weight_decay, {.min = 0, .max = 1},
         {"decoupled weight decay (AdamW); 0 is plain Adam"});
}

}  // namespace serval::nn

namespace serval::train {

void describe(SettingsVisitor& v, TrainSettings& s) {
  v.object("optimizer", s.optimizer, {"optimiser and its constants"});
  v.integer("batch_size", s.batch_size, {.min = 1, .max = 4096},
            {"recordings, or segments of them, in a training step"});
  v.integer("epochs", s.epochs, {.min = 1, .max = 100000}, {"passes over the training recordings"});
  v.real("clip_norm", s.clip_norm, {.min = 0, .max = 1e6},
         {"largest norm of a step's gradient; 0: not clipped"});
  v.choice("select", s.select,
           Options<Select>{{"best_validation", Select::kBestValidation}, {"last", Select::kLast}},
           {"the epoch whose weights are tested"});
  v.choice("monitor", s.monitor,
           Options<Monitor>{{"validation_uar", Monitor::kValidationUar},
                            {"validation_loss", Monitor::kValidationLoss}},
           {"what tells a better epoch"});
  v.integer("patience", s.patience, {.min = 0, .max = 100000},
            {"epochs without a better one after which training stops; 0: never", "epochs"});
  v.choice("class_weights", s.class_weights,
           Options<ClassWeights>{{"none", ClassWeights::kNone}, {"balanced", ClassWeights::kBalanced}},
           {"weight of each class in the loss"});
  v.real("checkpoint_every_s", s.checkpoint_every_s, {.min = 0, .max = 86400},
         {"least time between two checkpoints of a model", "s"});
  v.check(s.patience == 0 || s.select == Select::kBestValidation, "patience",
          "stops at the best validation epoch, so it needs select \"best_validation\"");
}

}  // namespace serval::train
