// Scores of recordings from a bundle.
//
//   serval::deploy::Predictor predictor("runs/a.bundle");
//   serval::deploy::Prediction said = predictor.predict_file("clip.wav");
//   std::cout << predictor.classes()[said.best] << " " << said.confidence() << "\n";
//
// A recording goes the way that training took: crop, mono, resample, whatever else the bundle's audio says, 16 bits
// with a scale, features, normalisation, segments, network, mean over segments, fusion. On the same kind of CPU the
// scores are those of the run's predictions.csv, bit for bit.
//
// Errors: DataError for a damaged bundle and for recordings that cannot be used (not sound, silent, too short, cut off),
// all of core/error.h; a predictor stays usable after one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace serval::deploy {

// What one model says of a stretch of the recording; times are those of the sound that is left after trimming.
struct Stretch {
  std::string model;
  double begin_s = 0, end_s = 0;
  std::vector<float> probabilities;  // [class]
};

struct Prediction {
  std::vector<float> probabilities;  // [class], of the whole recording
  std::size_t best = 0;              // the most probable class
  double seconds = 0;                // of the sound that was scored
  std::vector<Stretch>
      timeline;  // by model, then by time; where it was asked for, of models that read segments
  float confidence() const { return probabilities[best]; }
};

struct PredictorOptions {
  std::string device = "cpu";  // or cuda, cuda:N, auto
  bool timeline = false;
  int batch = 16;  // segments that a network reads at a time; changes memory and speed, no bit of the scores
};

// Threads may share one: each call works with memory of its own, which is kept for the next.
class Predictor {
 public:
  explicit Predictor(const std::string& bundle, const PredictorOptions& options = {});
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  const std::string& name() const;                  // of the experiment
  const std::vector<std::string>& classes() const;  // their names
  const std::vector<std::string>& stamps() const;   // what to know before believing a score
  int sample_rate_hz() const;                       // that features are made at

  // A WAV, AIFF, FLAC, Ogg or MP3 file.
  Prediction predict_file(const std::string& path) const;
  // Mono, full scale at 1, from 1 kHz to 1 MHz.
  Prediction predict(const float* samples, std::size_t count, int rate_hz) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace serval::deploy
