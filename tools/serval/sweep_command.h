// `serval sweep` and what belongs to it.
#pragma once

#include <CLI/CLI.hpp>

#include "commands.h"

namespace serval::cli {

void add_sweep(CLI::App& app, Common& common);

}  // namespace serval::cli
