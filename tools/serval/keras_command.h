// serval keras
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "commands.h"

namespace serval::cli {

struct KerasArguments {
  std::string bundle, out;
};

CLI::App* add_keras(CLI::App& app, Common& common, KerasArguments& arguments);
void keras(const Common& common, const KerasArguments& arguments);

}  // namespace serval::cli
