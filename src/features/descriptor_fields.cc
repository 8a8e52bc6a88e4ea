// The fields of the descriptors of samples and spectra.
#include "settings_fields.h"

namespace serval::features {

void describe_zcr(SettingsVisitor& v, DescriptorSettings& s) {
  v.real("zero_threshold", s.zero_threshold, {.min = 0, .max = 1},
         {"samples this near to zero count as zero, which is positive"});
}

void describe_bandwidth(SettingsVisitor& v, DescriptorSettings& s) {
  v.real("bandwidth_power", s.bandwidth_power, {.min = 0, .max = 16, .above_min = true},
         {"p in (sum of w |f - centroid|^p)^(1/p)"});
  v.flag("bandwidth_normalised", s.bandwidth_normalised,
         {"the weights w of a frame's bins sum to 1 (true) or are the bins themselves (false)"});
}

void describe_rolloff(SettingsVisitor& v, DescriptorSettings& s) {
  v.real("roll_percent", s.roll_percent, {.min = 0, .max = 1, .above_min = true},
         {"share of a frame's spectrum that lies at or below the rolloff, between 0 and 1"});
  v.check(s.roll_percent < 1, "roll_percent", "must be between 0 and 1, both excluded");
}

void describe_flatness(SettingsVisitor& v, DescriptorSettings& s) {
  v.real("flatness_floor", s.flatness_floor, {.min = 1e-30, .max = 1e6},
         {"smaller bins are raised to this before their means are taken"});
  v.real("flatness_power", s.flatness_power, {.min = 0, .max = 8, .above_min = true},
         {"exponent of the magnitude spectrum"});
}

void describe_contrast(SettingsVisitor& v, DescriptorSettings& s) {
  v.integer(
      "contrast_bands", s.contrast_bands, {.min = 1, .max = 16},
      {"bands an octave wide from contrast_f_min_hz on, the last one up to the highest bin; a band below "
       "them is a column more"});
  v.real("contrast_f_min_hz", s.contrast_f_min_hz, {.min = 0, .above_min = true},
         {"where the lowest octave starts", "Hz"});
  v.real(
      "contrast_quantile", s.contrast_quantile, {.min = 0, .max = 1, .above_min = true},
      {"share of a band's bins, at least one bin, whose mean is its peak, and its valley; between 0 and 1"});
  v.check(s.contrast_quantile < 1, "contrast_quantile", "must be between 0 and 1, both excluded");
  v.flag("contrast_linear", s.contrast_linear,
         {"peak minus valley (true), or the difference of their dB (false)"});
  v.optional_real(
      "contrast_top_db", s.contrast_top_db, {.min = 0},
      {"peaks this far below the clip's highest peak are raised to it, and valleys likewise; null keeps "
       "them; without effect where contrast is linear",
       "dB"});
}

void describe_chroma(SettingsVisitor& v, ChromaSettings& s) {
  v.integer("n_chroma", s.n_chroma, {.min = 1, .max = 96},
            {"pitch classes in an octave; with 12 the first is C, and with 12 n too"});
  v.choice("chroma_norm", s.chroma_norm,
           Options<ChromaNorm>{{"inf", ChromaNorm::kInf},
                               {"l1", ChromaNorm::kL1},
                               {"l2", ChromaNorm::kL2},
                               {"none", ChromaNorm::kNone}},
           {"each frame is divided by its largest value, its sum, its Euclidean norm, or nothing"});
  v.optional_real("tuning", s.tuning, {.min = -0.5, .max = 0.5},
                  {"distance of the recording's A from 440 Hz, in chroma; null estimates it for each clip"});
  v.real("chroma_octave", s.chroma_octave, {.min = -16, .max = 16},
         {"octave above 27.5 Hz at which bins count most"});
  v.optional_real(
      "chroma_octave_width", s.chroma_octave_width, {.min = 0, .above_min = true},
      {"standard deviation of the weights around chroma_octave, in octaves; null weighs all alike"});
}

}  // namespace serval::features
