#include "predict_command.h"

#include <map>
#include <memory>

#include "serval/core/error.h"

namespace serval::cli {

namespace {

void add_scoring(CLI::App* predict, Common& common, PredictArguments& arguments) {
  predict
      ->add_option("--min-confidence", arguments.min_confidence,
                   "no label where the most probable class is less probable than this")
      ->check(CLI::Range(0.0, 1.0));
  predict->add_option("--batch", arguments.batch, "segments that a network reads at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  predict->add_option("--device", common.device, "auto, cpu, cuda or cuda:N");
  predict->add_option("--threads", common.threads, "processors to use; 0: all")->check(CLI::Range(0, 4096));
  predict->add_flag("--quiet", common.quiet, "warnings and errors only");
}

void add_streaming(CLI::App* predict, PredictArguments& arguments, CLI::Option* stream) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    return predict->add_option(name, value, help)->capture_default_str()->needs(stream)->group("Streaming");
  };
  add("--rate", arguments.pcm.rate_hz, "of the raw samples, Hz");
  add("--encoding", arguments.encoding, "of the raw samples: s16le or f32le");
  add("--channels", arguments.pcm.channels, "interleaved; their mean is scored");
}

void add_microphone(CLI::App* predict, PredictArguments& arguments, CLI::Option* microphone) {
  const auto add = [&](CLI::Option* option) { option->needs(microphone)->group("Microphone"); };
  add(predict->add_option("--save", arguments.save,
                          "where the sound is kept; default microphone-<time>.wav"));
  add(predict->add_flag("--play", arguments.play, "play the sound afterwards"));
  add(predict->add_option("--hear", arguments.heard,
                          "this recording in the place of the microphone, at its own speed"));
}

// Of raw samples and of the microphone.
void add_windows(CLI::App* predict, deploy::StreamOptions& options) {
  const auto add = [&](const char* name, double& value, const char* help) {
    predict->add_option(name, value, help)->capture_default_str()->group("Streaming");
  };
  add("--window", options.window_s, "seconds that a result is of");
  add("--hop", options.hop_s, "seconds from a result to the next");
  add("--gate", options.gate_db, "a window below this level, dB of full scale, is silent and not scored");
  add("--smoothing", options.smoothing, "share of the scores before that stays, from 0 to below 1");
}

}  // namespace

void add_predict(CLI::App& app, Common& common) {
  CLI::App* predict = app.add_subcommand("predict",
                                         "score recordings with a bundle. One that cannot be scored is told "
                                         "of, the others are scored, and the exit\n"
                                         "code is 3 in the end");
  const auto shared = std::make_shared<PredictArguments>();
  PredictArguments& arguments = *shared;
  predict->add_option("bundle", arguments.bundle, "what `serval export` wrote")->required();
  predict->add_option("recordings", arguments.recordings,
                      "files, folders, which are searched, or - for one recording on standard input");
  static const std::map<std::string, PredictFormat> formats = {
      {"table", PredictFormat::kTable}, {"csv", PredictFormat::kCsv}, {"jsonl", PredictFormat::kJsonLines}};
  CLI::Option* format =
      predict->add_option("--format", arguments.format, "table, csv or jsonl, a JSON document a line")
          ->transform(CLI::CheckedTransformer(formats));
  CLI::Option* timeline = predict->add_flag("--timeline", arguments.timeline,
                                            "what models that read segments say of each of them");
  add_scoring(predict, common, arguments);
  CLI::Option* stream =
      predict
          ->add_flag("--stream", arguments.stream,
                     "with -: raw samples on standard input, scored as they come, a JSON document a line")
          ->excludes(format)
          ->excludes(timeline)
          ->group("Streaming");
  add_streaming(predict, arguments, stream);
  CLI::Option* microphone =
      predict
          ->add_option("--microphone", arguments.microphone_s,
                       "so many seconds of the microphone, scored as they come, a JSON document a line")
          ->check(CLI::Range(0.1, 86400.0))
          ->excludes(stream)
          ->excludes(format)
          ->excludes(timeline)
          ->group("Microphone");
  add_microphone(predict, arguments, microphone);
  add_windows(predict, arguments.streaming);
  predict->callback([shared, &common, predict] {
    for (const char* name : {"--window", "--hop", "--gate", "--smoothing"}) {
      if (predict->count(name) > 0 && !shared->stream && shared->microphone_s == 0)
        throw ConfigError(cat(name, " is for --stream and --microphone"));
    }
    if (shared->microphone_s > 0) {
      if (!shared->recordings.empty()) throw ConfigError("with --microphone there are no recordings to name");
      return predict_microphone(common, *shared);
    }
    if (shared->recordings.empty()) throw ConfigError("no recordings are named");
    if (shared->stream)
      predict_stream(common, *shared);
    else
      serval::cli::predict(common, *shared);
  });
}

}  // namespace serval::cli
