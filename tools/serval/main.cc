// The command line: parses, calls, and turns errors into messages and exit codes.
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <new>

#include <CLI/CLI.hpp>

#include "serval/core/error.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/version.h"

#include "commands.h"
#include "keras_command.h"
#include "onnx_command.h"
#include "predict_command.h"
#include "serve_command.h"
#include "sweep_command.h"

namespace {

using serval::cli::Common;
using serval::cli::ExperimentArguments;

void add_json(CLI::App* app, Common& common) {
  app->add_flag("--json", common.json, "standard output is one JSON document and nothing else");
}
void add_threads(CLI::App* app, Common& common) {
  app->add_option("--threads", common.threads, "processors to use; 0: all")->check(CLI::Range(0, 4096));
  app->add_flag("--quiet", common.quiet, "warnings and errors only");
}

CLI::Option* add_experiment(CLI::App* app, Common& common, ExperimentArguments& arguments) {
  CLI::Option* file = app->add_option("experiment", arguments.file, "experiment file (JSON)");
  app->add_option("--set", arguments.overrides, "override a setting: key.path=JSON; may be repeated")
      ->allow_extra_args(false);
  app->add_flag("--quick", arguments.quick, "the small size that the file has under \"quick\"");
  app->add_option("--device", common.device, "auto, cpu, cuda or cuda:N");
  add_threads(app, common);
  add_json(app, common);
  return file;
}

void add_network(CLI::App* command, serval::cli::NetworkArguments& arguments) {
  command->add_option("file", arguments.file, "network file (JSON)")->required();
  command->add_option(
      "--input", arguments.inputs,
      "NAME=SHAPE of an input that the file leaves to the data, as in mel=1,128,230 or mfcc=39; "
      "NAME may be left out where there is one");
  command->add_option("--classes", arguments.classes, "classes, where the file does not say")
      ->check(CLI::Range(2, 4096));
}

CLI::App* add_bench_features(CLI::App& bench, Common& common, serval::cli::BenchArguments& arguments) {
  CLI::App* features = bench.add_subcommand(
      "features",
      "time decoding, reading back and extraction of features, on an experiment's features\n"
      "or on a preset's");
  CLI::Option* file = add_experiment(features, common, arguments.experiment);
  features->get_option("--set")->needs(file);
  features
      ->add_option("--preset", arguments.preset,
                   "features, where no experiment is given: log_mel, mfcc or log_mel_mfcc")
      ->capture_default_str()
      ->excludes(file);
  CLI::Option* corpus =
      features->add_option("--corpus", arguments.corpus, "folder of recordings; default: synthetic clips");
  features->add_option("--synthetic", arguments.synthetic, "number of synthetic clips of 3 to 5 s")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20))
      ->excludes(corpus);
  features->add_option("--repeat", arguments.repeats, "rounds that are measured, after one that is not")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  return features;
}

CLI::App* add_bench_train(CLI::App& bench, Common& common, serval::cli::BenchTrainArguments& arguments) {
  CLI::App* train = bench.add_subcommand("train", "time training steps of a network on drawn data");
  add_network(train, arguments.network);
  train->add_option("--batch", arguments.batch, "recordings a step")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  train->add_option("--frames", arguments.frames, "steps of each sequence")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  train->add_option("--models", arguments.models, "networks that train side by side")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  train->add_option("--seconds", arguments.seconds, "how long steps are timed")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 3600.0));
  train->add_flag("--tf32", arguments.tf32, "products and convolutions of a GPU in tf32");
  train->add_option("--dump", arguments.dump, "folder for weights, data and losses, for a twin elsewhere");
  train->add_option("--device", common.device, "auto, cpu, cuda or cuda:N");
  add_threads(train, common);
  add_json(train, common);
  return train;
}

