#include "serval/experiment/target_settings.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"
#include "serval/experiment/settings.h"

namespace serval::experiment {

namespace {

const Options<Attribute> kAttributes = {
    {"gender", Attribute::kGender},       {"corpus", Attribute::kCorpus},
    {"label", Attribute::kLabel},         {"sentence", Attribute::kSentence},
    {"intensity", Attribute::kIntensity}, {"repetition", Attribute::kRepetition}};

void describe_file(SettingsVisitor& v, TargetSettings& s) {
  v.path("file", s.file, {"CSV file"});
  v.text("recording", s.recording,
         {"the column that names the recording; one called recording, id, file, filename, name or path when "
          "left out"});
  v.choice("extra_rows", s.extra_rows,
           Options<ExtraRows>{{"refuse", ExtraRows::kRefuse}, {"leave_out", ExtraRows::kLeaveOut}},
           {"rows of recordings that the experiment does not have"});
}

}  // namespace

const char* to_string(Attribute attribute) { return name_of(kAttributes, attribute); }

void describe(SettingsVisitor& v, TargetSettings& s) {
  v.variants(
      "type", s.type,
      Options<TargetType>{{"votes", TargetType::kVotes},
                          {"numbers", TargetType::kNumbers},
                          {"attribute", TargetType::kAttribute}},
      {.text = "votes: shares of the classes among raters; numbers: such as valence; attribute: what the "
               "manifest says of each recording",
       .need = Need::kRequired},
      [&s](SettingsVisitor& fields) {
        if (s.type == TargetType::kAttribute) {
          return fields.choice("attribute", s.attribute, kAttributes, {"whose values are the classes"});
        }
        describe_file(fields, s);
        if (s.type == TargetType::kVotes) {
          fields.text("vote", s.vote,
                      {"the column with the class that one rater chose, in a file with a row a vote; "
                       "when left out, each class has a column with the number or share of its votes"});
          fields.text_map("label_map", s.label_map,
                          {"column, or word in the vote's column, -> class; null leaves it out"});
          return;
        }
        fields.texts("columns", s.columns, {"columns with the numbers"});
        fields.flag("standardise", s.standardise,
                    {"by the mean and deviation of the fold's training recordings"});
      });
  v.check(s.type == TargetType::kAttribute || !s.file.empty(), "file", "must name a CSV file");
  if (s.type != TargetType::kNumbers) return;
  v.check(!s.columns.empty(), "columns", "must name the columns with the numbers");
  v.check(std::set<std::string>(s.columns.begin(), s.columns.end()).size() == s.columns.size(), "columns",
          "names a column twice");
}

namespace {

using train::LossType;

std::string join_names(const std::vector<std::string>& names) { return cat("{", join(names, ", "), "}"); }

// Checks the models one after another; everything is reported at "models", as the other rules about them are.
class ModelCheck {
 public:
  ModelCheck(SettingsVisitor& v, const ExperimentSettings& s, const std::string& name,
             const ModelSettings& model)
      : v_(v), s_(s), name_(name), model_(model) {}

  void run() {
    const bool own = model_.target != train::kClassTarget || !model_.heads.empty();
    if (!model_.network) {
      check(!own, "", "a learner learns the classes of the labels; heads and other targets are for networks");
      return;
    }
    if (model_.heads.empty()) {
      check_output(".target", "", model_.target, s_.train.loss);
    } else {
      check(model_.target == train::kClassTarget, ".target",
            "each of the heads has its own; leave out target or heads");
      check_heads();
    }
    check_monitor("train.monitor", s_.train.monitor, s_.train.select == train::Select::kBestValidation);
    check_monitor("train.schedule.monitor", s_.train.schedule.monitor,
                  s_.train.schedule.type == train::ScheduleType::kPlateau);
  }

 private:
  void check(bool holds, const std::string& place, const std::string& message) {
    v_.check(holds, "models", cat(name_, place, ": ", message));
  }

  const TargetSettings* find(const std::string& target) const {
    for (const auto& [name, settings] : s_.targets) {
      if (name == target) return &settings;
    }
    return nullptr;
  }
  bool of_classes(const std::string& target) const {
    const TargetSettings* found = find(target);
    return target == train::kClassTarget || (found != nullptr && found->type == TargetType::kVotes);
  }
  bool of_numbers(const std::string& target) const {
    const TargetSettings* found = find(target);
    return found != nullptr && found->type == TargetType::kNumbers;
  }

