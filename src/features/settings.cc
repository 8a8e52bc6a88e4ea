#include "serval/features/settings.h"

#include "serval/core/error.h"

namespace serval::features {

namespace {

void describe_frames(SettingsVisitor& v, FeatureSettings& s) {
  v.real("window_ms", s.window_ms, {.min = 0, .max = 10000, .above_min = true},
         {"length of the analysis window; rounded to whole samples, halves up", "ms"});
  v.real("hop_ms", s.hop_ms, {.min = 0, .max = 10000, .above_min = true},
         {"time from one frame to the next; rounded to whole samples, halves up", "ms"});
  v.integer("window_samples", s.window_samples, {.min = 0, .max = kMaxFft},
            {"length of the analysis window; 0 takes window_ms", "samples"});
  v.integer("hop_samples", s.hop_samples, {.min = 0, .max = 1 << 20},
            {"time from one frame to the next; 0 takes hop_ms", "samples"});
  v.integer(
      "n_fft", s.n_fft, {.min = 0, .max = kMaxFft},
      {"length of the Fourier transform, in whose middle the window lies; 0 takes the next power of two that "
       "holds the window",
       "samples"});
  v.check(s.n_fft % 2 == 0, "n_fft", cat("must be even, not ", s.n_fft));
  v.check(s.n_fft == 0 || s.window_samples <= s.n_fft, "n_fft",
          cat(s.n_fft, " does not hold the window of ", s.window_samples, " samples"));
  v.choice("window", s.window,
           Options<WindowShape>{{"hann", WindowShape::kHann},
                                {"hamming", WindowShape::kHamming},
                                {"blackman", WindowShape::kBlackman},
                                {"boxcar", WindowShape::kBoxcar}},
           {"shape of the analysis window"});
  v.flag("window_periodic", s.window_periodic,
         {"the window's period is its length (true, as librosa) or one sample less (false, as MATLAB's "
          "default)"});
  v.choice(
      "padding", s.padding,
      Options<Padding>{{"zero", Padding::kZero}, {"reflect", Padding::kReflect}, {"none", Padding::kNone}},
      {"what surrounds the clip: zeros (librosa since 0.9), its mirror image (librosa before 0.9), or "
       "nothing, "
       "so that frames start inside the clip"});
}

void describe_mel(SettingsVisitor& v, FeatureSettings& s) {
  v.integer("n_mels", s.n_mels, {.min = 1, .max = 4096}, {"number of mel filters"});
  v.real("f_min_hz", s.f_min_hz, {.min = 0}, {"lower end of the lowest filter", "Hz"});
  v.optional_real("f_max_hz", s.f_max_hz, {.min = 0, .above_min = true},
                  {"upper end of the highest filter; null takes half the sample rate", "Hz"});
  v.check(!s.f_max_hz || *s.f_max_hz > s.f_min_hz, "f_max_hz",
          cat("must be above f_min_hz, which is ", s.f_min_hz, " Hz"));
  v.choice("mel_scale", s.mel_scale,
           Options<MelScale>{{"slaney", MelScale::kSlaney}, {"htk", MelScale::kHtk}},
           {"linear to 1 kHz and logarithmic above (slaney), or 2595 log10(1 + f/700) (htk)"});
  v.choice("mel_norm", s.mel_norm, Options<MelNorm>{{"slaney", MelNorm::kSlaney}, {"none", MelNorm::kNone}},
           {"filters of equal area (slaney) or of height 1 (none)"});
  v.integer("power", s.power, {.min = 1, .max = 2}, {"exponent of the magnitude spectrum: 1 or 2"});
}

void describe_log(SettingsVisitor& v, FeatureSettings& s) {
  v.real("floor", s.floor, {.min = 1e-30, .max = 1},
         {"smaller mel values are raised to this before the logarithm"});
  v.variants("log", s.log, Options<LogScale>{{"db", LogScale::kDb}, {"natural", LogScale::kNatural}},
             {"10 log10(x) with reference 1 (db) or log(x) (natural)"}, [&s](SettingsVisitor& inner) {
               if (s.log != LogScale::kDb) return;
               inner.optional_real(
                   "top_db", s.top_db, {.min = 0},
                   {"values further below the clip's peak are raised to it; null keeps them", "dB"});
             });
}

}  // namespace

void describe(SettingsVisitor& v, FeatureSettings& s) {
  v.variants(
      "type", s.type, Options<FeatureType>{{"log_mel", FeatureType::kLogMel}, {"mfcc", FeatureType::kMfcc}},
      {"log-mel spectrogram, or its cosine transform", "", Need::kRequired}, [&s](SettingsVisitor& inner) {
        describe_frames(inner, s);
        describe_mel(inner, s);
        describe_log(inner, s);
        if (s.type == FeatureType::kMfcc) {
          inner.integer("n_mfcc", s.n_mfcc, {.min = 1, .max = 4096},
                        {"number of cepstral coefficients, from the 0th"});
          inner.check(s.n_mfcc <= s.n_mels, "n_mfcc",
                      cat("there are only as many coefficients as mel filters: ", s.n_mels));
          inner.integer("lifter", s.lifter, {.min = 0, .max = 4096},
                        {"L in the weight 1 + L/2 sin(pi (n + 1) / L) of coefficient n; 0 for no weights"});
        }
      });
  v.integer(
      "deltas", s.deltas, {.min = 0, .max = 2},
      {"1 adds the slope over time of every column, 2 also its curvature (Savitzky-Golay, as librosa)"});
  v.integer(
      "delta_width", s.delta_width, {.min = 3, .max = 99},
      {"odd number of frames that a delta looks at; shorter clips use the largest odd number that they have, "
       "and clips of one or two frames have deltas of 0",
       "frames"});
  v.check(s.delta_width % 2 == 1, "delta_width", cat("must be odd, not ", s.delta_width));
}

}  // namespace serval::features
