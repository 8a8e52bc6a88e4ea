// A bundle as ONNX, in standard operators of one operator set.
//   waveform   "waveform" [batch, samples], mono at the bundle's rate, and "lengths" [batch] in; "probabilities" [batch, classes]
//              out: crop, trim, level, 16 bits, features, deltas, statistics, normaliser, segments, networks, mean over
//              segments, fusion and ensembles are in the graph
//   network    of one member: frames of features in, as the feature set has them, "<input>" [batch, frames, columns] with
//              "<input>_lengths" [batch], or [batch, columns] where there is one row a recording; "probabilities" out
// What stands behind a recording's length changes nothing. Decoding and resampling stay outside.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "serval/deploy/bundle.h"

namespace serval::deploy {

enum class OnnxForm { kWaveform, kNetwork };

struct OnnxModel {
  int member = -1;  // into Bundle::members; -1: all of them
  std::string bytes;
};
// `checked`: what the file's properties say of the check, which follows. Throws UnsupportedError, which lists all that has no
// form in ONNX.
std::vector<OnnxModel> onnx_models(const Bundle& bundle, OnnxForm form, bool checked = true);

struct OnnxExport {
  std::string bundle;  // a folder
  OnnxForm form = OnnxForm::kWaveform;
  std::string out;  // a file; of several members each adds its name before the ending
  // The check in ONNX Runtime, against Serval's own scores, of each recording alone and of 32 together.
  bool parity = true;
  std::string python;                   // a Python with onnxruntime; "": $SERVAL_ONNX_PYTHON, or else python3
  std::string script;                   // that runs a model there
  std::vector<std::string> recordings;  // none: sounds made up, of several lengths
};
// The largest difference of a probability that passes.
inline constexpr double kOnnxTolerance = 1e-4;

// Gives the files; beside each .onnx lies a report, .parity.json. Throws UnsupportedError where there is no such Python, Error
// with ExitCode::kParity where scores differ by more; no .onnx is left then.
std::vector<std::string> export_onnx(const OnnxExport& options);

}  // namespace serval::deploy
