#include "serval/deploy/c_api.h"

#include <new>
#include <string>

#include "serval/core/error.h"
#include "serval/core/version.h"
#include "serval/deploy/predictor.h"

struct serval_predictor {
  serval::deploy::Predictor predictor;
};
struct serval_prediction {
  serval::deploy::Prediction prediction;
};

namespace {

using serval::cat;
using serval::ConfigError;
using serval::ExitCode;
static_assert(SERVAL_INTERNAL == static_cast<int>(ExitCode::kInternal) &&
              SERVAL_BAD_CALL == static_cast<int>(ExitCode::kConfig) &&
              SERVAL_BAD_DATA == static_cast<int>(ExitCode::kData) &&
              SERVAL_NO_DEVICE == static_cast<int>(ExitCode::kDevice) &&
              SERVAL_DISK == static_cast<int>(ExitCode::kDisk));

std::string& last_error() {
  thread_local std::string text;
  return text;
}

int failed(int code, const char* what) noexcept {
  try {
    last_error() = what;
  } catch (...) {
    last_error().clear();  // no memory for the message
  }
  return code;
}

// Nothing leaves by an exception.
template <class Work>
int guarded(const Work& work) noexcept {
  try {
    work();
    return SERVAL_DONE;
  } catch (const serval::Error& error) {
    return failed(static_cast<int>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return failed(SERVAL_INTERNAL, "there is not enough memory");
  } catch (const std::exception& error) {
    return failed(SERVAL_INTERNAL, error.what());
  } catch (...) {
    return failed(SERVAL_INTERNAL, "an unknown error");
  }
}

template <class Pointer>
void need(Pointer pointer, const char* name) {
  if (pointer == nullptr) throw ConfigError(cat(name, " is NULL"));
}

serval::deploy::PredictorOptions options_of(const serval_predictor_options* given) {
  serval::deploy::PredictorOptions out;
  if (given == nullptr) return out;
  if (given->size != sizeof *given) {
    throw ConfigError(cat("serval_predictor_options.size is ", given->size,
                          ", not sizeof(serval_predictor_options), ", sizeof *given));
  }
  if (given->device != nullptr) out.device = given->device;
  if (given->batch < 0)
    throw ConfigError(cat("serval_predictor_options.batch is ", given->batch, ", not 1 or more"));
  if (given->batch > 0) out.batch = given->batch;
  out.timeline = given->timeline != 0;
  return out;
}

const char* text_or_null(const std::vector<std::string>& texts, size_t index) {
  return index < texts.size() ? texts[index].c_str() : nullptr;
}

}  // namespace

extern "C" {

const char* serval_version(void) { return serval::kVersion; }
const char* serval_last_error(void) { return last_error().c_str(); }

int serval_predictor_open(const char* bundle, const serval_predictor_options* options,
                          serval_predictor** predictor) {
  return guarded([&] {
    need(bundle, "bundle");
    need(predictor, "predictor");
    *predictor = new serval_predictor{serval::deploy::Predictor(bundle, options_of(options))};
  });
}
void serval_predictor_close(serval_predictor* predictor) { delete predictor; }

const char* serval_predictor_name(const serval_predictor* predictor) {
  return predictor->predictor.name().c_str();
}
size_t serval_predictor_class_count(const serval_predictor* predictor) {
  return predictor->predictor.classes().size();
}
const char* serval_predictor_class_name(const serval_predictor* predictor, size_t index) {
  return text_or_null(predictor->predictor.classes(), index);
}
size_t serval_predictor_stamp_count(const serval_predictor* predictor) {
  return predictor->predictor.stamps().size();
}
const char* serval_predictor_stamp(const serval_predictor* predictor, size_t index) {
  return text_or_null(predictor->predictor.stamps(), index);
}
int serval_predictor_sample_rate_hz(const serval_predictor* predictor) {
  return predictor->predictor.sample_rate_hz();
}

int serval_predictor_predict_file(const serval_predictor* predictor, const char* path,
                                  serval_prediction** prediction) {
  return guarded([&] {
    need(predictor, "predictor");
    need(path, "path");
    need(prediction, "prediction");
    *prediction = new serval_prediction{predictor->predictor.predict_file(path)};
  });
}
int serval_predictor_predict_samples(const serval_predictor* predictor, const float* samples, size_t count,
                                     int rate_hz, serval_prediction** prediction) {
  return guarded([&] {
    need(predictor, "predictor");
    if (count > 0) need(samples, "samples");
    need(prediction, "prediction");
    *prediction = new serval_prediction{predictor->predictor.predict(samples, count, rate_hz)};
  });
}
void serval_prediction_free(serval_prediction* prediction) { delete prediction; }

const float* serval_prediction_probabilities(const serval_prediction* prediction) {
  return prediction->prediction.probabilities.data();
}
size_t serval_prediction_best(const serval_prediction* prediction) { return prediction->prediction.best; }
double serval_prediction_seconds(const serval_prediction* prediction) {
  return prediction->prediction.seconds;
}

size_t serval_prediction_stretch_count(const serval_prediction* prediction) {
  return prediction->prediction.timeline.size();
}
const char* serval_prediction_stretch_model(const serval_prediction* prediction, size_t index) {
  return prediction->prediction.timeline[index].model.c_str();
}
double serval_prediction_stretch_begin_s(const serval_prediction* prediction, size_t index) {
  return prediction->prediction.timeline[index].begin_s;
}
double serval_prediction_stretch_end_s(const serval_prediction* prediction, size_t index) {
  return prediction->prediction.timeline[index].end_s;
}
const float* serval_prediction_stretch_probabilities(const serval_prediction* prediction, size_t index) {
  return prediction->prediction.timeline[index].probabilities.data();
}

}  // extern "C"
