// Feature sets of waveforms as part of an ONNX graph.
#pragma once

#include <string>

#include "serval/features/settings.h"

#include "network.h"

namespace serval::deploy::onnx {

// What a batch of recordings is, before features: [batch, sample] of float, and [batch] of int64.
struct Sound {
  Name samples, lengths;
};

struct Sheet {
  Name values;  // [batch, frame, column]
  Name frames;  // [batch], of each recording
  Name time;    // [1], frames in memory
  std::int64_t columns = 0;
  std::int64_t hop = 0;  // samples from a frame to the next; 0: one row a recording
};

// What has no form in ONNX goes to `problems`, as "features <name>: ...".
Sheet write_features(Graph& graph, const std::string& name, const features::FeatureSettings& settings,
                     int sample_rate_hz, const Sound& sound, Problems& problems);

}  // namespace serval::deploy::onnx
