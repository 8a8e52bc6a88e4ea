#include "serval/audio/audio_settings.h"

#include "serval/audio/noise_reduction.h"
#include "serval/core/error.h"

namespace serval::audio {

void describe(SettingsVisitor& v, AudioSettings& s) {
  v.integer("sample_rate_hz", s.sample_rate_hz, {.min = 4000, .max = 192000},
            {.text = "every recording is resampled to this rate", .unit = "Hz"});
  v.real("offset_s", s.offset_s, {.min = 0, .max = 1e6}, {.text = "start of the crop", .unit = "s"});
  v.optional_real(
      "duration_s", s.duration_s, {.min = 0, .max = 1e6, .above_min = true},
      {.text = "length of the crop; a shorter recording is taken whole; null: to the end", .unit = "s"});
  v.choice<Resampler>(
      "resampler", s.resampler,
      {{"soxr_hq", Resampler::kSoxrHq},
       {"soxr_vhq", Resampler::kSoxrVhq},
       {"kaiser_fast", Resampler::kKaiserFast}},
      {.text = "soxr at its high or very high quality, or the short windowed sinc of older studies"});
  v.variants<NoiseReduction>(
      "noise_reduction", s.noise_reduction,
      {{"none", NoiseReduction::kNone}, {"stationary", NoiseReduction::kStationary}},
      {.text = "stationary: a spectral gate whose threshold comes from the recording itself"},
      [&s](SettingsVisitor& inner) {
        if (s.noise_reduction == NoiseReduction::kNone) return;
        inner.real("noise_threshold_deviations", s.noise_threshold_deviations, {.min = -20, .max = 20},
                   {.text = "a frequency's threshold lies so many standard deviations above its mean level"});
        inner.real("noise_decrease", s.noise_decrease, {.min = 0, .max = 1},
                   {.text = "share of what lies below the threshold that is taken away"});
      });
  v.optional_real(
      "trim_db", s.trim_db, {.min = 0, .max = 200, .above_min = true},
      {.text = "silence at both ends is cut: frames (2048 samples every 512, at sample_rate_hz) this "
               "far or more below the loudest one; null: nothing is cut",
       .unit = "dB"});
  v.optional_real(
      "cut_silence_db", s.cut_silence_db, {.min = 0, .max = 200, .above_min = true},
      {.text = "frames this far or more below the loudest one are cut wherever they are, by the frames of "
               "trim_db; null: nothing is cut",
       .unit = "dB"});
  v.optional_real("pre_emphasis", s.pre_emphasis, {.min = 0, .max = 1},
                  {.text = "y[n] = x[n] - pre_emphasis * x[n - 1]; null: as it is"});
  v.variants<Level>("level", s.level, {{"none", Level::kNone}, {"peak", Level::kPeak}, {"rms", Level::kRms}},
                    {.text = "each recording is scaled until its peak or its RMS is at level_db"},
                    [&s](SettingsVisitor& inner) {
                      if (s.level == Level::kNone) return;
                      inner.real(
                          "level_db", s.level_db, {.min = -100, .max = 20},
                          {.text = "level against full scale; nothing is clipped above it", .unit = "dB"});
                    });
  v.optional_real(
      "length_s", s.length_s, {.min = 0, .max = 1e6, .above_min = true},
      {.text = "cut or filled up with zeros at the end to this length; null: as it is", .unit = "s"});
  v.real("min_duration_s", s.min_duration_s, {.min = 0, .max = 1e6},
         {.text = "a recording with less sound than this, after all cutting, is a bad one", .unit = "s"});
  v.real("silence_db", s.silence_db, {.min = -300, .max = 0},
         {.text = "a recording whose peak stays below this is silent, which is a bad one", .unit = "dB"});
  v.check(
      s.noise_reduction == NoiseReduction::kNone || s.sample_rate_hz >= kNoiseReductionLowestRate_hz,
      "noise_reduction",
      cat("needs a sample_rate_hz of ", kNoiseReductionLowestRate_hz, " or more, not ", s.sample_rate_hz));
  v.choice<OnBadRecording>("on_bad_recording", s.on_bad_recording,
                           {{"stop", OnBadRecording::kStop}, {"skip", OnBadRecording::kSkip}},
                           {.text = "stop with its name, or go on without it and list it"});
}

}  // namespace serval::audio
