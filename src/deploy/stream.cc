#include "serval/deploy/stream.h"

#include <algorithm>
#include <cmath>

#include "serval/audio/prepare.h"
#include "serval/core/error.h"
#include "serval/deploy/prediction_json.h"

namespace serval::deploy {

std::int64_t samples_of(double seconds, int rate_hz) { return std::llround(seconds * rate_hz); }

void check_options(const StreamOptions& options, int rate_hz) {
  const auto check_length = [&](const char* what, double seconds) {
    if (!(seconds > 0 && seconds <= kLongestWindow_s) || samples_of(seconds, rate_hz) < 1)
      throw ConfigError(cat("a ", what, " of ", seconds, " s at ", rate_hz, " Hz; one sample to ",
                            kLongestWindow_s, " s is possible"));
  };
  check_length("window", options.window_s);
  check_length("hop", options.hop_s);
  if (!(options.smoothing >= 0 && options.smoothing < 1))
    throw ConfigError(cat("smoothing of ", options.smoothing, "; it is a share from 0 to below 1"));
  if (std::isnan(options.gate_db) || !(options.shortest_s >= 0))
    throw ConfigError("the gate and the shortest length are numbers");
}

StreamResult score_window(const Predictor& predictor, const StreamWindow& window, int rate_hz,
                          const StreamOptions& options) {
  StreamResult out;
  out.begin = window.begin;
  out.end = window.end();
  out.begin_s = static_cast<double>(out.begin) / rate_hz;
  out.end_s = static_cast<double>(out.end) / rate_hz;
  out.last = window.last;
  double sum = 0;
  for (const float sample : window.samples) sum += static_cast<double>(sample) * sample;
  out.level_db = audio::to_db(std::sqrt(sum / static_cast<double>(window.samples.size())));
  out.silent = out.level_db < options.gate_db;
  if (out.silent) return out;
  try {
    out.probabilities =
        predictor.predict(window.samples.data(), window.samples.size(), rate_hz).probabilities;
  } catch (const DataError& error) {
    out.error = error.what();
  }
  return out;
}

void Smoother::apply(StreamResult& result) {
  if (result.probabilities.empty()) {
    state_.clear();
    return;
  }
  if (smoothing_ == 0 || state_.empty()) {
    state_.assign(result.probabilities.begin(), result.probabilities.end());
  } else {
    for (std::size_t c = 0; c < state_.size(); ++c)
      state_[c] = smoothing_ * state_[c] + (1 - smoothing_) * static_cast<double>(result.probabilities[c]);
  }
  result.smoothed.assign(state_.begin(), state_.end());
}

JsonValue to_json(const StreamResult& result, const std::vector<std::string>& classes,
                  const StreamOptions& options, double min_confidence) {
  JsonValue out = JsonValue::object();
  out.set("begin_s", JsonValue::of(result.begin_s));
  out.set("end_s", JsonValue::of(result.end_s));
  out.set("level_db", JsonValue::of(result.level_db));
  if (result.silent) {
    out.set("silent", JsonValue::of(true));
  } else if (result.probabilities.empty()) {
    out.set("error", JsonValue::of(result.error));
  } else {
    add_scores(out, classes, result.smoothed, min_confidence);
    if (options.smoothing > 0) out.set("unsmoothed", probabilities_json(classes, result.probabilities));
  }
  if (result.last) out.set("last", JsonValue::of(true));
  return out;
}

namespace {

StreamWindows windows_of(const PcmFormat& format, const StreamOptions& options) {
  check_format(format);
  check_options(options, format.rate_hz);
  return {samples_of(options.window_s, format.rate_hz), samples_of(options.hop_s, format.rate_hz)};
}

}  // namespace

Stream::Stream(const Predictor& predictor, const PcmFormat& format, const StreamOptions& options)
    : predictor_(predictor),
      format_(format),
      options_(options),
      reader_(format),
      windows_(windows_of(format, options)),
      smoother_(options.smoothing) {}

void Stream::push(std::string_view bytes, const Take& take) {
  constexpr std::size_t kPiece = 1 << 16;  // so that memory does not follow what is pushed
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    mono_.clear();
    reader_.read(piece, mono_);
    feed(take);
  }
}

void Stream::feed(const Take& take) {
  std::span<const float> left = mono_;
  while (!left.empty()) {
    left = left.subspan(windows_.feed(left));
    if (windows_.due()) give(windows_.take(), take);
  }
}

void Stream::give(const StreamWindow& window, const Take& take) {
  StreamResult result = score_window(predictor_, window, format_.rate_hz, options_);
  smoother_.apply(result);
  take(result);
}

void Stream::finish(const Take& take) {
  const StreamWindow rest = windows_.rest();
  if (!rest.samples.empty() &&
      static_cast<std::int64_t>(rest.samples.size()) >= samples_of(options_.shortest_s, format_.rate_hz))
    give(rest, take);
  if (reader_.within_frame()) throw DataError("the stream ends within a sample");
}

}  // namespace serval::deploy
