#include "settings_fields.h"

#include "serval/core/error.h"
#include "serval/features/statistics.h"

namespace serval::features {

namespace {

// A duration that is given replaces a preset's number of samples, unless that number is given too.
void describe_hop_ms(SettingsVisitor& v, FrameSettings& s) {
  const double before_ms = s.hop_ms;
  v.real("hop_ms", s.hop_ms, {.min = 0, .max = 10000, .above_min = true},
         {"time from one frame to the next; rounded to whole samples, halves up", "ms"});
  if (s.hop_ms != before_ms) s.hop_samples = 0;
}

void describe_hop_samples(SettingsVisitor& v, FrameSettings& s) {
  v.integer("hop_samples", s.hop_samples, {.min = 0, .max = 1 << 20},
            {"time from one frame to the next; 0 takes hop_ms", "samples"});
}

}  // namespace

void describe_hop(SettingsVisitor& v, FrameSettings& s) {
  describe_hop_ms(v, s);
  describe_hop_samples(v, s);
}

void describe_lengths(SettingsVisitor& v, FrameSettings& s) {
  const double before_ms = s.window_ms;
  v.real("window_ms", s.window_ms, {.min = 0, .max = 10000, .above_min = true},
         {"length of the analysis window; rounded to whole samples, halves up", "ms"});
  if (s.window_ms != before_ms) s.window_samples = 0;
  describe_hop_ms(v, s);
  v.integer("window_samples", s.window_samples, {.min = 0, .max = kMaxFft},
            {"length of the analysis window; 0 takes window_ms", "samples"});
  describe_hop_samples(v, s);
}

void describe_frames(SettingsVisitor& v, FrameSettings& s) {
  describe_lengths(v, s);
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
                                {"boxcar", WindowShape::kBoxcar},
                                {"povey", WindowShape::kPovey}},
           {"shape of the analysis window; povey is hann to the power of 0.85"});
  v.flag("window_periodic", s.window_periodic,
         {"the window's period is its length (true, as librosa) or one sample less (false, as Kaldi)"});
  v.choice("window_place", s.window_place,
           Options<WindowPlace>{{"centre", WindowPlace::kCentre}, {"start", WindowPlace::kStart}},
           {"where the window lies among the n_fft samples: in the middle (librosa) or first (Kaldi)"});
  describe_padding(v, s);
  v.real("sample_scale", s.sample_scale, {.min = 0, .max = 1e6, .above_min = true},
         {"samples are multiplied by this first; 32768 gives the numbers of 16-bit recordings"});
  v.flag("remove_dc", s.remove_dc, {"subtract the mean of a frame's samples from them"});
  v.real("frame_preemphasis", s.frame_preemphasis, {.min = 0, .max = 1},
         {"a in x[n] - a x[n - 1] within a frame, whose first sample counts as its own predecessor"});
}

void describe_padding(SettingsVisitor& v, FrameSettings& s) {
  v.choice(
      "padding", s.padding,
      Options<Padding>{{"zero", Padding::kZero},
                       {"reflect", Padding::kReflect},
                       {"none", Padding::kNone},
                       {"edge", Padding::kEdge},
                       {"mirror", Padding::kMirror}},
      {"what surrounds the clip: zeros (librosa since 0.9), its mirror image (reflect: librosa before 0.9, "
       "torchaudio), its end samples (edge), its mirror image with the end samples repeated and frames "
       "centred on odd half hops (mirror: Kaldi without snip_edges), or nothing, so that frames lie inside "
       "the clip"});
}

void describe_mel(SettingsVisitor& v, MelSettings& s) {
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
  v.choice(
      "mel_sides", s.mel_sides, Options<MelSides>{{"hz", MelSides::kHz}, {"mel", MelSides::kMel}},
      {"a filter's sides are straight lines over frequency (librosa, torchaudio) or over mel (Kaldi, HTK)"});
  describe_power(v, s);
}

void describe_power(SettingsVisitor& v, MelSettings& s) {
  v.integer("power", s.power, {.min = 1, .max = 2}, {"exponent of the magnitude spectrum: 1 or 2"});
}

