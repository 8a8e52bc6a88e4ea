// What a finished run says: everything that its tables, files and page are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serval/audit/audit.h"
#include "serval/evaluate/bootstrap.h"
#include "serval/evaluate/cross_validation.h"
#include "serval/evaluate/groups.h"
#include "serval/evaluate/number_scores.h"
#include "serval/evaluate/probability_scores.h"

namespace serval::report {

// One line of predictions.csv.
struct Prediction {
  std::string recording, corpus, actor;
  int label = 0, predicted = 0;
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  std::vector<float> probabilities;  // [class]
  // As the manifest has them; "" where it does not know. Not in predictions.csv.
  std::string gender = {}, intensity = {}, sentence = {};
  int inner = 0;  // of an inner fold, from 1; in validation_predictions.csv alone
};

// Scores of parts of the predictions, all folds and seeds together.
struct Groups {
  std::vector<evaluate::GroupScores> actor = {}, gender = {}, corpus = {}, intensity = {}, sentence = {};
};
struct NamedGroups {
  const char* name;  // "actor", as files call it
  std::vector<evaluate::GroupScores> Groups::*groups;
};
const std::vector<NamedGroups>& group_kinds();  // in the order of files

// An output with a target of its own, besides the head of the experiment's classes.
struct HeadReport {
  std::string name = {}, target = {};  // the output's and the target's
  bool numbers = false;
  std::vector<std::string> names = {};  // of the numbers or classes
  // Of numbers, [name]: the folds by number, then by seed.
  std::vector<std::vector<evaluate::FoldNumberScores>> number_folds = {};
  std::vector<evaluate::NumberSummary> number_summaries = {};
  std::vector<evaluate::NumberScores> number_pooled = {};  // over all folds and seeds
  // Of classes:
  std::vector<evaluate::FoldScores> folds = {};
  evaluate::Summary summary = {};
};

// One line of head_predictions.csv: a number, or the probability of a class and whether it is the one.
struct HeadPrediction {
  std::string recording, corpus, actor, head, name;
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  double truth = 0, predicted = 0;
};

// How one training went, epoch by epoch from 1. Values may be NaN: there is no such thing to measure.
struct LearningCurve {
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  int selected_epoch = 0;
  std::vector<double> train_loss, validation_loss, validation_uar;
};

struct ModelReport {
  std::string name;
  std::int64_t parameters = 0;
  std::vector<evaluate::FoldScores> folds;  // by fold, then seed; empty where no head learns the classes
  evaluate::Summary summary;
  evaluate::Intervals intervals;              // of the summary's means
  evaluate::ProbabilityScores probabilities;  // over all folds and seeds
  Groups groups;
  std::vector<Prediction> predictions;  // by fold, then seed
  std::vector<Prediction> validation;   // of the validation sides, those of inner folds too; none of a fusion
  std::vector<HeadReport> heads;
  std::vector<HeadPrediction> head_predictions;
  std::vector<LearningCurve> curves;  // none of a classical model

  bool has_classes() const { return !folds.empty(); }
};

// Puts the predictions in order and fills in all that follows from them: folds, summary, intervals, probabilities, groups.
void score_predictions(ModelReport& model, int classes);

// The most confident mistakes, at most `count`, of each recording the surest one.
std::vector<const Prediction*> confident_mistakes(const ModelReport& model, std::size_t count);

struct CorpusCount {
  std::string corpus;
  std::int64_t recordings = 0, actors = 0;
  bool synthetic = false;
};

// How many recordings a fold has on each side.
struct FoldSize {
  int fold = 0;  // from 0
  std::int64_t train = 0, validation = 0, test = 0;
};

// How the columns of a feature set with one row a recording go together, over all recordings.
inline constexpr std::size_t kMostCorrelated = 40;
struct FeatureCorrelation {
  std::string features;            // name of the set
  std::int64_t columns = 0;        // that it has
  std::vector<std::string> names;  // of those shown: all, or kMostCorrelated at even distances
  std::vector<float> values;       // [name, name], Pearson's r; NaN where a column does not vary
};

// A recording to look at and to listen to.
struct Exhibit {
  std::string recording;
  std::string picture_png, sound_flac;  // the files' bytes
  double seconds = 0, heard_s = 0;      // of the recording, and of the sound, which may be only its beginning
};

// How the scores of the model called kFusion came about.
inline constexpr const char* kFusion = "fusion";
struct FusionReport {
  std::string rule, seeds;  // as the experiment file calls them
  std::vector<std::string> models;
  struct Fold {
    int fold = 0;  // from 0
    std::uint64_t seed = 1;
    std::vector<double> weights;  // [model]
  };
  std::vector<Fold> folds;  // empty: the rule has no weights
  // [model], over folds and seeds; empty where there are none.
  std::vector<double> mean_weights() const;
};

struct RunReport {
  std::string name;
  std::vector<std::string> classes;
  std::vector<CorpusCount> corpora;
  std::vector<ModelReport> models;     // the first one is the run's headline
  std::optional<FusionReport> fusion;  // its scores are those of the first model
  // How many configurations were tried for these results: the more, the better the best one looks by chance.
  std::int64_t configurations = 1;
  evaluate::Chance chance;
  std::vector<FoldSize> fold_sizes;
  audit::Audit audit;
  // What a reader must know before believing a figure: synthetic speech, a protocol that leaks, and the like.
  std::vector<std::string> stamps;
  std::vector<std::string> leaks;  // of the protocol, by name; the last column of every table then
  std::vector<std::pair<std::string, std::string>> versions;  // "serval" -> "0.1.0"
  std::string experiment;                                     // the resolved experiment, as JSON; may be ""
  std::string device;                                         // "cpu" or "cuda"
  std::vector<std::string> devices;  // every device that trained a model, by name and libraries
  std::vector<std::pair<std::string, double>> seconds;  // stage -> seconds of the runs that computed it
  std::vector<FeatureCorrelation> correlations;
  std::vector<Exhibit> exhibits;  // of the most confident mistakes, where they were asked for
  // Stage -> the most memory of the host that the program held up to its end, in the start that finished the run.
  std::vector<std::pair<std::string, std::int64_t>> peak_bytes;
};

// The files of a run's directory whose fields scripts rely on.
std::string results_json(const RunReport& report);
std::string results_csv(const RunReport& report);
std::string predictions_csv(const RunReport& report);
// The same of validation sides, with a column `inner`; the weights of the epoch that was chosen.
std::string validation_predictions_csv(const RunReport& report);
std::string groups_csv(const RunReport& report);  // a line a model and group
// Of heads besides that of the classes: scores, a line a model, head, fold, seed, name and measure; and what they said
// of each recording. "" where no model has any.
std::string heads_csv(const RunReport& report);
std::string head_predictions_csv(const RunReport& report);

// For the terminal: per fold and in total, UAR first.
std::string results_text(const RunReport& report);
// One page that needs nothing else.
std::string results_html(const RunReport& report);

}  // namespace serval::report