CLI::App* add_corpus_stats(CLI::App& corpus, Common& common, serval::cli::StatsArguments& arguments) {
  CLI::App* stats =
      corpus.add_subcommand("stats", "how many of each class, actor and gender, how long, how loud");
  stats
      ->add_option("what", arguments.what,
                   "an experiment (.json), a folder of known corpora, or, with a folder behind it, a corpus\n"
                   "as `corpus scan` takes it")
      ->required();
  stats->add_option("folder", arguments.folder, "folder of the corpus' recordings");
  stats->add_option("--set", arguments.overrides, "override a setting of the experiment; may be repeated")
      ->allow_extra_args(false);
  stats->add_option("--plot", arguments.plot, "also draw this picture, .png or .svg, through gnuplot");
  add_threads(stats, common);
  add_json(stats, common);
  return stats;
}

CLI::App* add_plot(CLI::App& app, Common& common, serval::cli::PlotArguments& arguments) {
  CLI::App* plot = app.add_subcommand("plot", "draw recordings side by side, through gnuplot");
  plot->add_option("files", arguments.files, "recordings")->required();
  plot->add_option("--what", arguments.what,
                   "which pictures, from top to bottom: waveform, spectrogram, mel, mfcc, f0, segments")
      ->capture_default_str();
  plot->add_option("--out", arguments.out, "the picture, .png or .svg")->capture_default_str();
  CLI::Option* file =
      plot->add_option("--experiment", arguments.experiment.file,
                       "audio, features and segments as this experiment has them; default: 16 kHz, 10 ms");
  plot->add_option("--set", arguments.experiment.overrides,
                   "override a setting: key.path=JSON; may be repeated")
      ->allow_extra_args(false)
      ->needs(file);
  plot->add_flag("--quiet", common.quiet, "warnings and errors only");
  return plot;
}

CLI::App* add_report(CLI::App& app, Common& common, serval::cli::ReportArguments& arguments) {
  CLI::App* report = app.add_subcommand(
      "report",
      "compare finished runs: differences with intervals and tests, as text, Markdown, LaTeX, CSV\n"
      "and one page; of one run, write its report.html again");
  report
      ->add_option("runs", arguments.runs,
                   "directories of runs, the first is the baseline; DIR:MODEL for one of several models,\n"
                   "default: the fusion of models, or the only one")
      ->required();
  report->add_option("--out", arguments.out,
                     "folder for comparison.{html,md,tex,csv,json}; of one run for report.html, "
                     "default: its own");
  report->add_flag("--all-pairs", arguments.all_pairs, "compare every two runs, not each with the first");
  report->add_flag("--unpaired", arguments.unpaired,
                   "show runs of other recordings, labels or folds beside each other, without tests");
  report->add_flag("--audio", arguments.audio,
                   "of one run: pictures and sounds of the most confident mistakes; needs the recordings");
  add_json(report, common);
  return report;
}

CLI::App* add_fuse(CLI::App& app, Common& common, serval::cli::FuseArguments& arguments) {
  CLI::App* fuse = app.add_subcommand(
      "fuse",
      "late fusion of finished runs on the same folds: one more run's directory, nothing trains again");
  fuse->add_option(
          "runs", arguments.runs,
          "directories of runs; DIR:MODEL for one of several models, default: the fusion of models,\n"
          "or the only one")
      ->required();
  fuse->add_option("--out", arguments.out, "the fused run's directory")->required();
  fuse->add_option(
          "--rule", arguments.rule,
          "mean, product, logit_average, maximum or vote; or fitted on validation scores: weighted,\n"
          "stacking, best")
      ->capture_default_str();
  fuse->add_option(
          "--seeds", arguments.seeds,
          "each: models of one seed are fused; together: each model is averaged over its seeds first")
      ->capture_default_str();
  fuse->add_option("--name", arguments.name, "of the fused run; default: its folder's");
  add_json(fuse, common);
  return fuse;
}

