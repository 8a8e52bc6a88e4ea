#include "score_upload.h"

#include <algorithm>
#include <new>

#include "serval/audio/decode.h"
#include "serval/core/error.h"
#include "serval/core/json_line.h"
#include "serval/deploy/prediction_json.h"

#include "memory_file.h"

namespace serval::deploy {

namespace {

constexpr int kOk = 200, kTooLarge = 413, kUnusable = 422, kInternalError = 500, kNoRoom = 503;

UploadAnswer refusal(int status, const std::string& what) { return {status, error_json(what), 0}; }

// Messages name files; of this one the sender knows no name.
std::string without_name(std::string message, const std::string& path) {
  const std::size_t at = message.find(path);
  return at == std::string::npos ? message : message.replace(at, path.size(), "the recording");
}

UploadAnswer score(const Predictor& predictor, const std::string& path, double max_duration_s) {
  // A little more than is allowed tells that there is more, without decoding all of it. Memory is for so many samples as the
  // limit has at 48 kHz, the first block tells the rate.
  constexpr double kMore_s = 1, kFirst_s = 0.01, kFullLength_hz = 48000;
  const int rate_hz = audio::decode(path, 0, kFirst_s).sample_rate_hz;
  const double most_s = max_duration_s * std::min(1.0, kFullLength_hz / rate_hz);
  const audio::Waveform sound = audio::decode(path, 0, most_s + kMore_s);
  if (sound.seconds() > most_s) {
    return refusal(kTooLarge, cat("the recording lasts more than ", most_s, " s, which is the limit here",
                                  most_s < max_duration_s ? cat(" at ", rate_hz, " Hz") : ""));
  }
  const Prediction said = predictor.predict(sound.samples.data(), sound.samples.size(), sound.sample_rate_hz);
  JsonValue out = JsonValue::object();
  out.set("seconds", JsonValue::of(said.seconds));
  add_scores(out, predictor.classes(), said.probabilities);
  return {kOk, write_json_line(out), sound.seconds()};
}

}  // namespace

std::string error_json(const std::string& what) {
  JsonValue out = JsonValue::object();
  out.set("error", JsonValue::of(what));
  return write_json_line(out);
}

UploadAnswer score_upload(const Predictor& predictor, std::string content, double max_duration_s) {
  std::string path;
  try {
    const MemoryFile file(content);
    content = {};
    path = file.path();
    return score(predictor, path, max_duration_s);
  } catch (const DataError& error) {
    return refusal(kUnusable, without_name(error.what(), path));
  } catch (const std::bad_alloc&) {
    return refusal(kNoRoom, "there is no memory for this recording now");
  } catch (const std::exception& error) {
    return refusal(kInternalError, error.what());
  }
}

}  // namespace serval::deploy
