#include "keras_command.h"

#include <iostream>

#include "serval/experiment/export_keras.h"

namespace serval::cli {

CLI::App* add_keras(CLI::App& app, Common& common, KerasArguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "keras",
      "write the weights of a bundle's networks as HDF5, as Keras' load_weights reads them by name, with\n"
      "classes, normaliser, network and features beside them");
  command->add_option("bundle", arguments.bundle, "a folder that `serval export` wrote")->required();
  command->add_option("--out", arguments.out, "the file, .h5; of several members each adds its name")
      ->required();
  command->add_flag("--quiet", common.quiet, "warnings and errors only");
  return command;
}

void keras(const Common& common, const KerasArguments& arguments) {
  threads_of(common);
  for (const std::string& file : experiment::export_keras(arguments.bundle, arguments.out))
    std::cout << file << '\n';
}

}  // namespace serval::cli
