#include "model_card.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"
#include "serval/core/text.h"

namespace serval::experiment {

namespace {

std::string percent(double fraction) {
  return std::isnan(fraction) ? "-" : formatted("%.1f", 100 * fraction);
}

// What Markdown would take for its own.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_' || c == '`' || c == '<') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += "* " + cell(text) + "\n";
  return out;
}

std::string data_section(const FinishedRun& run) {
  std::string out = "## Data\n\n| corpus | recordings | actors | spoken by |\n|---|---|---|---|\n";
  for (const report::CorpusCount& corpus : run.report.corpora) {
    out += cat("| ", cell(corpus.corpus), " | ", corpus.recordings, " | ", corpus.actors, " | ",
               corpus.synthetic ? "a program (synthetic)" : "people", " |\n");
  }
  return out;
}

std::string protocol_section(const deploy::Bundle& bundle, const ExperimentSettings& settings,
                             const FinishedRun& run) {
  const JsonValue folds = settings_to_json(settings.folds);
  std::string out = "\n## Protocol\n\n";
  out += cat("* ", run.report.fold_sizes.size(), " folds, scheme `", folds.find("scheme")->text,
             settings.folds.preset.empty() ? "" : cat("`, preset `", settings.folds.preset), "`; ",
             settings.seeds.size(), " seeds; ", run.report.configurations, " models in the experiment\n");
  out += cat("* leak audit: ", bundle.audit, " (`audit.json`)\n");
  out += cat("* every setting: `experiment.json`\n");
  if (!bundle.stamps.empty())
    out += "\nWhat must be known before believing a figure:\n\n" + list(bundle.stamps);
  return out;
}

std::string content_section(const deploy::Bundle& bundle, const FinishedRun& run) {
  std::string out = "\n## What is inside\n\n";
  std::set<int> folds;
  for (const deploy::BundleMember& member : bundle.members) {
    out += cat("* model ", cell(member.model), ", fold ", member.fold + 1, ", seed ", member.seed, "\n");
    folds.insert(member.fold);
  }
  if (const JsonValue* loss = bundle.provenance.find("rounded_weights")) {
    out += cat("\nWeights are kept as ", name_of(deploy::weight_forms(), bundle.weights),
               ". Against those that were trained, over ", loss->find("recordings")->integer,
               " recordings: ", loss->find("labels_changed")->integer,
               " other labels, probabilities differ by at most ",
               formatted("%.4f", loss->find("largest_difference")->real));
    if (const JsonValue* uar = loss->find("uar"))
      out += cat(", UAR ", percent(uar->real), " for ", percent(loss->find("uar_float32")->real));
    out += ".\n";
  }
  if (const JsonValue* epochs = bundle.provenance.find("refit_epochs")) {
    out += "\nThese models were trained once more, on every actor of the data";
    std::vector<std::string> lengths;
    for (const auto& [model, count] : epochs->members)
      lengths.push_back(cat(cell(model), " ", count.integer));
    if (!lengths.empty())
      out +=
          cat(", networks for as many epochs as the middle one of their folds (", join(lengths, ", "), ")");
    return out +
           ". Nobody is left on whom they could be measured: the figures below are those of the run's folds, "
           "each on "
           "actors that its models had not heard.\n";
  }
  if (!run.report.leaks.empty()) {
    return out +
           "\nThe protocol leaks (above): these models may have heard actors that they are scored on, and "
           "the figures below say nothing about new speakers.\n";
  }
  out += folds.size() == 1
             ? "\nThese networks have not heard the test actors of their fold; they were scored on them.\n"
             : "\nThe scores of several folds are averaged. Together they have heard every actor of the "
               "data, so "
               "that no recording is left on which this bundle as a whole could be measured honestly: the "
               "figures "
               "below are those of the folds, each on the actors that it had not heard.\n";
  return out;
}

std::string figures_section(const FinishedRun& run, const report::ModelReport& model) {
  const evaluate::Summary& s = model.summary;
  const evaluate::Intervals& ci = model.intervals;
  std::string out = cat("\n## Figures\n\nOf `", model.name,
                        "` over all folds and seeds, in per cent. UAR is the mean of the "
                        "classes' recalls; chance is ",
                        percent(run.report.chance.uar), ".\n\n",
                        "| | mean | 95 % from | to | std folds | std seeds |\n|---|---|---|---|---|---|\n");
  const auto row = [&](const char* name, const evaluate::Spread& spread,
                       const evaluate::ConfidenceInterval& interval) {
    out += cat("| ", name, " | ", percent(spread.mean), " | ", percent(interval.low), " | ",
               percent(interval.high), " | ", percent(spread.std_folds), " | ", percent(spread.std_seeds),
               " |\n");
  };
  row("UAR", s.uar, ci.uar);
  row("accuracy", s.wa, ci.wa);
  row("macro F1", s.macro_f1, ci.macro_f1);
  out += "\n| class | recall | precision | recordings |\n|---|---|---|---|\n";
  for (std::size_t c = 0; c < run.report.classes.size(); ++c) {
    std::int64_t count = 0;
    for (const std::int64_t n : s.pooled.confusion[c]) count += n;
    out += cat("| ", cell(run.report.classes[c]), " | ", percent(s.pooled.recall[c]), " | ",
               percent(s.pooled.precision[c]), " | ", count, " |\n");
  }
  out += cat("\nSureness and truth differ by ", percent(model.probabilities.calibration_error),
             " points on average (expected calibration error).\n\n### Groups\n\n");
  out += "| group | | predictions | UAR | accuracy |\n|---|---|---|---|---|\n";
  for (const report::NamedGroups& kind : report::group_kinds()) {
    for (const evaluate::GroupScores& group : model.groups.*kind.groups) {
      out += cat("| ", kind.name, " | ", cell(group.name), " | ", group.scores.count, " | ",
                 percent(group.scores.uar), " | ", percent(group.scores.wa), " |\n");
    }
  }
  return out;
}

std::string limits_section(const deploy::Bundle& bundle, const ExperimentSettings& settings,
                           const FinishedRun& run) {
  std::vector<std::string> out;
  std::int64_t actors = 0;
  bool synthetic = false;
  for (const report::CorpusCount& corpus : run.report.corpora) {
    actors += corpus.actors;
    synthetic = synthetic || corpus.synthetic;
  }
  out.push_back(cat("It tells ", bundle.classes.size(), " classes apart, (", join(bundle.classes, ", "),
                    "), and gives one of them for whatever it hears, music and silence with noise too."));
  if (synthetic)
    out.emplace_back("Trained on synthetic speech, at least in part: it says nothing about people.");
  const bool foreign = std::any_of(settings.models.begin(), settings.models.end(), [](const auto& model) {
    return model.second.initial_weights && model.second.initial_weights->model.empty();
  });
  out.push_back(
      cat("It has heard the ", actors, " speakers of the data above",
          foreign ? ", and whomever the weights that it started from heard" : " and nobody else",
          ": other languages, ages, microphones, rooms "
          "and ways of speaking were not measured. Most corpora of emotions are played by actors."));
  out.emplace_back("A score says what listeners would call the voice, not what a person feels.");
  out.emplace_back("Groups differ, as the table shows; use it for no decision about a person.");
  return "\n## Limits\n\n" + list(out);
}

}  // namespace

std::string model_card(const deploy::Bundle& bundle, const ExperimentSettings& settings,
                       const FinishedRun& run, const report::ModelReport& model) {
  std::string out =
      cat("# ", cell(bundle.name), "\n\nSpeech emotion recognition: ", join(bundle.classes, ", "), ".\n");
  if (!settings.description.empty()) out += cat("\n", cell(settings.description), "\n");
  out += "\n    serval predict FOLDER recording.wav\n\n";
  return out + data_section(run) + protocol_section(bundle, settings, run) + content_section(bundle, run) +
         figures_section(run, model) + limits_section(bundle, settings, run);
}

}  // namespace serval::experiment
