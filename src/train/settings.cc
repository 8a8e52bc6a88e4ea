#include "serval/train/settings.h"

#include <algorithm>
#include <set>

namespace serval::train {

void describe(SettingsVisitor& v, BranchSettings& s) {
  v.text("output", s.output, {.text = "layer with one output for each class", .need = Need::kRequired});
  v.real("weight", s.weight, {.min = 0, .max = 1e6, .above_min = true}, {"of its loss and its output"});
}

void describe(SettingsVisitor& v, CenterSettings& s) {
  v.text("layer", s.layer, {"layer that says one vector a recording; no center loss when left out"});
  v.real("factor", s.factor, {.min = 0, .max = 1e6, .above_min = true}, {"weight beside the other loss"});
  v.real("rate", s.rate, {.min = 0, .max = 1}, {"share of the way that a class' centre moves in a step"});
}

namespace {

const Options<LossType> kLossTypes = {{"cross_entropy", LossType::kCrossEntropy},
                                      {"focal", LossType::kFocal},
                                      {"mean_square", LossType::kMeanSquare},
                                      {"concordance", LossType::kConcordance}};

}  // namespace

const char* to_string(LossType type) { return name_of(kLossTypes, type); }

void describe(SettingsVisitor& v, OutputLoss& s) {
  v.variants("type", s.type, kLossTypes, {"what training makes small"}, [&s](SettingsVisitor& fields) {
    if (s.of_classes()) {
      fields.real("label_smoothing", s.label_smoothing, {.min = 0, .max = 0.999999},
                  {"share of a label that is spread over all classes"});
    }
    if (s.type == LossType::kFocal) {
      fields.real("gamma", s.gamma, {.min = 0, .max = 100, .above_min = true},
                  {"how much less a recording counts that is right already"});
    }
  });
}

void describe(SettingsVisitor& v, HeadSettings& s) {
  v.text("target", s.target,
         {.text = "what the output learns: \"classes\", or one of the experiment's targets",
          .need = Need::kRequired});
  v.optional_object("loss", s.loss, {"of this output; train.loss when left out"});
  v.real("weight", s.weight, {.min = 0, .max = 1e6, .above_min = true}, {"of its loss beside the others'"});
}

void describe(SettingsVisitor& v, LossSettings& s) {
  describe(v, static_cast<OutputLoss&>(s));
  v.list("branches", s.branches, {"outputs with a loss each; the network's first output when left out"});
  v.object("center", s.center, {"pulls recordings of one class together"});
  std::set<std::string> outputs;
  for (const BranchSettings& branch : s.branches) outputs.insert(branch.output);
  v.check(outputs.size() == s.branches.size(), "branches", "names an output twice");
}

void describe(SettingsVisitor& v, BatchAugmentSettings& s) {
  v.real("time_stretch", s.time_stretch, {.min = 0, .max = 1},
         {"items are read up to 1 + time_stretch times faster or slower, anew each time; 0: not"});
  v.real("frequency_stretch", s.band_stretch, {.min = 0, .max = 0.5},
         {"bands are moved by a factor between 1 - frequency_stretch and 1 + frequency_stretch, anew each "
          "time; 0: not"});
  v.real("noise", s.noise, {.min = 0, .max = 100},
         {"standard deviation of noise that is added to normalised features"});
  v.real("mixup_alpha", s.mixup_alpha, {.min = 0, .max = 100},
         {"neighbours in a batch are mixed with shares from Beta(alpha, alpha), labels too; 0: not"});
  v.integer("time_masks", s.time_masks, {.min = 0, .max = 100}, {"masks over time in each item"});
  v.integer("time_width", s.time_width, {.min = 1, .max = 100000}, {"widest mask over time", "frames"});
  v.real("time_share", s.time_share, {.min = 0, .max = 1, .above_min = true},
         {"largest share of an item that one mask over time may take"});
  v.integer("frequency_masks", s.band_masks, {.min = 0, .max = 100}, {"masks over bands in each item"});
  v.integer("frequency_width", s.band_width, {.min = 1, .max = 100000}, {"widest mask over bands", "bands"});
  v.integer("frequency_bands", s.bands, {.min = 0, .max = 1 << 20},
            {"bands of the features, where deltas repeat them; 0: each feature is a band", "bands"});
  v.choice("fill", s.fill_mean, Options<bool>{{"zero", false}, {"mean", true}},
           {"what stands in a mask: the mean of the training recordings, which is 0, or of the item"});
}

void describe(SettingsVisitor& v, AveragingSettings& s) {
  v.variants(
      "type", s.type,
      Options<Averaging>{{"none", Averaging::kNone}, {"ema", Averaging::kEma}, {"swa", Averaging::kSwa}},
      {"mean of the weights over the training, which is validated and tested in their place"},
      [&s](SettingsVisitor& fields) {
        if (s.type == Averaging::kEma) {
          fields.real("decay", s.decay, {.min = 0, .max = 1}, {"share of the mean that a step keeps"});
        }
        if (s.type == Averaging::kSwa) {
          fields.integer("first_epoch", s.first_epoch, {.min = 1, .max = 100000},
                         {"first epoch whose weights count", "epochs"});
        }
      });
}

void describe(SettingsVisitor& v, TrainSettings& s) {
  v.object("optimizer", s.optimizer, {"optimiser and its constants"});
  v.object("schedule", s.schedule, {"the learning rate over the epochs"});
  v.object("loss", s.loss, {"what training makes small"});
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
                            {"validation_ccc", Monitor::kValidationCcc},
                            {"validation_loss", Monitor::kValidationLoss}},
           {"what tells a better epoch"});
  v.integer("patience", s.patience, {.min = 0, .max = 100000},
            {"epochs without a better one after which training stops; 0: never", "epochs"});
  v.choice("class_weights", s.class_weights,
           Options<ClassWeights>{{"none", ClassWeights::kNone}, {"balanced", ClassWeights::kBalanced}},
           {"weight of each class in the loss"});
  v.choice(
      "sampling", s.sampling,
      Options<Sampling>{{"shuffled", Sampling::kShuffled},
                        {"class_balanced", Sampling::kClassBalanced},
                        {"corpus_balanced", Sampling::kCorpusBalanced}},
      {"which training items make an epoch: all of them, or as many drawn with each class or corpus equally "
       "often"});
  v.object("augment_batch", s.augment_batch, {"changes to the items of a training batch"});
  v.object("averaging", s.averaging, {"mean of the weights over the training"});
  v.real("checkpoint_every_s", s.checkpoint_every_s, {.min = 0, .max = 86400},
         {"least time between two checkpoints of a model", "s"});
  v.choice("precision", s.precision,
           Options<Precision>{{"float32", Precision::kFloat32}, {"tf32", Precision::kTf32}},
           {"of matrix products and convolutions on a GPU; tf32 rounds what is multiplied to 11 bits"});
  v.choice("determinism", s.determinism,
           Options<Determinism>{{"run_to_run", Determinism::kRunToRun}, {"none", Determinism::kNone}},
           {"run_to_run: the same bits each time; none: a GPU may use faster sums whose order varies"});
  ParallelModels automatic = ParallelModels::kAuto;
  v.word_or_integers(
      "parallel_models", automatic, Options<ParallelModels>{{"auto", ParallelModels::kAuto}},
      s.parallel_models, {.min = 1, .max = 1024},
      {"models that train side by side, as far as memory reaches; auto: as many as there are threads, "
       "on a GPU 16"});
  v.check(s.parallel_models.size() < 2, "parallel_models", "is \"auto\" or one number");
  v.check(s.patience == 0 || s.select == Select::kBestValidation, "patience",
          "stops at the best validation epoch, so it needs select \"best_validation\"");
  v.check(s.schedule.warmup_epochs < s.epochs, "schedule", "warmup_epochs must be below epochs");
  v.check(s.schedule.type != ScheduleType::kSteps || s.schedule.epochs.empty() ||
              s.schedule.epochs.back() < s.epochs,
          "schedule", "an epoch after which the rate changes must be below epochs");
  v.check(s.class_weights == ClassWeights::kNone || s.loss.of_classes(), "class_weights",
          "weigh the classes of cross_entropy and focal; train.loss.type is neither");
  v.check(s.class_weights == ClassWeights::kNone || s.sampling != Sampling::kClassBalanced, "class_weights",
          "would balance the classes twice, with sampling \"class_balanced\"");
  v.check(s.augment_batch.mixup_alpha == 0 || s.loss.center.layer.empty(), "augment_batch",
          "mixup_alpha leaves recordings without one class, which loss.center needs");
  v.check(s.averaging.type != Averaging::kSwa || s.averaging.first_epoch <= s.epochs, "averaging",
          "first_epoch must not be above epochs");
}

}  // namespace serval::train