void describe_log(SettingsVisitor& v, LogSettings& s) {
  const auto fields = [&s](SettingsVisitor& inner) {
    if (s.log == LogScale::kNone) return;
    inner.real("floor", s.floor, {.min = 1e-30, .max = 1e6},
               {"smaller values are raised to this before the logarithm"});
    if (s.log != LogScale::kDb) return;
    inner.choice("db_reference", s.db_reference,
                 Options<DbReference>{{"one", DbReference::kOne}, {"peak", DbReference::kPeak}},
                 {"0 dB is the value 1, or the clip's largest value"});
    inner.optional_real("top_db", s.top_db, {.min = 0},
                        {"values further below the clip's peak are raised to it; null keeps them", "dB"});
  };
  v.variants(
      "log", s.log,
      Options<LogScale>{{"db", LogScale::kDb}, {"natural", LogScale::kNatural}, {"none", LogScale::kNone}},
      {"10 log10(x / reference) (db), log(x) (natural), or x itself (none)"}, fields);
}

void describe_cepstrum(SettingsVisitor& v, CepstrumSettings& s, int n_mels) {
  v.integer("n_mfcc", s.n_mfcc, {.min = 1, .max = 4096}, {"number of columns, from the 0th coefficient"});
  v.check(s.n_mfcc <= n_mels, "n_mfcc", cat("there are only as many coefficients as mel filters: ", n_mels));
  v.choice(
      "zeroth", s.zeroth,
      Options<Zeroth>{{"first", Zeroth::kFirst},
                      {"drop", Zeroth::kDrop},
                      {"last", Zeroth::kLast},
                      {"energy_first", Zeroth::kEnergyFirst},
                      {"energy_last", Zeroth::kEnergyLast}},
      {"the 0th coefficient stands first (librosa), is left out so that columns are the 1st to the "
       "n_mfcc-th, "
       "stands last (HTK's _0), or gives its place to the frame's log energy, first (Kaldi's use_energy) or "
       "last (HTK's _E)"});
  v.choice("cosine_norm", s.cosine_norm,
           Options<CosineNorm>{{"ortho", CosineNorm::kOrtho}, {"htk", CosineNorm::kHtk}},
           {"orthonormal cosine transform, or sqrt(2 / n_mels) for the 0th coefficient too (htk)"});
  v.integer("lifter", s.lifter, {.min = 0, .max = 4096},
            {"L in the weight 1 + L/2 sin(pi (n + lifter_shift) / L) of coefficient n; 0 for no weights"});
  v.integer("lifter_shift", s.lifter_shift, {.min = 0, .max = 1}, {"1 as librosa, 0 as Kaldi and HTK"});
}

void describe_energy(SettingsVisitor& v, EnergySettings& s) {
  v.flag("energy_windowed", s.energy_windowed,
         {"a frame's energy is measured behind pre-emphasis and window (true), or before them (false)"});
  v.real("energy_floor", s.energy_floor, {.min = 1e-30, .max = 1e6},
         {"smaller energies are raised to this before the logarithm"});
}

void describe_deltas(SettingsVisitor& v, DeltaSettings& s) {
  v.integer("deltas", s.deltas, {.min = 0, .max = 2},
            {"1 adds the slope over time of every column, 2 also how that slope changes"});
  v.choice(
      "delta_method", s.delta_method,
      Options<DeltaMethod>{{"savgol", DeltaMethod::kSavgol},
                           {"savgol_repeated", DeltaMethod::kSavgolRepeated},
                           {"regression", DeltaMethod::kRegression}},
      {"slope and second derivative of a fitted line and parabola, as librosa (savgol); the slope of the "
       "slope (savgol_repeated); or HTK's and torchaudio's regression with the end frames repeated, its "
       "second order from the first (regression)"});
  v.integer(
      "delta_width", s.delta_width, {.min = 3, .max = kMaxDeltaWidth},
      {"odd number of frames that a delta looks at; shorter clips use the largest odd number that they have, "
       "and clips of one or two frames have deltas of 0 (regression repeats the end frames instead)",
       "frames"});
  v.check(s.delta_width % 2 == 1, "delta_width", cat("must be odd, not ", s.delta_width));
}

void describe_statistics(SettingsVisitor& v, PartSettings& s) {
  v.texts(
      "statistics", s.statistics,
      {"one vector per recording: these statistics over time of every column; mean, variance, std, skewness, "
       "kurtosis, min, max, range, median, p<percent> such as p5, and all_mean over time and columns. Empty "
       "keeps the frames"});
  for (const std::string& word : s.statistics) {
    Statistic statistic;
    v.check(parse_statistic(word, statistic), "statistics",
            cat("\"", word, "\" is not one of {", join(statistic_words(), ", "), "}"));
  }
}

}  // namespace serval::features
