// Settings of features that follow the voice: pitch, harmonicity, Teager energy, modulation, PCEN.
#pragma once

namespace serval::features {

enum class F0Method { kYin, kPyin };
// What stands in f0_hz where there is no voice: 0, a line between the neighbours, or the best guess all the same.
enum class Unvoiced { kZero, kInterpolate, kGuess };

struct F0Settings {
  F0Method f0_method = F0Method::kPyin;
  double f0_min_hz = 65;
  double f0_max_hz = 800;
  double trough_threshold = 0.1;
  int n_thresholds = 100;
  double beta_a = 2;
  double beta_b = 18;
  double boltzmann = 2;
  double resolution_semitones = 0.1;
  double max_octaves_per_s = 35.92;
  double switch_probability = 0.01;
  double no_trough_probability = 0.01;
  Unvoiced unvoiced = Unvoiced::kZero;
};

struct HnrSettings {
  double hnr_min_hz = 75;
  double hnr_periods = 4.5;
  double hnr_silence = 0.1;
  double hnr_lowest_db = -20;
};

enum class TeagerValue { kMean, kMeanAbs, kLogMeanAbs };

struct TeagerSettings {
  TeagerValue teager = TeagerValue::kMean;
  double teager_floor = 1e-10;
};

struct ModulationSettings {
  double modulation_window_ms = 2000;
  double modulation_min_hz = 0.5;
  int modulation_bands = 5;
};

struct PcenSettings {
  double pcen_gain = 0.98;
  double pcen_bias = 2;
  double pcen_power = 0.5;
  double pcen_time_constant_ms = 400;
  double pcen_eps = 1e-6;
};

}  // namespace serval::features
