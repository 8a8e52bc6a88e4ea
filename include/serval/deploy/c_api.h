/* Scores of recordings from a bundle, for C and for every language that can call C.
 *
 *   serval_predictor* predictor = NULL;
 *   serval_prediction* said = NULL;
 *   if (serval_predictor_open("a.bundle", NULL, &predictor) != SERVAL_DONE ||
 *       serval_predictor_predict_file(predictor, "clip.wav", &said) != SERVAL_DONE)
 *     fprintf(stderr, "%s\n", serval_last_error());
 *
 * The scores are those of `serval predict`, bit for bit.
 *
 * Errors: a function that returns int returns one of the codes below, which are the program's exit codes, and sets what
 *   serval_last_error() says. It then leaves what it would have given untouched. Nothing is thrown out of a function.
 * Ownership: who gets a predictor or a prediction closes or frees it, once; NULL is allowed there. Texts and arrays
 *   belong to the object that was asked, and live as long as it does. A prediction outlives its predictor.
 * Threads: any number may use one predictor at once, but for closing it. A prediction only changes when it is freed.
 * Binary interface: within one minor version functions are added and never changed. serval_predictor_options may grow at
 *   its end, which its field `size` tells.
 */
#ifndef SERVAL_DEPLOY_C_API_H
#define SERVAL_DEPLOY_C_API_H

#include <stddef.h>

/* C's names, not C++'s. NOLINTBEGIN(readability-identifier-naming) */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SERVAL_DONE = 0,
  SERVAL_INTERNAL = 1,  /* a fault in Serval, or no memory */
  SERVAL_BAD_CALL = 2,  /* an argument that cannot be: NULL, a batch below 1 */
  SERVAL_BAD_DATA = 3,  /* a bundle or recording that cannot be used; the predictor stays usable */
  SERVAL_NO_DEVICE = 4, /* the device is absent or fails */
  SERVAL_DISK = 7
};

typedef struct serval_predictor serval_predictor;
typedef struct serval_prediction serval_prediction;

typedef struct serval_predictor_options {
  size_t size; /* sizeof(serval_predictor_options) */
  const char*
      device;   /* "cpu"; where the library was built with CUDA also "cuda", "cuda:N", "auto". NULL: "cpu" */
  int batch;    /* segments that a network reads at a time: memory and speed, no bit of the scores. 0: 16 */
  int timeline; /* not 0: predictions have stretches */
} serval_predictor_options;

/* "0.1.0" */
const char* serval_version(void);
/* What went wrong in the last call of this thread that failed; "" before any. Lives until the thread's next failure. */
const char* serval_last_error(void);

/* `bundle` is a folder or a file that `serval export` wrote. `options` may be NULL. */
int serval_predictor_open(const char* bundle, const serval_predictor_options* options,
                          serval_predictor** predictor);
void serval_predictor_close(serval_predictor* predictor);

const char* serval_predictor_name(const serval_predictor* predictor); /* of the experiment */
size_t serval_predictor_class_count(const serval_predictor* predictor);
const char* serval_predictor_class_name(const serval_predictor* predictor,
                                        size_t index); /* NULL past the last */
/* What to know before believing a score. */
size_t serval_predictor_stamp_count(const serval_predictor* predictor);
const char* serval_predictor_stamp(const serval_predictor* predictor, size_t index); /* NULL past the last */
int serval_predictor_sample_rate_hz(const serval_predictor* predictor); /* that features are made at */

/* A WAV, AIFF, FLAC, Ogg or MP3 file. */
int serval_predictor_predict_file(const serval_predictor* predictor, const char* path,
                                  serval_prediction** prediction);
/* Mono, full scale at 1, from 1 kHz to 1 MHz. The samples are not kept. */
int serval_predictor_predict_samples(const serval_predictor* predictor, const float* samples, size_t count,
                                     int rate_hz, serval_prediction** prediction);
void serval_prediction_free(serval_prediction* prediction);

const float* serval_prediction_probabilities(const serval_prediction* prediction); /* one a class */
size_t serval_prediction_best(const serval_prediction* prediction);    /* the most probable class */
double serval_prediction_seconds(const serval_prediction* prediction); /* of the sound that was scored */

/* What models that read segments say of each of them, by model, then by time; times are those of the sound that is left
 * after trimming. None unless options.timeline was set. The index must be below the count. */
size_t serval_prediction_stretch_count(const serval_prediction* prediction);
const char* serval_prediction_stretch_model(const serval_prediction* prediction, size_t index);
double serval_prediction_stretch_begin_s(const serval_prediction* prediction, size_t index);
double serval_prediction_stretch_end_s(const serval_prediction* prediction, size_t index);
const float* serval_prediction_stretch_probabilities(const serval_prediction* prediction, size_t index);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming) */
#endif