  // A score that no head has cannot tell a better epoch.
  void check_monitor(const char* place, train::Monitor monitor, bool looks) {
    if (!looks) return;
    std::vector<std::string> learned;
    for (const auto& [output, head] : model_.heads) learned.push_back(head.target);
    if (learned.empty()) learned.push_back(model_.target);
    for (const std::string& target : learned) {
      if (target != train::kClassTarget && find(target) == nullptr) return;  // reported as unknown
    }
    const auto any = [&](bool (ModelCheck::*of)(const std::string&) const) {
      return std::any_of(learned.begin(), learned.end(),
                         [&](const std::string& target) { return (this->*of)(target); });
    };
    check(monitor != train::Monitor::kValidationUar || any(&ModelCheck::of_classes), "",
          cat("no head learns the classes, so ", place,
              " cannot be \"validation_uar\"; use \"validation_loss\"",
              any(&ModelCheck::of_numbers) ? " or \"validation_ccc\"" : ""));
    check(monitor != train::Monitor::kValidationCcc || any(&ModelCheck::of_numbers), "",
          cat("no head learns numbers, so ", place, " cannot be \"validation_ccc\""));
  }

  void check_heads() {
    check(s_.train.loss.branches.empty(), ".heads",
          "train.loss.branches gives outputs a loss too; leave out one of the two");
    const nn::NetworkSettings& network = *model_.network;
    std::vector<std::string> layers;
    for (std::size_t i = 0; i < network.layers.size(); ++i) layers.push_back(nn::layer_name(network, i));
    const std::vector<std::string>& known = network.outputs.empty() ? layers : network.outputs;
    for (const auto& [output, head] : model_.heads) {
      const bool there = std::find(known.begin(), known.end(), output) != known.end();
      check(there, ".heads." + output,
            cat("the network has no ", network.outputs.empty() ? "layer" : "output", " \"", output,
                "\"; it has ", join_names(known)));
      if (head.target.empty()) continue;  // reported as missing
      check_output(".heads." + output, there ? output : "", head.target, head.loss.value_or(s_.train.loss));
    }
    for (const std::string& output : network.outputs) {
      const bool given = std::any_of(model_.heads.begin(), model_.heads.end(),
                                     [&](const auto& head) { return head.first == output; });
      check(given, ".heads", cat("the network's output \"", output, "\" has no target; give it a head"));
    }
  }

  // `output`: a layer; "": the network's first output.
  void check_output(const std::string& place, const std::string& output, const std::string& target,
                    const train::OutputLoss& loss) {
    const TargetSettings* found = find(target);
    if (target != train::kClassTarget && found == nullptr) {
      std::vector<std::string> names{train::kClassTarget};
      for (const auto& [name, settings] : s_.targets) names.push_back(name);
      return check(false, place, cat("there is no target \"", target, "\"; there are ", join_names(names)));
    }
    const bool numbers = of_numbers(target);
    if (numbers && found->columns.empty()) return;  // reported as missing
    check(!numbers || !loss.of_classes(), place,
          cat("target \"", target, "\" has numbers, which the loss ", train::to_string(loss.type),
              " cannot take; use mean_square or concordance"));
    check(numbers || loss.type != LossType::kConcordance, place,
          cat("target \"", target,
              "\" has classes, and the loss concordance compares numbers; use cross_entropy, focal or "
              "mean_square"));
    check(!numbers || s_.train.loss.branches.empty(), place,
          "train.loss.branches is for classes; give numbers a head");
    if (model_.network->layers.empty()) return;  // reported as missing
    nn::NetworkSettings one = *model_.network;
    if (!output.empty()) one.outputs = {output};
    std::string problem;
    if (target == train::kClassTarget && output.empty() && model_.heads.empty()) {
      return;  // ModelSettings looks at it
    } else if (of_classes(target)) {
      problem = nn::classifier_problem(one);
    } else if (numbers) {
      problem = nn::output_problem(one, {.width = static_cast<std::int64_t>(found->columns.size()),
                                         .wanted = cat("target \"", target, "\" has ", found->columns.size(),
                                                       " numbers: ", join(found->columns, ", "))});
    }
    check(problem.empty(), place, problem);
  }

  SettingsVisitor& v_;
  const ExperimentSettings& s_;
  const std::string& name_;
  const ModelSettings& model_;
};

// A map to a class that the experiment does not have.
void check_label_map(SettingsVisitor& v, const ExperimentSettings& s, const std::string& name,
                     const TargetSettings& target) {
  std::vector<std::string> classes = s.labels.classes;
  if (s.labels.labels != corpus::LabelSetName::kCustom) classes = corpus::label_set(s.labels).classes;
  for (const auto& [word, to] : target.label_map) {
    v.check(to.empty() || std::find(classes.begin(), classes.end(), to) != classes.end(), "targets",
            cat(name, ".label_map.", word, ": \"", to, "\" is no class; there are ", join_names(classes)));
  }
}

}  // namespace

void check_targets(SettingsVisitor& v, const ExperimentSettings& s) {
  for (const auto& [name, target] : s.targets) {
    v.check(name != train::kClassTarget, "targets",
            cat("\"", name, "\" is the name of the target that every experiment has; use another"));
    if (target.type == TargetType::kVotes) check_label_map(v, s, name, target);
  }
  for (const auto& [name, model] : s.models) ModelCheck(v, s, name, model).run();
}

}  // namespace serval::experiment
