// Scores of endless sound, a result every hop.
//
//   serval::deploy::Stream stream(predictor, {.rate_hz = 16000, .encoding = PcmEncoding::kS16le}, {.window_s = 2});
//   stream.push(bytes, [](const serval::deploy::StreamResult& result) { ... });   // any number of bytes
//   stream.finish(...);
//
// A result is what Predictor::predict() says of exactly the samples of its window, to the bit, whatever the pieces
// were; StreamWindows says which samples. Memory is that of one window and of scoring it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serval/core/json.h"
#include "serval/deploy/pcm.h"
#include "serval/deploy/predictor.h"
#include "serval/deploy/stream_windows.h"

namespace serval::deploy {

struct StreamOptions {
  double window_s = 3;
  double hop_s = 1;
  // A window whose root mean square is below this, in dB of full scale, is silent and not scored.
  double gate_db = -60;
  // How much of the smoothed scores before stays: s[k] = smoothing * s[k-1] + (1 - smoothing) * p[k]. It begins anew
  // after silence. 0: none.
  double smoothing = 0;
  // What is left at the end is scored when it is at least this long.
  double shortest_s = 0.5;
};
inline constexpr double kLongestWindow_s = 600;

// ConfigError: a window of no sample or of more than kLongestWindow_s, a smoothing that is no share, ...
void check_options(const StreamOptions& options, int rate_hz);
std::int64_t samples_of(double seconds, int rate_hz);  // the nearest number

struct StreamResult {
  std::int64_t begin = 0, end = 0;  // samples of the stream
  double begin_s = 0, end_s = 0;
  double level_db = 0;               // root mean square
  bool last = false;                 // what was left at the end
  bool silent = false;               // below the gate
  std::string error;                 // why it was not scored, where it was neither silent nor scored
  std::vector<float> probabilities;  // [class]; empty where it was not scored
  std::vector<float> smoothed;       // [class]; the same without smoothing
};

// Scores one window; any thread may. `smoothed` is not filled.
StreamResult score_window(const Predictor& predictor, const StreamWindow& window, int rate_hz,
                          const StreamOptions& options);

// Fills `smoothed` of results in their order.
class Smoother {
 public:
  explicit Smoother(double smoothing) : smoothing_(smoothing) {}
  void apply(StreamResult& result);

 private:
  double smoothing_;
  std::vector<double> state_;
};

// begin_s, end_s, level_db; then label, confidence and probabilities of the smoothed scores, and with smoothing also
// "unsmoothed", the window's own; or "silent": true; or "error". "last": true at the end.
JsonValue to_json(const StreamResult& result, const std::vector<std::string>& classes,
                  const StreamOptions& options, double min_confidence = 0);

class Stream {
 public:
  using Take = std::function<void(const StreamResult&)>;

  // `predictor` must outlive it. Throws ConfigError.
  Stream(const Predictor& predictor, const PcmFormat& format, const StreamOptions& options);

  // Bytes of the format. Throws DataError as PcmReader::read().
  void push(std::string_view bytes, const Take& take);
  // The end. Throws DataError where the bytes end within a frame, after the last result.
  void finish(const Take& take);

 private:
  void feed(const Take& take);
  void give(const StreamWindow& window, const Take& take);

  const Predictor& predictor_;
  PcmFormat format_;
  StreamOptions options_;
  PcmReader reader_;
  StreamWindows windows_;
  Smoother smoother_;
  std::vector<float> mono_;
};

}  // namespace serval::deploy