CLI::App* add_export(CLI::App& app, Common& common, serval::cli::ExportArguments& arguments) {
  CLI::App* command = app.add_subcommand("export",
                                         "write a finished run's networks as a bundle: one folder with all "
                                         "that scores need. What the run has several\n"
                                         "of, models, folds or seeds, must be chosen");
  command->add_option("run", arguments.run, "a finished run's directory")->required();
  command
      ->add_option(
          "--out", arguments.out,
          "the bundle, which must not be there yet: a folder, or one file where the name ends in .serval")
      ->required();
  command->add_option("--model", arguments.model, "a model's name, or fusion");
  command->add_option("--fold", arguments.fold, "the networks of this fold, from 1");
  command->add_option("--seed", arguments.seed, "the networks of this seed");
  command
      ->add_option("--ensemble", arguments.ensemble,
                   "folds, seeds or folds,seeds: the networks of all of them, whose scores are averaged")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->check(CLI::IsMember({"folds", "seeds"}));
  command
      ->add_option("--weights", arguments.weights,
                   "what is kept of them: float32, or float16 or int8, whose loss is measured and told")
      ->check(CLI::IsMember({"float32", "float16", "int8"}))
      ->capture_default_str();
  command->add_flag("--refit", arguments.refit,
                    "train the models once more, on every actor; the run's figures stay those of its folds");
  command->add_option("--device", common.device, "of a refit: auto, cpu, cuda or cuda:N");
  add_threads(command, common);
  return command;
}

