// The command line of `serval predict`.
#pragma once

#include <CLI/CLI.hpp>

#include "commands.h"

namespace serval::cli {

void add_predict(CLI::App& app, Common& common);

}  // namespace serval::cli
