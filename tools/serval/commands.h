// What each sub-command does with its parsed arguments.
// Results go to standard output, all else to standard error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serval/deploy/stream.h"
#include "serval/experiment/settings.h"

#include "predict_output.h"

namespace serval::cli {

struct Common {
  std::string device = "auto";
  int threads = 0;  // 0: every processor
  bool quiet = false;
  bool json = false;
};

struct ExperimentArguments {
  std::string file;
  std::vector<std::string> overrides;
  std::string out;
  bool quick = false;

  experiment::ExperimentSettings load() const;
};

struct NetworkArguments {
  std::string file;
  std::vector<std::string> inputs;  // NAME=SHAPE
  std::int64_t classes = 0;         // 0: as the file says
};

// The processors to use; also turns the log's --quiet on.
int threads_of(const Common& common);

struct BenchTrainArguments {
  NetworkArguments network;
  std::int64_t batch = 64, frames = 150;
  int models = 1;
  bool tf32 = false;
  double seconds = 3;
  std::string dump;
};

struct BenchArguments {
  ExperimentArguments experiment;  // its file may be "": then `preset` names the features
  std::string preset = "log_mel_mfcc";
  std::string corpus;  // folder of recordings; "": synthetic clips
  int synthetic = 200;
  int repeats = 5;
};

struct PlotArguments {
  std::vector<std::string> files;
  std::string what = "waveform,mel";
  std::string out = "recordings.png";
  ExperimentArguments experiment;  // its file may be ""
};

struct StatsArguments {
  std::string what;    // experiment, folder of corpora; or with `folder`: a corpus as `corpus scan` takes it
  std::string folder;  // may be ""
  std::vector<std::string> overrides;
  std::string plot;  // picture; may be ""
};

struct ReportArguments {
  std::vector<std::string> runs;  // folders, each with ":<model>" behind it or not
  std::string out;                // folder; "": the run's own, and for several runs none
  bool all_pairs = false, unpaired = false;
  bool audio = false;
};

struct FuseArguments {
  std::vector<std::string> runs;  // folders, each with ":<model>" behind it or not
  std::string out, name, rule = "mean", seeds = "each";
};

struct ExportArguments {
  std::string run, out;
  std::string model;  // "": the only one
  std::optional<int> fold;
  std::optional<std::int64_t> seed;
  std::vector<std::string> ensemble;  // folds, seeds
  bool refit = false;
  std::string weights = "float32";
};

struct PredictArguments {
  std::string bundle;
  std::vector<std::string> recordings;  // files, folders, "-"
  PredictFormat format = PredictFormat::kTable;
  double min_confidence = 0;
  bool timeline = false;
  int batch = 16;
  bool stream = false;  // standard input is raw samples without an end
  deploy::PcmFormat pcm;
  std::string encoding = "s16le";
  deploy::StreamOptions streaming;
  double microphone_s = 0;  // 0: not asked for
  std::string heard;        // a recording in the place of a microphone
  std::string save;         // WAV; "": named by the time
  bool play = false;
};

void run(const Common& common, const ExperimentArguments& arguments);
// Files as they are, and the sounds that folders hold. DataError for a folder without.
std::vector<std::string> recordings_of(const std::vector<std::string>& arguments);
void export_run(const Common& common, const ExportArguments& arguments);
// Throws DataError at the end where a recording could not be scored.
void predict(const Common& common, const PredictArguments& arguments);
// A JSON line a hop, as soon as it is there. A signal ends the stream.
void predict_stream(const Common& common, const PredictArguments& arguments);
// The same of the microphone, whose sound is kept as a WAV file.
void predict_microphone(const Common& common, const PredictArguments& arguments);
void features(const Common& common, const ExperimentArguments& arguments);
// Of an experiment that has not run, or of a run.
void audit(const Common& common, const ExperimentArguments& arguments);
void corpus_check(const Common& common, const std::string& folder);
void corpus_scan(const Common& common, const std::string& use, const std::string& folder,
                 const std::string& out);
void corpus_stats(const Common& common, const StatsArguments& arguments);
void store_list(const Common& common, const std::string& folder, bool verify);
void store_prune(const Common& common, const std::string& folder, std::optional<double> older_than_days);
void model_summary(const Common& common, const NetworkArguments& arguments);
void bench_features(const Common& common, const BenchArguments& arguments);
void bench_train(const Common& common, const BenchTrainArguments& arguments);
void plot(const Common& common, const PlotArguments& arguments);
void report(const Common& common, const ReportArguments& arguments);
void fuse(const Common& common, const FuseArguments& arguments);
void info(const Common& common, bool ops);
void schema(const std::string& of);  // experiment, sweep or site

}  // namespace serval::cli
