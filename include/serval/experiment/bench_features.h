// How fast features are made on this machine, stage by stage, next to how fast it copies memory.
//
// Stages, each timed over all clips in every repeat, after one round that is not counted:
//   decode          files to 16-bit codes and a scale: decoding, mixing, resampling as the settings say; only
//                   with a folder of recordings, whose files the warm-up has brought into the page cache
//   read            from a store of those codes on disk to float samples: checksum, HDF5, scaling
//   extract NAME    float samples in the host's memory to feature matrices in the host's memory, one row a
//                   feature set, 256 clips at a time as an experiment does; on a GPU with both transfers
//   total           the sum of the above within one repeat
// Bytes moved are what a stage must read and write once: files and codes (decode), codes and float samples
// (read), float samples and float features (extract).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/audio/audio_settings.h"
#include "serval/core/json.h"
#include "serval/core/settings.h"
#include "serval/core/tensor.h"
#include "serval/features/settings.h"

namespace serval::experiment {

struct BenchOptions {
  NamedList<features::FeatureSettings> features;
  audio::AudioSettings audio;
  std::string folder;  // of recordings; "": synthetic clips
  int synthetic = 200;
  Device device;
  int threads = 1;
  int repeats = 5;
};

// "log_mel": 64 bands; "mfcc": 40 coefficients with both deltas; "log_mel_mfcc": both with both deltas. All
// with 25 ms windows every 10 ms and a transform of 512. Throws ConfigError for another name.
NamedList<features::FeatureSettings> bench_preset(const std::string& name);

struct BenchStage {
  std::string name;
  std::string includes;  // what was timed, for people
  std::int64_t bytes = 0;
  std::vector<double> seconds;  // one a repeat
};

struct BenchMemory {
  std::int64_t clips = 0;  // whose features were held at once
  std::int64_t input_bytes = 0;
  std::int64_t output_bytes = 0;
  std::int64_t growth_bytes = 0;  // of the process' resident memory, at its highest, over what it was before
  double ratio() const;           // (input + growth) / (input + output)
};

struct BenchReport {
  std::string device, device_name;
  int threads = 1;
  std::string source;  // "200 synthetic clips" or the folder
  std::int64_t clips = 0;
  std::int64_t skipped = 0;  // recordings that could not be used
  double seconds = 0, shortest_s = 0, longest_s = 0;
  int sample_rate_hz = 0;
  std::int64_t frames = 0;  // of the first feature set
  NamedList<std::int64_t> dimensions;
  double copy_bytes_per_s = 0;  // bytes read and written
  std::string copy_is;
  std::vector<BenchStage> stages;
  BenchMemory memory;
};

// Throws what decoding, stores and extraction throw; ConfigError for a folder without recordings.
BenchReport bench_features(const BenchOptions& options);

struct Spread {
  double median = 0, min = 0, max = 0;
};
Spread spread_of(std::vector<double> values);  // of at least one; the mean of the middle two when even

// The same facts for programs and for people.
JsonValue bench_json(const BenchReport& report);
std::string bench_text(const BenchReport& report);

}  // namespace serval::experiment
