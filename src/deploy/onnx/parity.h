// Whether a model gives in ONNX Runtime what Serval gives: through a script, in a Python that has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/json.h"
#include "serval/deploy/onnx.h"

namespace serval::deploy::onnx {

// One input of a model, item after item.
struct ParityInput {
  std::string name, lengths;         // lengths "": there are none
  std::int64_t columns = 0;          // 0: items are vectors of samples
  std::vector<std::int64_t> counts;  // [item], rows
  std::vector<float> values;
};

// What Serval says of items.
struct ParityItems {
  std::vector<ParityInput> inputs;
  std::vector<std::string> names;            // [item]
  std::vector<std::vector<float>> expected;  // [item][class]
};

// Of recordings, or of sounds made up where there are none: recordings that cannot be scored are left out and named.
struct Recordings {
  std::vector<std::string> names;
  std::vector<std::vector<float>> samples;  // mono at the bundle's rate
  std::vector<std::string> left_out;
};
Recordings read_recordings(const Bundle& bundle, const std::vector<std::string>& paths);

ParityItems waveform_items(const std::string& bundle_folder, const Bundle& bundle,
                           const Recordings& recordings);
ParityItems network_items(const Bundle& bundle, int member, const Recordings& recordings);

// The report. Throws UnsupportedError where Python or its packages cannot run the model. "worst" is of both batch sizes.
JsonValue check_parity(const OnnxExport& options, const std::string& model_file, const ParityItems& items);

}  // namespace serval::deploy::onnx
