// `serval serve`.
#pragma once

#include <CLI/CLI.hpp>

#include "commands.h"

namespace serval::cli {

void add_serve(CLI::App& app, Common& common);

}  // namespace serval::cli
