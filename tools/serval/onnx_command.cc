#include "onnx_command.h"

#include <iostream>
#include <map>

#include "serval/corpus/data_folder.h"

namespace serval::cli {

CLI::App* add_onnx(CLI::App& app, Common& common, OnnxArguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "onnx",
      "write a bundle as ONNX, and check in ONNX Runtime that it gives Serval's scores: a waveform in, or\n"
      "features, and probabilities out");
  command->add_option("bundle", arguments.bundle, "a folder that `serval export` wrote")->required();
  command->add_option("--out", arguments.out, "the file, .onnx; of several members each adds its name")
      ->required();
  static const std::map<std::string, deploy::OnnxForm> forms = {{"waveform", deploy::OnnxForm::kWaveform},
                                                                {"network", deploy::OnnxForm::kNetwork}};
  command
      ->add_option("--form", arguments.form,
                   "waveform: all of it in one file; network: a file a member, features in")
      ->transform(CLI::CheckedTransformer(forms));
  CLI::Option* with = command->add_option("--parity-with", arguments.recordings,
                                          "files and folders to compare scores of; default: sounds made up");
  CLI::Option* python = command->add_option(
      "--python", arguments.python, "a Python with onnxruntime; default: $SERVAL_ONNX_PYTHON, or python3");
  command->add_flag("--no-parity", arguments.no_parity, "leave the check out; the report says so")
      ->excludes(with)
      ->excludes(python);
  command->add_flag("--quiet", common.quiet, "warnings and errors only");
  return command;
}

void onnx(const Common& common, const OnnxArguments& arguments) {
  threads_of(common);
  deploy::OnnxExport options;
  options.bundle = arguments.bundle;
  options.form = arguments.form;
  options.out = arguments.out;
  options.parity = !arguments.no_parity;
  options.python = arguments.python;
  if (options.parity) options.script = corpus::data_folder() + "/onnx/run_model.py";
  options.recordings = recordings_of(arguments.recordings);
  for (const std::string& file : deploy::export_onnx(options)) std::cout << file << '\n';
}

}  // namespace serval::cli