// Results on standard output count only when they arrived.
void flush_results() {
  errno = 0;
  std::cout.flush();
  if (std::cout) return;
  throw serval::DiskError(serval::cat("standard output: cannot be written",
                                      errno == 0 ? "" : serval::cat(": ", std::strerror(errno))));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serval: batch research framework for speech emotion recognition", "serval");
  app.set_version_flag("--version", serval::kVersion);
  app.require_subcommand(1);
  app.footer(
      "exit codes: 0 done, 1 internal error, 2 bad command line or experiment, 3 bad recordings or store,\n"
      "4 device or unsupported operation, 5 interrupted (run again to continue), 6 leak audit failed,\n"
      "7 disk full (run again to continue), 8 parity check failed");
  Common common;
  ExperimentArguments experiment;

  CLI::App* run = app.add_subcommand("run", "run an experiment, or continue it");
  add_experiment(run, common, experiment)->required();
  run->add_option("--out", experiment.out, "the run's directory; default runs/<name>");
  run->callback([&] { serval::cli::run(common, experiment); });

  serval::cli::add_sweep(app, common);

  CLI::App* features = app.add_subcommand(
      "features", "decode an experiment's recordings and extract its features into the stores");
  add_experiment(features, common, experiment)->required();
  features->callback([&] { serval::cli::features(common, experiment); });

  CLI::App* audit = app.add_subcommand(
      "audit", "the leak audit of an experiment's plan, before anything trains, or of a run's directory");
  add_experiment(audit, common, experiment)->required();
  audit->callback([&] { serval::cli::audit(common, experiment); });

  CLI::App* corpus = app.add_subcommand("corpus", "look at recordings")->require_subcommand(1);
  std::string folder, use, out;
  CLI::App* check =
      corpus->add_subcommand("check",
                             "what is in a folder of corpora, and what is wrong with it; this is a report,\n"
                             "so that the exit code is 0 whatever it finds");
  check->add_option("folder", folder, "folder of recordings; corpora are recognised by their file names")
      ->required();
  add_threads(check, common);
  add_json(check, common);
  check->callback([&] { serval::cli::corpus_check(common, folder); });
  CLI::App* scan = corpus->add_subcommand("scan", "write the manifest of a corpus as CSV");
  scan->add_option("corpus", use, "name of a known corpus, a description (.json) or a manifest (.csv)")
      ->required();
  scan->add_option("folder", folder, "folder of its recordings");
  scan->add_option("--out", out, "CSV file; default: standard output");
  add_threads(scan, common);
  scan->callback([&] { serval::cli::corpus_scan(common, use, folder, out); });

  serval::cli::StatsArguments measured;
  add_corpus_stats(*corpus, common, measured)->callback([&] { serval::cli::corpus_stats(common, measured); });

  CLI::App* store =
      app.add_subcommand("store", "look after stores of audio and features")->require_subcommand(1);
  std::string stores = "stores";
  CLI::App* list = store->add_subcommand("ls", "list the stores of a folder, their state and parameters");
  list->add_option("folder", stores, "folder of stores")->capture_default_str();
  add_json(list, common);
  list->callback([&] { serval::cli::store_list(common, stores, false); });
  CLI::App* verify = store->add_subcommand("verify", "verify every checksum; exit code 3 when one is wrong");
  verify->add_option("folder", stores, "folder of stores")->capture_default_str();
  add_json(verify, common);
  verify->callback([&] { serval::cli::store_list(common, stores, true); });
  CLI::App* prune =
      store->add_subcommand("prune",
                            "delete what is damaged or left behind, and old stores on request;\n"
                            "nothing that is being written");
  std::optional<double> older_than_days;
  prune->add_option("folder", stores, "folder of stores")->capture_default_str();
  prune->add_option("--older-than-days", older_than_days, "also delete sound stores created longer ago");
  add_json(prune, common);
  prune->callback([&] { serval::cli::store_prune(common, stores, older_than_days); });

  CLI::App* model = app.add_subcommand("model", "look at networks")->require_subcommand(1);
  serval::cli::NetworkArguments summarised;
  CLI::App* summary = model->add_subcommand("summary", "layers, shapes and parameters of a network file");
  add_network(summary, summarised);
  add_json(summary, common);
  summary->callback([&] { serval::cli::model_summary(common, summarised); });

  serval::cli::ReportArguments compared;
  add_report(app, common, compared)->callback([&] { serval::cli::report(common, compared); });

  serval::cli::FuseArguments fused;
  add_fuse(app, common, fused)->callback([&] { serval::cli::fuse(common, fused); });
  serval::cli::ExportArguments exported;
  add_export(app, common, exported)->callback([&] { serval::cli::export_run(common, exported); });
  serval::cli::OnnxArguments as_onnx;
  serval::cli::add_onnx(app, common, as_onnx)->callback([&] { serval::cli::onnx(common, as_onnx); });
  serval::cli::KerasArguments as_keras;
  serval::cli::add_keras(app, common, as_keras)->callback([&] { serval::cli::keras(common, as_keras); });
  serval::cli::add_predict(app, common);
  serval::cli::add_serve(app, common);

  serval::cli::PlotArguments drawn;
  add_plot(app, common, drawn)->callback([&] { serval::cli::plot(common, drawn); });

  CLI::App* bench = app.add_subcommand("bench", "measure speed")->require_subcommand(1);
  serval::cli::BenchArguments timed_features;
  add_bench_features(*bench, common, timed_features)->callback([&] {
    serval::cli::bench_features(common, timed_features);
  });
  serval::cli::BenchTrainArguments timed_training;
  add_bench_train(*bench, common, timed_training)->callback([&] {
    serval::cli::bench_train(common, timed_training);
  });

  CLI::App* info = app.add_subcommand("info", "version, devices and what they can do");
  bool ops = false;
  info->add_flag("--ops", ops, "which operation exists on which device");
  add_json(info, common);
  info->callback([&] { serval::cli::info(common, ops); });

  CLI::App* schema =
      app.add_subcommand("schema", "the JSON Schema of experiment files, or of sweep or site files");
  std::string of = "experiment";
  schema->add_option("of", of, "experiment, sweep or site")
      ->capture_default_str()
      ->check(CLI::IsMember({"experiment", "sweep", "site"}));
  schema->callback([&] { serval::cli::schema(of); });

  serval::install_interrupt_handlers();
  std::signal(SIGPIPE, SIG_DFL);
  // A file-size limit then fails the write, which is reported like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    app.parse(argc, argv);
    flush_results();
    return static_cast<int>(serval::ExitCode::kDone);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return static_cast<int>(code == 0 ? serval::ExitCode::kDone : serval::ExitCode::kConfig);
  } catch (const serval::Error& error) {
    std::cerr << "serval: " << error.what() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    std::cerr << "serval: " << error.path1().string() << ": " << error.code().message() << '\n';
    return static_cast<int>(serval::ExitCode::kData);
  } catch (const std::bad_alloc&) {
    std::cerr << "serval: out of memory; use fewer --threads, smaller batches or shorter recordings\n";
  } catch (const std::exception& error) {
    std::cerr << "serval: internal error: " << error.what() << '\n';
  }
  return static_cast<int>(serval::ExitCode::kInternal);
}
