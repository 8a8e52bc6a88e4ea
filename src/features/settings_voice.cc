#include "serval/core/error.h"

#include "settings_fields.h"

namespace serval::features {

void describe_f0(SettingsVisitor& v, F0Settings& s) {
  v.real("f0_min_hz", s.f0_min_hz, {.min = 0, .above_min = true},
         {"lowest fundamental frequency; two of its periods fit into the window", "Hz"});
  v.real("f0_max_hz", s.f0_max_hz, {.min = 0, .above_min = true},
         {"highest fundamental frequency, at most half the sample rate", "Hz"});
  v.check(s.f0_max_hz > s.f0_min_hz, "f0_max_hz",
          cat("must be above f0_min_hz, which is ", s.f0_min_hz, " Hz"));
  v.choice(
      "unvoiced", s.unvoiced,
      Options<Unvoiced>{
          {"zero", Unvoiced::kZero}, {"interpolate", Unvoiced::kInterpolate}, {"guess", Unvoiced::kGuess}},
      {"f0_hz of frames without voice: 0, a straight line between the voiced neighbours (the nearest one "
       "at the ends, 0 when no frame is voiced), or the method's best guess"});
  const auto fields = [&s](SettingsVisitor& inner) {
    if (s.f0_method == F0Method::kYin) {
      inner.real(
          "trough_threshold", s.trough_threshold, {.min = 0, .above_min = true},
          {"a period counts when the normalised difference falls below this; the frame is voiced then"});
      return;
    }
    inner.integer("n_thresholds", s.n_thresholds, {.min = 1, .max = 1000},
                  {"number of trough thresholds, evenly spaced up to 1"});
    inner.real("beta_a", s.beta_a, {.min = 0, .max = 1000, .above_min = true},
               {"first shape of the beta distribution over thresholds"});
    inner.real("beta_b", s.beta_b, {.min = 0, .max = 1000, .above_min = true},
               {"second shape of the beta distribution over thresholds"});
    inner.real("boltzmann", s.boltzmann, {.min = 0, .max = 100, .above_min = true},
               {"decay of the Boltzmann distribution over troughs; larger values favour short periods"});
    inner.real("resolution_semitones", s.resolution_semitones, {.min = 0.01, .max = 1},
               {"distance of two pitch states", "semitones"});
    inner.real("max_octaves_per_s", s.max_octaves_per_s, {.min = 0, .above_min = true},
               {"fastest change of pitch", "octaves/s"});
    inner.real("switch_probability", s.switch_probability, {.min = 0, .max = 1, .above_min = true},
               {"probability that voice starts or ends from one frame to the next"});
    inner.real("no_trough_probability", s.no_trough_probability, {.min = 0, .max = 1},
               {"weight of the deepest trough for thresholds that no trough is below"});
    inner.check(s.switch_probability < 1, "switch_probability", "must be below 1");
  };
  v.variants("f0_method", s.f0_method, Options<F0Method>{{"pyin", F0Method::kPyin}, {"yin", F0Method::kYin}},
             {"pyin: YIN's troughs under many thresholds, and the most likely path through them; yin: each "
              "frame by itself"},
             fields);
}

void describe_hnr(SettingsVisitor& v, HnrSettings& s) {
  v.real("hnr_min_hz", s.hnr_min_hz, {.min = 1, .max = 10000}, {"lowest fundamental frequency", "Hz"});
  v.real("hnr_periods", s.hnr_periods, {.min = 3, .max = 100},
         {"periods of hnr_min_hz in the window's effective length; the Gaussian window is twice as long"});
  v.real("hnr_silence", s.hnr_silence, {.min = 0, .max = 1},
         {"frames whose peak is far below this share of the clip's peak count as unvoiced; 0 keeps all"});
  v.real("hnr_lowest_db", s.hnr_lowest_db, {.min = -200, .max = 0},
         {"value of unvoiced frames, and the least value of all", "dB"});
}

void describe_teager(SettingsVisitor& v, TeagerSettings& s) {
  const auto fields = [&s](SettingsVisitor& inner) {
    if (s.teager != TeagerValue::kLogMeanAbs) return;
    inner.real("teager_floor", s.teager_floor, {.min = 1e-30, .max = 1e6},
               {"smaller means are raised to this before the logarithm"});
  };
  v.variants("teager", s.teager,
             Options<TeagerValue>{{"mean", TeagerValue::kMean},
                                  {"mean_abs", TeagerValue::kMeanAbs},
                                  {"log_mean_abs", TeagerValue::kLogMeanAbs}},
             {"mean of x[n]^2 - x[n - 1] x[n + 1] over the window, of its magnitude, or the latter's natural "
              "logarithm"},
             fields);
}

void describe_modulation(SettingsVisitor& v, ModulationSettings& s) {
  v.real("modulation_window_ms", s.modulation_window_ms, {.min = 0, .max = 600000, .above_min = true},
         {"span of frames around each frame whose mel bands are transformed; rounded to whole frames, halves "
          "up",
          "ms"});
  v.real("modulation_min_hz", s.modulation_min_hz, {.min = 0, .above_min = true},
         {"lower end of the lowest band of modulation frequencies; each band is an octave", "Hz"});
  v.integer("modulation_bands", s.modulation_bands, {.min = 1, .max = 16},
            {"number of bands of modulation frequencies"});
}

void describe_pcen(SettingsVisitor& v, PcenSettings& s) {
  v.real("pcen_gain", s.pcen_gain, {.min = 0, .max = 10}, {"exponent of the smoothed energy in the divisor"});
  v.real("pcen_bias", s.pcen_bias, {.min = 0, .max = 1e6}, {"added before the root"});
  v.real("pcen_power", s.pcen_power, {.min = 0, .max = 10}, {"the root's exponent; 0 takes log(1 + x)"});
  v.real("pcen_time_constant_ms", s.pcen_time_constant_ms, {.min = 0, .max = 1e6, .above_min = true},
         {"of the smoothing over time", "ms"});
  v.real("pcen_eps", s.pcen_eps, {.min = 1e-30, .max = 1e6}, {"added to the smoothed energy"});
}

}  // namespace serval::features
