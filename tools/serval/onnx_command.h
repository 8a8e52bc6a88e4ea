// serval onnx
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "serval/deploy/onnx.h"

#include "commands.h"

namespace serval::cli {

struct OnnxArguments {
  std::string bundle, out, python;
  deploy::OnnxForm form = deploy::OnnxForm::kWaveform;
  std::vector<std::string> recordings;  // files, folders
  bool no_parity = false;
};

CLI::App* add_onnx(CLI::App& app, Common& common, OnnxArguments& arguments);
void onnx(const Common& common, const OnnxArguments& arguments);

}  // namespace serval::cli
